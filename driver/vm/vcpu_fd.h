/* SPDX-License-Identifier: GPL-2.0-only */
/* The fd of a vCPU. */
#ifndef ARMVMM_VCPU_FD_H
#define ARMVMM_VCPU_FD_H

struct armvmm_vm;

/* KVM_CREATE_VCPU: a new fd, or -errno. */
int armvmm_vcpu_create(struct armvmm_vm *vm, unsigned long id);

#endif
