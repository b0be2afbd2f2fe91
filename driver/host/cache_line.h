/* SPDX-License-Identifier: GPL-2.0-only */
/* Cache line arithmetic: pure, so that the unit tests run it on the build machine. */
#ifndef ARMVMM_CACHE_LINE_H
#define ARMVMM_CACHE_LINE_H

#include <linux/types.h>

/* CTR fields (DDI 0406C B4.1.42): smallest lines as log2 of words; the I-cache's policy. */
#define CTR_IMINLINE(ctr)	((ctr) & 0xf)
#define CTR_DMINLINE(ctr)	(((ctr) >> 16) & 0xf)
#define CTR_L1IP(ctr)		(((ctr) >> 14) & 3)
#define CTR_L1IP_AIVIVT		1
#define CTR_L1IP_VIPT		2
#define CTR_L1IP_PIPT		3

/* Log2 of the bytes of the smallest line, from a MinLine field. */
static inline unsigned int cache_line_shift(unsigned int minline)
{
	return minline + 2;
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
