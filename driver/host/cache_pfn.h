/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages whose cache lines the kernel can maintain. */
#ifndef ARMVMM_CACHE_PFN_H
#define ARMVMM_CACHE_PFN_H

#include <linux/mm.h>

/*
 * May the kernel have an address of this page? Not if it has no struct page; nor if its memory is
 * kept from the kernel (no-map in the device tree): that has struct pages, which are reserved, but
 * is in no mapping. A guest's other pages are not reserved, but for the one of zeroes.
 */
static inline bool armvmm_cache_may_flush_pfn(unsigned long pfn)
{
	return pfn_valid(pfn) && (!PageReserved(pfn_to_page(pfn)) || is_zero_pfn(pfn));
}

#endif
