/* SPDX-License-Identifier: GPL-2.0-only */
/* The operations that host/cache.c does (DDI 0406C B4.2.1). unit/test_cache has others. */
#ifndef ARMVMM_CACHE_OPS_H
#define ARMVMM_CACHE_OPS_H

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

#endif
