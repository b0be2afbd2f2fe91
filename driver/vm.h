/* SPDX-License-Identifier: GPL-2.0-only */
/* A virtual machine: what stands behind the fd of KVM_CREATE_VM. */
#ifndef ARMVMM_VM_H
#define ARMVMM_VM_H

#include <linux/mm_types.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/srcu.h>

#include <linux/armvmm.h>

#include "iobus.h"
#include "memslot.h"
#include "stage2.h"
#include "stat.h"
#include "vgic/vgic.h"

#define ARMVMM_MAX_VCPUS	8	/* IHI 0048B: CPU targets are a byte */

struct armvmm_vcpu;

/*
 * Lock order: vcpu->mutex > vm->lock > vm->slots_lock > mmap_lock > stage2.lock;
 * who holds vm->lock may only try a vCPU's mutex (armvmm_vm_trylock_vcpus). vgic
 * and timer locks are innermost (see vgic/vgic.h). vm->srcu protects memslots and
 * iobus for readers.
 */
struct armvmm_vm {
	refcount_t users;	/* the VM's fd, its vCPUs' and devices' fds, irqfds */
	struct mm_struct *mm;	/* of the creator; ioctls from another mm are -EIO */
	struct mutex lock;	/* vCPU creation, devices, what is set up before RUN */
	struct mutex slots_lock;	/* changes of memslots and of the iobus */
	struct srcu_struct srcu;

	struct armvmm_memslots __rcu *memslots;
	struct mmu_notifier mmu_notifier;
	struct stage2 stage2;

	struct armvmm_vcpu *vcpus[ARMVMM_MAX_VCPUS];	/* by creation order */
	int created_vcpus;	/* under lock */
	int online_vcpus;	/* release/acquire: vcpus[0..n-1] may be used */

	u64 cntvoff;		/* counter ticks: CNTVCT = CNTPCT - cntvoff */
	spinlock_t cntvoff_lock;

	struct armvmm_iobus mmio_bus;
	struct armvmm_coalesced *coalesced;
	struct armvmm_eventfds *eventfds;
	struct armvmm_vgic vgic;
	struct armvmm_vm_stat stat;
	struct armvmm_stat_vm stats;	/* where they are shown */

	bool manual_dirty_log_protect;	/* KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 is enabled */
	bool return_nisv_to_user;	/* KVM_CAP_ARM_NISV_TO_USER is enabled */
};

/* A new VM of the caller, with one reference, or an ERR_PTR(). May sleep. */
struct armvmm_vm *armvmm_vm_alloc(void);
/* Takes or drops a reference; the last one frees the VM. May sleep. */
void armvmm_vm_get(struct armvmm_vm *vm);
void armvmm_vm_put(struct armvmm_vm *vm);

#endif
