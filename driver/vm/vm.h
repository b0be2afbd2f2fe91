/* SPDX-License-Identifier: GPL-2.0-only */
/* A virtual machine: what stands behind the fd of KVM_CREATE_VM. */
#ifndef ARMVMM_VM_H
#define ARMVMM_VM_H

struct armvmm_vm;
struct file;

/* A new VM of whoever opened @node, with one reference, or an ERR_PTR(). May sleep. */
struct armvmm_vm *armvmm_vm_alloc(struct file *node);
/* Takes or drops a reference; the last one frees the VM. May sleep. */
void armvmm_vm_get(struct armvmm_vm *vm);
void armvmm_vm_put(struct armvmm_vm *vm);

#endif
