/* SPDX-License-Identifier: GPL-2.0-only */
/* The fd of a VM. */
#ifndef ARMVMM_VM_FD_H
#define ARMVMM_VM_FD_H

struct armvmm_vm;
struct file;

/* KVM_CREATE_VM of @node: a new fd, or -errno. */
int armvmm_vm_create(struct file *node, unsigned long type);
/* KVM_CHECK_EXTENSION; @vm is NULL where the device is asked. */
long armvmm_vm_check_extension(struct armvmm_vm *vm, long cap);

#endif
