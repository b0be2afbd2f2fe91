/* SPDX-License-Identifier: GPL-2.0-only */
/* Declarations that the library's files share. */
#ifndef LIBARMVMM_INTERNAL_H
#define LIBARMVMM_INTERNAL_H

#include <linux/armvmm.h>

#include "libarmvmm.h"

/* KVM_MAX_VCPUS with a GICv2 (IHI 0048B: eight CPU interfaces). */
#define VM_MAX_VCPUS	8

struct armvmm_vm {
	int device_fd;
	int fd;
	int gic_fd;		/* -1: none yet */
	size_t run_size;	/* bytes of a vCPU's run mapping */
	struct armvmm_vcpu *vcpu[VM_MAX_VCPUS];
	/* Of posted writes, in the mapping of ring_of, a vCPU; NULL: the kernel has none. */
	struct kvm_coalesced_mmio_ring *ring;
	struct armvmm_vcpu *ring_of;
};

struct armvmm_vcpu {
	struct armvmm_vm *vm;
	struct kvm_run *run;
	int fd;
	unsigned int index;
};

/* The mapping of @vcpu is there, and the VM knows the vCPU; or neither is so any more. */
void posted_mapped(struct armvmm_vcpu *vcpu);
void posted_unmapped(struct armvmm_vcpu *vcpu);

/* ioctl(2) that returns a negative errno. */
int vm_ioctl(int fd, unsigned long request, void *arg);

#endif /* LIBARMVMM_INTERNAL_H */
