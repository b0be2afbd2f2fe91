/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shadow build (Kbuild, docs/coherency.md): a page of the host's stands for what its caches
 * show, and a copy of the page for the memory behind them, which a guest with its caches off
 * accesses. The driver's flushes alone move contents between the two: armvmm_cache_flush_pfn(), and
 * armvmm_cache_flush() in mem/guest_ram.c. Other builds have none of it.
 */
#ifndef ARMVMM_SHADOW_PAGE_H
#define ARMVMM_SHADOW_PAGE_H

#include <linux/types.h>

#ifdef ARMVMM_SHADOW

struct shadow_page;

/*
 * The copy of page @pfn for the VM @owner: made if there is none, and kept until it is released and
 * nothing maps it. What a new copy holds is nobody's data. NULL: no memory. May sleep.
 */
struct shadow_page *armvmm_shadow_page_hold(const void *owner, unsigned long pfn);
void armvmm_shadow_page_release(struct shadow_page *page);

/* From page to copy and back. 0: there is none. Any context but interrupts, as all that follow. */
unsigned long armvmm_shadow_page_copy(const void *owner, unsigned long pfn);
unsigned long armvmm_shadow_page_host(unsigned long copy);

/* One stage-2 entry more, or less, maps that copy. */
void armvmm_shadow_page_map(unsigned long copy);
void armvmm_shadow_page_unmap(unsigned long copy);
/* After the maintenance that followed the last unmap: frees what nothing maps or holds. */
void armvmm_shadow_page_reap(const void *owner);

/* Page @pfn, or the copy @pfn, is cleaned and invalidated: whole, or the lines of some bytes. */
void armvmm_shadow_page_flush_pfn(unsigned long pfn);
void armvmm_shadow_page_flush(unsigned long pfn, size_t offset, size_t len);

#else

static inline void armvmm_shadow_page_flush_pfn(unsigned long pfn)
{
}

static inline void armvmm_shadow_page_flush(unsigned long pfn, size_t offset, size_t len)
{
}

#endif
#endif
