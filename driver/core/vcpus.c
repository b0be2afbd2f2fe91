// SPDX-License-Identifier: GPL-2.0-only
/* All vCPUs of a VM. */
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>

#include "core/state.h"
#include "core/vcpus.h"

struct armvmm_vcpu *armvmm_vm_vcpu_by_id(struct armvmm_vm *vm, unsigned int id)
{
	struct armvmm_vcpu *vcpu;
	int i;

	armvmm_vm_for_each_vcpu(i, vcpu, vm)
		if (vcpu->id == id)
			return vcpu;
	return NULL;
}

int armvmm_vm_trylock_vcpus(struct armvmm_vm *vm)
{
	struct armvmm_vcpu *vcpu;
	int i;

	lockdep_assert_held(&vm->lock);
	armvmm_vm_for_each_vcpu(i, vcpu, vm) {
		if (mutex_trylock(&vcpu->mutex))
			continue;
		while (i--)
			mutex_unlock(&vm->vcpus[i]->mutex);
		return -EBUSY;
	}
	return 0;
}

void armvmm_vm_unlock_vcpus(struct armvmm_vm *vm)
{
	int i;

	lockdep_assert_held(&vm->lock);
	for (i = vm->online_vcpus; i--;)
		mutex_unlock(&vm->vcpus[i]->mutex);
}

bool armvmm_vm_has_run(struct armvmm_vm *vm)
{
	struct armvmm_vcpu *vcpu;
	int i;

	armvmm_vm_for_each_vcpu(i, vcpu, vm)
		if (READ_ONCE(vcpu->has_run_once))
			return true;
	return false;
}
