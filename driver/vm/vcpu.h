/* SPDX-License-Identifier: GPL-2.0-only */
/* A virtual CPU: what stands behind the fd of KVM_CREATE_VCPU. */
#ifndef ARMVMM_VCPU_H
#define ARMVMM_VCPU_H

struct armvmm_vm;

/* A new vCPU, not yet in @vm's list, or an ERR_PTR(). May sleep. */
struct armvmm_vcpu *armvmm_vcpu_alloc(struct armvmm_vm *vm, unsigned int id);
void armvmm_vcpu_destroy(struct armvmm_vcpu *vcpu);

#endif
