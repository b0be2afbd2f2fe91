/* SPDX-License-Identifier: GPL-2.0-only */
/* What KVM_SET_USER_MEMORY_REGION accepts: pure, so that the unit tests run it. */
#ifndef ARMVMM_MEMSLOT_CHECK_H
#define ARMVMM_MEMSLOT_CHECK_H

#include <linux/errno.h>
#include <linux/kvm.h>
#include <linux/types.h>

#include "mem/stage2_index.h"

#define ARMVMM_NR_MEMSLOTS	512	/* KVM/arm: 32 to 512 by release */
/*
 * Of all slots of a VM, which bounds its tables: 20 MiB. A client of 32 bits has less memory than
 * that, but may show some of it at several places.
 */
#define ARMVMM_MEMSLOT_PAGES	(8ULL << (30 - STAGE2_PAGE_SHIFT))

enum memslot_change {
	MEMSLOT_NONE,		/* the slot is so already */
	MEMSLOT_CREATE,
	MEMSLOT_DELETE,
	MEMSLOT_MOVE,		/* same memory, other guest address */
	MEMSLOT_FLAGS,		/* dirty logging goes on or off */
};

/* An existing slot as the check sees it; @npages is 0 where there is none. */
struct memslot_range {
	u64 base_gfn;
	unsigned long npages;
	unsigned long userspace_addr;
	u32 flags;
};

static inline bool memslot_overlaps(u64 a, u64 a_pages, u64 b, u64 b_pages)
{
	return a < b + b_pages && b < a + a_pages;
}

/*
 * Checks of the request by itself, in KVM's order. -EINVAL: a flag that does not exist; a slot
 * number out of range (bits 16-31 would be an address space: there is one); a size or an address
 * that is no multiple of a page; a guest range that wraps; more pages than a slot may have, or
 * than an address of the client can reach.
 */
static inline int memslot_check_request(const struct kvm_userspace_memory_region *mem)
{
	if (mem->flags & ~(KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY))
		return -EINVAL;
	if (mem->slot >= ARMVMM_NR_MEMSLOTS)
		return -EINVAL;
	if (mem->memory_size & (STAGE2_PAGE_SIZE - 1))
		return -EINVAL;
	if (mem->guest_phys_addr & (STAGE2_PAGE_SIZE - 1))
		return -EINVAL;
	if (mem->userspace_addr & (STAGE2_PAGE_SIZE - 1))
		return -EINVAL;
	/* The host's addresses have 32 bits: neither the start nor the end may be past them. */
	if (mem->userspace_addr > 0xffffffffULL || mem->memory_size > 0xffffffffULL ||
	    mem->userspace_addr + mem->memory_size > 0x100000000ULL)
		return -EINVAL;
	if (mem->guest_phys_addr + mem->memory_size < mem->guest_phys_addr)
		return -EINVAL;
	return 0;
}

/*
 * What the request means for a slot that now is @old: an enum memslot_change, or -EINVAL where
 * it changes size, memory or readonly-ness of an existing slot, or deletes one that is not.
 */
static inline int memslot_check_change(const struct kvm_userspace_memory_region *mem,
				       const struct memslot_range *old)
{
	u64 npages = mem->memory_size >> STAGE2_PAGE_SHIFT;

	if (!npages)
		return old->npages ? MEMSLOT_DELETE : -EINVAL;
	if (!old->npages)
		return MEMSLOT_CREATE;
	if (mem->userspace_addr != old->userspace_addr || npages != old->npages ||
	    ((mem->flags ^ old->flags) & KVM_MEM_READONLY))
		return -EINVAL;
	if (mem->guest_phys_addr >> STAGE2_PAGE_SHIFT != old->base_gfn)
		return MEMSLOT_MOVE;
	return mem->flags != old->flags ? MEMSLOT_FLAGS : MEMSLOT_NONE;
}

/* -EFAULT for a range that does not end below the end of the IPA space, as Linux 5.4 had it. */
static inline int memslot_check_ipa(const struct kvm_userspace_memory_region *mem)
{
	return mem->guest_phys_addr + mem->memory_size >= STAGE2_IPA_SIZE ? -EFAULT : 0;
}

#endif
