/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters of VMs and vCPUs, with KVM's names where KVM/arm64 has them. A vCPU's are written by
 * its own thread alone, with a plain increment; a reader may see one that is a little old,
 * or, once in 2^32, between the writes of its halves, as in KVM on a 32-bit host.
 *
 * They come out by KVM_GET_STATS_FD (stat_fd.c) and by debugfs (stat_debugfs.c). What each is
 * called and means is stat.c's.
 */
#ifndef ARMVMM_STAT_H
#define ARMVMM_STAT_H

#include <linux/list.h>
#include <linux/types.h>

#include "core/state.h"

#define ARMVMM_STAT_NAME_SIZE	48	/* as KVM_STATS_NAME_SIZE */

struct armvmm_vm;
struct armvmm_vcpu;
struct dentry;

/* A descriptor as a client reads it: struct kvm_stats_desc with its name. */
struct armvmm_stat_desc {
	u32 flags;
	s16 exponent;
	u16 size;
	u32 offset;		/* bytes, in the counters as they are read */
	u32 bucket_size;
	char name[ARMVMM_STAT_NAME_SIZE];
};

extern const struct armvmm_stat_desc armvmm_stat_vm_descs[], armvmm_stat_vcpu_descs[];
extern const unsigned int armvmm_stat_nr_vm_descs, armvmm_stat_nr_vcpu_descs;

/* Bytes of all counters of a VM or a vCPU as they are read. */
#define ARMVMM_STAT_VM_SIZE	sizeof(struct armvmm_vm_stat)
#define ARMVMM_STAT_VCPU_SIZE	(sizeof(struct armvmm_vcpu_stat) + sizeof(struct hyp_stat))

/* The place of the counter whose descriptor has @offset. */
u64 *armvmm_stat_vm_counter(struct armvmm_vm *vm, u32 offset);
u64 *armvmm_stat_vcpu_counter(struct armvmm_vcpu *vcpu, u32 offset);
/* Copies all counters; @data has room for ARMVMM_STAT_*_SIZE bytes. */
void armvmm_stat_vm_copy(struct armvmm_vm *vm, void *data);
void armvmm_stat_vcpu_copy(struct armvmm_vcpu *vcpu, void *data);

/*
 * KVM_GET_STATS_FD: a new fd, or -errno. It holds the VM, so that it may outlive all other fds.
 * May sleep.
 */
int armvmm_stat_vm_fd(struct armvmm_vm *vm);
int armvmm_stat_vcpu_fd(struct armvmm_vcpu *vcpu);

/*
 * debugfs: /sys/kernel/debug/armvmm with a file of each total, a folder for each VM, named by its
 * creator's pid and @fd, and in it a folder for each vCPU. Where debugfs refuses, the VM goes
 * without. May sleep.
 */
void armvmm_stat_init(void);
void armvmm_stat_exit(void);
void armvmm_stat_vm_add(struct armvmm_vm *vm, int fd);
void armvmm_stat_vcpu_add(struct armvmm_vcpu *vcpu);
/* To be called before the VM's vCPUs are freed: nobody reads their counters after it. */
void armvmm_stat_vm_del(struct armvmm_vm *vm);

#endif
