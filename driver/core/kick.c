// SPDX-License-Identifier: GPL-2.0-only
/* Makes vCPUs leave the guest, or a sleep, and look at their requests. */
#include <linux/kernel.h>
#include <linux/sched.h>

#include "core/kick.h"
#include "core/state.h"
#include "core/vcpus.h"

/*
 * Pairs with run_enter(). Either that sees what the caller wrote before, or this sees VCPU_IN_GUEST
 * and interrupts the CPU in the guest.
 */
void armvmm_vcpu_kick(struct armvmm_vcpu *vcpu)
{
	struct task_struct *task;

	rcuwait_wake_up(&vcpu->wait);
	smp_mb();
	if (cmpxchg(&vcpu->mode, VCPU_IN_GUEST, VCPU_EXITING) != VCPU_IN_GUEST)
		return;
	rcu_read_lock();
	task = READ_ONCE(vcpu->task);
	if (task)
		kick_process(task);
	rcu_read_unlock();
}

void armvmm_kick_all(struct armvmm_vm *vm, unsigned int request, struct armvmm_vcpu *except)
{
	struct armvmm_vcpu *vcpu;
	int i;

	armvmm_vcpus_for_each(i, vcpu, vm) {
		if (vcpu == except)
			continue;
		armvmm_vcpu_request(vcpu, request);
		armvmm_vcpu_kick(vcpu);
	}
}
