/* SPDX-License-Identifier: GPL-2.0-only */
/* All vCPUs of a VM. */
#ifndef ARMVMM_VCPUS_H
#define ARMVMM_VCPUS_H

#include "core/state.h"

/* vCPU by its number (KVM_CREATE_VCPU's argument), or NULL. */
struct armvmm_vcpu *armvmm_vcpus_by_id(struct armvmm_vm *vm, unsigned int id);

static inline int armvmm_vcpus_online(struct armvmm_vm *vm)
{
	return smp_load_acquire(&vm->online_vcpus);
}

#define armvmm_vcpus_for_each(i, vcpu, vm)				\
	for ((i) = 0; (i) < armvmm_vcpus_online(vm) &&		\
	     ((vcpu) = (vm)->vcpus[(i)]); (i)++)

/*
 * Takes or releases every vCPU's mutex, so that none is in KVM_RUN nor can
 * enter. Trylock: -EBUSY when one is running. Caller holds vm->lock.
 */
int armvmm_vcpus_trylock(struct armvmm_vm *vm);
void armvmm_vcpus_unlock(struct armvmm_vm *vm);

/* True once any vCPU has entered the guest. */
bool armvmm_vcpus_have_run(struct armvmm_vm *vm);

#endif
