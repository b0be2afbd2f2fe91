/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The client's registers that the kernel answers for, which HYP mode and the host share: mirrors,
 * which answer reads (mmio/mirror.c), and zones, whose writes are posted (mmio/coalesced.c).
 * docs/distributor.md tells who writes what.
 */
#ifndef ARMVMM_HYP_MMIO_H
#define ARMVMM_HYP_MMIO_H

#include <linux/compiler.h>
#include <linux/seqlock.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/armvmm.h>

#include "arch/archregs.h"
#ifdef ARMVMM_HYP
#include "hyp/exclusive.h"
#else
#include <linux/nospec.h>
#endif

struct hyp_mirror {
	u64 addr;		/* a multiple of size */
	u32 value;
	u8 size;		/* 1, 2 or 4 */
	u8 hidden;		/* another answers in its page, so the host is to look */
};

struct hyp_mirrors {
	/* Bit n: HYP mode answers in a page whose number is n modulo 32. */
	u32 pages;
	u32 nr;
	seqcount_t seq;		/* changes of nr, and moves in the array */
	struct hyp_mirror at[ARMVMM_MAX_MIRRORS];	/* sorted; none overlaps another */
};

/* Zones that HYP mode knows, of those that a client has: a search takes five steps. */
#define HYP_MAX_ZONES	16

struct hyp_zone {
	u64 addr;
	u64 reach;		/* the furthest end of this one and of those before */
};

struct hyp_zones {
	u32 pages;		/* as of struct hyp_mirrors */
	u32 nr;			/* lock */
	raw_spinlock_t lock;	/* writers of the ring, and the zones here; tried in HYP mode */
	struct kvm_coalesced_mmio_ring *ring;	/* constant; the client's as much as ours */
	struct hyp_zone at[HYP_MAX_ZONES];	/* sorted, each within a page; lock */
};

/* The bit of hyp_mirrors.pages for an address, and for bits 39-12 of one as HPFAR has them. */
static __always_inline u32 hyp_mmio_page(u64 addr)
{
	return 1u << (addr >> 12) % 32;
}

static __always_inline u32 hyp_mmio_page_of_hpfar(u32 hpfar)
{
	return 1u << (hpfar >> (12 - HPFAR_FIPA_SHIFT)) % 32;
}

/* The number of mirrors that begin at @addr or before it. */
static __always_inline unsigned int hyp_mirrors_search(const struct hyp_mirrors *m, u64 addr)
{
	unsigned int low = 0, high = READ_ONCE(m->nr), mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (m->at[mid].addr <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* The mirror that has all of the access, or NULL; while the array changes, it may be any. */
static __always_inline const struct hyp_mirror *
hyp_mirrors_find(const struct hyp_mirrors *m, u64 addr, u32 len)
{
	unsigned int n = hyp_mirrors_search(m, addr);
	const struct hyp_mirror *at;
	u64 offset;
	u32 size;

	if (!n)
		return NULL;
	at = &m->at[n - 1];
	offset = addr - at->addr;
	size = at->size;
	return offset < size && len <= size - (u32)offset ? at : NULL;
}

/* What it has at @addr, from the low byte on: the register's first one, as in memory. */
static __always_inline u32 hyp_mirror_value(const struct hyp_mirror *at, u64 addr)
{
	return READ_ONCE(at->value) >> 8 * ((u32)addr - (u32)at->addr) % 32;
}

/* Is the write in a zone? The lock is held. */
static __always_inline bool hyp_zones_take(const struct hyp_zones *z, u64 addr, u32 len)
{
	unsigned int low = 0, high = z->nr, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (z->at[mid].addr <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low && z->at[low - 1].reach >= addr + len;
}

/*
 * Posts a write; @data in the byte order of memory, zero beyond @len. False: there is no room, or
 * the client's indices are none. The lock is held. One entry stays unused, so that a full ring is
 * not an empty one.
 */
static __always_inline bool hyp_zones_post(struct hyp_zones *z, u64 addr, u32 len, u64 data)
{
	struct kvm_coalesced_mmio_ring *ring = z->ring;
	u32 last = READ_ONCE(ring->last), next = last + 1;
	struct kvm_coalesced_mmio *entry;

	if (last >= KVM_COALESCED_MMIO_MAX)
		return false;
	if (next == KVM_COALESCED_MMIO_MAX)
		next = 0;
	if (next == READ_ONCE(ring->first))
		return false;
	/* The client has done with the entry before it moved first on. */
	smp_mb();
#ifdef ARMVMM_HYP
	entry = &ring->coalesced_mmio[hyp_index(last, KVM_COALESCED_MMIO_MAX)];
#else
	entry = &ring->coalesced_mmio[array_index_nospec(last, KVM_COALESCED_MMIO_MAX)];
#endif
	entry->phys_addr = addr;
	entry->len = len;
	entry->pio = 0;
	*(u64 *)entry->data = data;
	/* Pairs with the barrier of the client between last and the entry. */
	smp_mb();
	WRITE_ONCE(ring->last, next);
	return true;
}

#endif
