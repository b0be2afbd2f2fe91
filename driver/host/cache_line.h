/* SPDX-License-Identifier: GPL-2.0-only */
/* Cache line arithmetic: pure, so that the unit tests run it on the build machine. */
#ifndef ARMVMM_CACHE_LINE_H
#define ARMVMM_CACHE_LINE_H

#include <linux/compiler.h>
#include <linux/types.h>

#include "arch/archregs.h"

/* Log2 of the bytes of the smallest line, from a MinLine field. */
static inline unsigned int cache_line_shift(unsigned int minline)
{
	return minline + 2;
}

/*
 * An operation by address reaches the caches of all CPUs, whose lines and policies need not be
 * those of the CPU that it is done on (A15 and A7 in one host): the smallest lines count, and an
 * instruction cache that is not PIPT anywhere (DDI 0406C B3.11.2, B4.1.42).
 */
struct cache_geometry {
	bool known;
	bool icache_pipt;	/* of every CPU */
	u32 iminline;
	u32 dminline;
};

static inline void cache_geometry_add(struct cache_geometry *g, u32 ctr)
{
	bool pipt = CTR_L1IP(ctr) == CTR_L1IP_PIPT;

	if (!g->known || CTR_IMINLINE(ctr) < g->iminline)
		WRITE_ONCE(g->iminline, CTR_IMINLINE(ctr));
	if (!g->known || CTR_DMINLINE(ctr) < g->dminline)
		WRITE_ONCE(g->dminline, CTR_DMINLINE(ctr));
	WRITE_ONCE(g->icache_pipt, pipt && (!g->known || g->icache_pipt));
	g->known = true;
}

/* Lines that [addr, addr + size) touches. */
static inline unsigned long cache_line_count(unsigned long addr, unsigned long size,
					     unsigned int shift)
{
	if (!size)
		return 0;
	return ((addr + size - 1) >> shift) - (addr >> shift) + 1;
}

/*
 * Sets @a to an address in each line that [addr, addr + size) touches, the first and the last
 * even where only a byte of them is in it. Counts lines in @n, so that a range that ends with
 * the address space ends the loop too.
 */
#define cache_for_each_line(a, n, addr, size, shift)				\
	for ((a) = (addr) >> (shift) << (shift),				\
	     (n) = cache_line_count(addr, size, shift);				\
	     (n); (n)--, (a) += 1ul << (shift))

#endif
