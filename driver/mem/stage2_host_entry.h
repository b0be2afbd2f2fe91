/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What one entry of the client's page table means, and what the CPU says when it translates by it:
 * pure, so that the unit tests run it.
 */
#ifndef ARMVMM_STAGE2_HOST_ENTRY_H
#define ARMVMM_STAGE2_HOST_ENTRY_H

#include <linux/pgtable.h>
#include <linux/types.h>

#include "arch/archregs.h"
#include "arch/lpae.h"
#include "mem/stage2_host.h"
#include "mem/stage2_index.h"

/*
 * STAGE2_ATTR_* for the memory type of a Linux entry (DDI 0406C B3.8.4). Stage 2 and the guest's
 * stage 1 combine to the stricter of the two: what the host has as a device is never cached for a
 * guest. A type that Linux gives to no user page is Strongly-ordered.
 */
static inline u64 stage2_host_attr(pteval_t v)
{
	v &= L_PTE_MT_MASK;
	if (v == L_PTE_MT_WRITEALLOC || v == L_PTE_MT_WRITEBACK || v == L_PTE_MT_WRITETHROUGH ||
	    v == L_PTE_MT_DEV_CACHED)
		return LPAE_S2_ATTR_WB;
	if (v == L_PTE_MT_BUFFERABLE || v == L_PTE_MT_DEV_WC)
		return LPAE_S2_ATTR_NC;
	if (v == L_PTE_MT_DEV_SHARED || v == L_PTE_MT_DEV_NONSHARED)
		return LPAE_S2_ATTR_DEVICE;
	return LPAE_S2_ATTR_SO;
}

/*
 * Reads a page entry, or with LPAE a 2 MiB one, whose bits are in the same places. False where a
 * fault has to make something of it first: for a reader, or with @write for a writer.
 */
static inline bool stage2_host_read_entry(pteval_t v, bool write, struct stage2_host_page *page)
{
	const pteval_t need = L_PTE_VALID | L_PTE_USER | L_PTE_YOUNG;

	if ((v & need) != need || (v & L_PTE_NONE))
		return false;
	page->writable = !(v & L_PTE_RDONLY) && (v & L_PTE_DIRTY);
	page->attr = stage2_host_attr(v);
	return page->writable || !write;
}

/* What the CPU says of a page. */
enum host_answer {
	HOST_UNKNOWN,
	HOST_FOUND,
	HOST_FAULTS,	/* the client would not reach it either, without a fault */
};

/*
 * Reads PAR, in the short-descriptor format, as translations for a user's write (@cuw) and, where
 * that faults, for a user's read (@cur) leave it. Not every CPU reports attributes: @cached is what
 * this one reports of cached memory. Supersections map no user memory.
 */
static inline enum host_answer stage2_host_read_par(u32 cuw, u32 cur, bool write, u32 cached,
						    struct stage2_host_page *page)
{
	bool writable = !(cuw & PAR_F);
	u32 par = writable || write ? cuw : cur;

	if (par & PAR_F)
		return HOST_FAULTS;
	if (par & PAR_SHORT_SS || (par ^ cached) & PAR_SHORT_ATTR)
		return HOST_UNKNOWN;
	page->pfn = par >> PAGE_SHIFT;
	page->writable = writable;
	page->huge = false;
	page->attr = LPAE_S2_ATTR_WB;
	return HOST_FOUND;
}

#endif
