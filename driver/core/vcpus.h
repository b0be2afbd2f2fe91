/* SPDX-License-Identifier: GPL-2.0-only */
/* All vCPUs of a VM. */
#ifndef ARMVMM_VCPUS_H
#define ARMVMM_VCPUS_H

#include "core/state.h"

/* vCPU by its number (KVM_CREATE_VCPU's argument), or NULL. */
struct armvmm_vcpu *armvmm_vm_vcpu_by_id(struct armvmm_vm *vm, unsigned int id);

static inline int armvmm_vm_online_vcpus(struct armvmm_vm *vm)
{
	return smp_load_acquire(&vm->online_vcpus);
}

#define armvmm_vm_for_each_vcpu(i, vcpu, vm)				\
	for ((i) = 0; (i) < armvmm_vm_online_vcpus(vm) &&		\
	     ((vcpu) = (vm)->vcpus[(i)]); (i)++)

/*
 * Takes or releases every vCPU's mutex, so that none is in KVM_RUN nor can
 * enter. Trylock: -EBUSY when one is running. Caller holds vm->lock.
 */
int armvmm_vm_trylock_vcpus(struct armvmm_vm *vm);
void armvmm_vm_unlock_vcpus(struct armvmm_vm *vm);

/* True once any vCPU has entered the guest. */
bool armvmm_vm_has_run(struct armvmm_vm *vm);

#endif
