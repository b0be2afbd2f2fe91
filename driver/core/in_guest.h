/* SPDX-License-Identifier: GPL-2.0-only */
/* The CPUs that are in a VM's guest. */
#ifndef ARMVMM_IN_GUEST_H
#define ARMVMM_IN_GUEST_H

#include <linux/smp.h>

#include "core/state.h"
#include "core/vcpus.h"

/*
 * Calls @fn on each other CPU that is in this guest, one after the other, and waits for it. The CPU
 * leaves the guest for that, and all that its vCPU's registers were then is seen afterwards. A
 * vCPU that enters later writes its mode, with a barrier, before it does. Preemption is off, IRQs
 * are on.
 */
static inline void armvmm_in_guest_call(struct armvmm_vm *vm, void (*fn)(void *))
{
	struct armvmm_vcpu *vcpu;
	int i, cpu;

	armvmm_vcpus_for_each(i, vcpu, vm) {
		if (smp_load_acquire(&vcpu->mode) == VCPU_OUTSIDE)
			continue;
		/* Where it is outdated, the vCPU has left the guest meanwhile. */
		cpu = READ_ONCE(vcpu->last_cpu);
		if (cpu != smp_processor_id())
			smp_call_function_single(cpu, fn, NULL, 1);
	}
}

#endif
