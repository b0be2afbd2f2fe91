/* SPDX-License-Identifier: GPL-2.0-only */
/* The operations that host/cache.c does (DDI 0406C B4.2.1). unit/test_cache has others. */
#ifndef ARMVMM_CACHE_OPS_H
#define ARMVMM_CACHE_OPS_H

#include <linux/types.h>

#define cache_op(args, val)	asm volatile("mcr p15, " args : : "r" (val) : "memory")

#define cache_dccimvac(a)	cache_op("0, %0, c7, c14, 1", a)
#define cache_icimvau(a)	cache_op("0, %0, c7, c5, 1", a)
#define cache_icialluis()	cache_op("0, %0, c7, c1, 0", 0)
#define cache_bpiallis()	cache_op("0, %0, c7, c1, 6", 0)

/* Eight lines of @line bytes; @a then is behind them. */
#define CACHE_DCCIMVAC	"mcr p15, 0, %0, c7, c14, 1\n\tadd %0, %0, %1\n\t"
#define cache_dccimvac8(a, line)						\
	asm volatile(CACHE_DCCIMVAC CACHE_DCCIMVAC CACHE_DCCIMVAC CACHE_DCCIMVAC	\
		     CACHE_DCCIMVAC CACHE_DCCIMVAC CACHE_DCCIMVAC CACHE_DCCIMVAC	\
		     : "+r" (a) : "r" (line) : "memory")

/* The same with an address of user space's: where nothing is mapped, %1 becomes 0. */
#define CACHE_DCCIMVAC_USER							\
	"1:\tmcr p15, 0, %0, c7, c14, 1\n\tadd %0, %0, %2\n\t"			\
	".pushsection __ex_table, \"a\"\n\t"					\
	".align 3\n\t"								\
	".long 1b, 3f\n\t"							\
	".popsection\n\t"
#define CACHE_DCCIMVAC_USER4							\
	CACHE_DCCIMVAC_USER CACHE_DCCIMVAC_USER CACHE_DCCIMVAC_USER CACHE_DCCIMVAC_USER

/*
 * @n times 16 lines of @line bytes, by addresses of user space's, which the caller may use and
 * whose faults are not handled. Returns false where nothing was mapped.
 */
static inline bool cache_dccimvac_user(unsigned long a, int n, unsigned long line)
{
	do {
		asm volatile(CACHE_DCCIMVAC_USER4 CACHE_DCCIMVAC_USER4
			     CACHE_DCCIMVAC_USER4 CACHE_DCCIMVAC_USER4
			     "2:\n\t"
			     ".pushsection .text.fixup, \"ax\"\n\t"
			     ".align 2\n"
			     "3:\tmov %1, #0\n\t"
			     "b 2b\n\t"
			     ".popsection"
			     : "+r" (a), "+r" (n) : "r" (line) : "memory");
	} while (--n > 0);
	return !n;
}

#endif
