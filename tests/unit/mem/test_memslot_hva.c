// SPDX-License-Identifier: GPL-2.0-only
// cflags: -Itests/unit/fake -Iinclude/uapi -I. -Idriver
/* Slots by host address: finds each slot that a range backs, and looks at few others. */
#include <stdlib.h>
#include <string.h>

#include "fake/fake_kernel.h"
#include "ktap.h"

#include "mem/memslot_hva.h"

#define MAX	512

static u32 rnd_state = 1;

static u32 rnd(u32 below)
{
	rnd_state = rnd_state * 1664525 + 1013904223;
	return (rnd_state >> 8) % below;
}

static struct armvmm_memslots *alloc(int nr)
{
	struct armvmm_memslots *slots = calloc(1, sizeof(*slots) + nr * sizeof(slots->slots[0]));

	slots->by_hva = calloc(nr ? nr : 1, sizeof(slots->by_hva[0]));
	return slots;
}

static void put(struct armvmm_memslots *slots)
{
	free(slots->by_hva);
	free(slots);
}

/* As in memslot.c: without the slot at @removed, with *@add at @added. */
static struct armvmm_memslots *change(struct armvmm_memslots *old, int removed,
				      const struct armvmm_memslot *add, int added)
{
	struct armvmm_memslots *slots = alloc(old->nr + 1);
	int i;

	for (i = 0; i < old->nr; i++)
		if (i != removed)
			slots->slots[slots->nr++] = old->slots[i];
	if (add) {
		memmove(&slots->slots[added + 1], &slots->slots[added],
			(slots->nr - added) * sizeof(*add));
		slots->slots[added] = *add;
		slots->nr++;
	}
	memslot_hva_build(slots, old, removed, add ? added : -1);
	put(old);
	return slots;
}

static struct {
	unsigned int n;
	bool seen[MAX];
} found;

static void find(const struct armvmm_memslot *slot, void *arg)
{
	KTAP_TRUE(!found.seen[slot->id]);
	found.seen[slot->id] = true;
	found.n++;
}

static void check(const struct armvmm_memslots *slots, unsigned long first, unsigned long last)
{
	unsigned int n = 0;
	int i;

	memset(&found, 0, sizeof(found));
	memslot_hva_for_each(slots, first, last, find, NULL);
	for (i = 0; i < slots->nr; i++) {
		const struct armvmm_memslot *slot = &slots->slots[i];
		bool is = slot->userspace_addr <= last && memslot_hva_last(slot) >= first;

		n += is;
		if (is != found.seen[slot->id])
			KTAP_EQ(found.seen[slot->id], is);
	}
	KTAP_EQ(found.n, n);
}

/*
 * Slots come, go and move. Some overlap others, some lie inside others, one ends at the end of the
 * address space.
 */
static void test_random(void)
{
	struct armvmm_memslots *slots = alloc(0);
	unsigned int round, i, id = 0;

	for (round = 0; round < 600; round++) {
		struct armvmm_memslot new = {
			.userspace_addr = (unsigned long)rnd(1 << 14) << PAGE_SHIFT,
			.npages = 1 + (rnd(8) ? rnd(8) : rnd(1 << 10)),
			.id = id,
		};
		int removed = slots->nr && rnd(3) == 0 ? (int)rnd(slots->nr) : -1;
		bool add = slots->nr < 200 && rnd(8);

		if (round == 100)
			new.userspace_addr = -(new.npages << PAGE_SHIFT);
		if (removed >= 0)
			new.id = slots->slots[removed].id;
		else if (add)
			id++;
		if (id >= MAX)
			break;
		slots = change(slots, removed, add ? &new : NULL,
			       rnd(slots->nr + 1 - (removed >= 0)));
		for (i = 0; i < 20; i++) {
			unsigned long first = (unsigned long)rnd(1 << 14) << PAGE_SHIFT;
			unsigned long size = (unsigned long)(1 + rnd(i + 1)) << PAGE_SHIFT;

			check(slots, first, first + size - 1);
		}
		check(slots, 0, ~0ul);
		check(slots, ~0ul - PAGE_SIZE + 1, ~0ul);
	}
	put(slots);
}

KTAP_MAIN(KTAP_CASE(test_random))
