/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which slots a range of host addresses backs: the slots by host address, in an array that is read
 * as a tree. The middle of each part is above the two halves beside it, and knows the furthest end
 * in the part. Slots may share host memory, so that ranges may overlap. Pure, for the unit tests.
 */
#ifndef ARMVMM_MEMSLOT_HVA_H
#define ARMVMM_MEMSLOT_HVA_H

#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/types.h>

#include "core/state.h"

/* A slot may end where addresses do: its last byte, not its end. */
static inline unsigned long memslot_hva_last(const struct armvmm_memslot *slot)
{
	return slot->userspace_addr + (slot->npages << PAGE_SHIFT) - 1;
}

/* The tops of the parts of [low, high); returns the furthest end in it. */
static inline unsigned long memslot_hva_tops(struct armvmm_memslots *slots, int low, int high)
{
	int mid = (low + high) / 2;
	struct armvmm_memslot_hva *top = &slots->by_hva[mid];
	unsigned long last, left, right;

	if (low == high)
		return 0;
	last = memslot_hva_last(&slots->slots[top->slot]);
	left = memslot_hva_tops(slots, low, mid);
	right = memslot_hva_tops(slots, mid + 1, high);
	last = max(last, left);
	top->max_last = max(last, right);
	return top->max_last;
}

/*
 * Fills @slots->by_hva from that of @old, whose slots those of @slots are but for the one at
 * @removed there and the one at @added here (-1: none).
 */
static inline void memslot_hva_build(struct armvmm_memslots *slots,
				     const struct armvmm_memslots *old, int removed, int added)
{
	int i, n = 0, at;

	for (i = 0; i < old->nr; i++) {
		at = old->by_hva[i].slot;
		if (at == removed)
			continue;
		at -= removed >= 0 && at > removed;
		at += added >= 0 && at >= added;
		slots->by_hva[n++].slot = at;
	}
	if (added >= 0) {
		for (i = n++; i > 0; i--) {
			at = slots->by_hva[i - 1].slot;
			if (slots->slots[at].userspace_addr <= slots->slots[added].userspace_addr)
				break;
			slots->by_hva[i].slot = at;
		}
		slots->by_hva[i].slot = added;
	}
	memslot_hva_tops(slots, 0, n);
}

typedef void (*memslot_hva_fn_t)(const struct armvmm_memslot *slot, void *arg);

/* Calls @fn for each slot that host addresses [first, last] back, within the part [low, high). */
static inline void memslot_hva_visit(const struct armvmm_memslots *slots, int low, int high,
				     unsigned long first, unsigned long last, memslot_hva_fn_t fn,
				     void *arg)
{
	const struct armvmm_memslot *slot;
	int mid;

	for (; low < high; low = mid + 1) {
		mid = (low + high) / 2;
		if (slots->by_hva[mid].max_last < first)
			return;
		memslot_hva_visit(slots, low, mid, first, last, fn, arg);
		slot = &slots->slots[slots->by_hva[mid].slot];
		/* Those behind it begin further on still. */
		if (slot->userspace_addr > last)
			return;
		if (memslot_hva_last(slot) >= first)
			fn(slot, arg);
	}
}

static inline void memslot_hva_for_each(const struct armvmm_memslots *slots, unsigned long first,
					unsigned long last, memslot_hva_fn_t fn, void *arg)
{
	memslot_hva_visit(slots, 0, slots->nr, first, last, fn, arg);
}

#endif
