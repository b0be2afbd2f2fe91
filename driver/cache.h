/* SPDX-License-Identifier: GPL-2.0-only */
/* Cache maintenance that the architecture asks of a hypervisor (DDI 0406C B2.2.6, B3.12). */
#ifndef ARMVMM_CACHE_H
#define ARMVMM_CACHE_H

#include <linux/mm_types.h>
#include <linux/types.h>

/* Cleans and invalidates [addr, addr + size) of kernel memory to the PoC, with DSB. */
void armvmm_cache_flush(const void *addr, size_t size);
/* Makes host page(s) coherent for a guest: to the PoC; and I-caches where executable. */
void armvmm_cache_flush_pfn(unsigned long pfn, size_t size);
void armvmm_cache_invalidate_icache_pfn(unsigned long pfn, size_t size);

#endif
