/* SPDX-License-Identifier: GPL-2.0-only */
/* Invariants of a vGIC. */
#ifndef TESTS_VGIC_FUZZ_H
#define TESTS_VGIC_FUZZ_H

#include "core/vcpus.h"
#include "vgic_fake.h"

#include "fuzz.h"

/* No interrupt is in two list registers, and all belong to this VM (docs/hazards.md 15). */
static inline void vgic_fuzz_check(struct armvmm_vm *vm)
{
	unsigned int used[GIC_MAX_IRQS][ARMVMM_MAX_VCPUS + 1] = { };
	struct armvmm_vcpu *vcpu;
	unsigned int n, intid;
	int i;

	armvmm_vcpus_for_each(i, vcpu, vm) {
		const struct fake_cpu *c = &fake_cpus[i];

		if (!c->in_guest)
			continue;
		for (n = 0; n < c->used; n++) {
			if (!(c->lr[n] & GICH_LR_STATE))
				continue;
			intid = c->lr[n] & GICH_LR_VIRTUALID;
			FUZZ_MUST(intid < vm->vgic.nr_spis + GIC_NR_PRIVATE);
			FUZZ_MUST(!used[intid][intid < GIC_NR_PRIVATE ? i : 0]++);
		}
	}
}

/* Destroys the VM, after a last exit of every vCPU has emptied its list registers. */
static inline void vgic_fuzz_end(struct armvmm_vm *vm)
{
	struct armvmm_vcpu *vcpu;
	int i;

	armvmm_vcpus_for_each(i, vcpu, vm)
		fake_exit(vcpu);
	fake_destroy(vm);
}

#endif
