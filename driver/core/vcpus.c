// SPDX-License-Identifier: GPL-2.0-only
/* All vCPUs of a VM. */
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>

#include "core/state.h"
#include "core/vcpus.h"

struct armvmm_vcpu *armvmm_vcpus_by_id(struct armvmm_vm *vm, unsigned int id)
{
	struct armvmm_vcpu *vcpu;
	int i;

	armvmm_vcpus_for_each(i, vcpu, vm)
		if (vcpu->id == id)
			return vcpu;
	return NULL;
}

int armvmm_vcpus_trylock(struct armvmm_vm *vm)
{
	struct armvmm_vcpu *vcpu;
	int i;

	lockdep_assert_held(&vm->lock);
	armvmm_vcpus_for_each(i, vcpu, vm) {
		if (mutex_trylock(&vcpu->mutex))
			continue;
		while (i--)
			mutex_unlock(&vm->vcpus[i]->mutex);
		return -EBUSY;
	}
	return 0;
}

void armvmm_vcpus_unlock(struct armvmm_vm *vm)
{
	int i;

	lockdep_assert_held(&vm->lock);
	for (i = vm->online_vcpus; i--;)
		mutex_unlock(&vm->vcpus[i]->mutex);
}

bool armvmm_vcpus_have_run(struct armvmm_vm *vm)
{
	struct armvmm_vcpu *vcpu;
	int i;

	armvmm_vcpus_for_each(i, vcpu, vm)
		if (READ_ONCE(vcpu->has_run_once))
			return true;
	return false;
}
