/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest RAM: guest physical ranges, and the client's memory behind each. */
#ifndef ARMVMM_MEMSLOT_H
#define ARMVMM_MEMSLOT_H

#include <linux/mm.h>

#include <linux/armvmm.h>

#include "core/state.h"
#include "mem/memslot_check.h"

struct armvmm_vm;

/* Before the stage-2's and after its end: the notifiers walk the slots. */
int armvmm_memslot_vm_init(struct armvmm_vm *vm);
void armvmm_memslot_vm_destroy(struct armvmm_vm *vm);
/* KVM_SET_USER_MEMORY_REGION, with KVM's checks and errno. Takes slots_lock. */
int armvmm_memslot_set(struct armvmm_vm *vm, const struct kvm_userspace_memory_region *mem);
/* ARMVMM_UNPIN: -EINVAL, -ENOENT. */
int armvmm_memslot_unpin(struct armvmm_vm *vm, const struct armvmm_range *range);
/* Slot of a guest frame, or NULL. Caller holds vm->srcu or slots_lock. */
struct armvmm_memslot *armvmm_memslot_find(struct armvmm_vm *vm, u64 gfn);
/* All slots, for a walk. Caller holds vm->srcu or slots_lock. */
struct armvmm_memslots *armvmm_memslot_all(struct armvmm_vm *vm);

static inline unsigned long armvmm_memslot_hva(const struct armvmm_memslot *slot, u64 gfn)
{
	return slot->userspace_addr + (unsigned long)((gfn - slot->base_gfn) << PAGE_SHIFT);
}

static inline bool armvmm_memslot_is_logging(const struct armvmm_memslot *slot)
{
	return slot->dirty_bitmap;
}

/* dirty.c */

/* Bytes of a slot's dirty bitmap: whole longs, as KVM_GET_DIRTY_LOG copies it. */
static inline size_t armvmm_dirty_bytes(unsigned long npages)
{
	return BITS_TO_LONGS(npages) * sizeof(long);
}

/* Notes a write to a guest frame of @slot. Caller holds vm->srcu and stage2.lock. */
void armvmm_dirty_mark(struct armvmm_vm *vm, struct armvmm_memslot *slot, u64 gfn);
/*
 * KVM_GET_DIRTY_LOG: hands out the bitmap and, unless the VM's client does that itself, clears it
 * and protects the pages again. -EINVAL: no such slot number; -ENOENT: no slot there, or its
 * writes are not logged; -EFAULT, -ENOMEM. May sleep, takes slots_lock.
 */
int armvmm_dirty_get_log(struct armvmm_vm *vm, const struct kvm_dirty_log *log);
/*
 * KVM_CLEAR_DIRTY_LOG: clears the bits that the client names and protects their pages again.
 * Errors as above; -EINVAL also for pages out of the slot, and where first_page, or num_pages
 * short of the slot's end, is no multiple of 64.
 */
int armvmm_dirty_clear_log(struct armvmm_vm *vm, const struct kvm_clear_dirty_log *log);

#endif
