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

/* Takes or drops a reference; the last one frees the VM. May sleep. */
void armvmm_vm_get(struct armvmm_vm *vm);
void armvmm_vm_put(struct armvmm_vm *vm);

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

/* Sets a request on all vCPUs but @except (may be NULL) and kicks them out of the guest. */
void armvmm_vm_request_all(struct armvmm_vm *vm, unsigned int request, struct armvmm_vcpu *except);

int armvmm_vm_create(unsigned long type);
long armvmm_vm_check_extension(struct armvmm_vm *vm, long cap);

#endif
