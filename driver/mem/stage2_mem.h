/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory that stage-2 tables are made of: apart from stage2.c, so that the unit test puts
 * memory that watches in its place.
 */
#ifndef ARMVMM_STAGE2_MEM_H
#define ARMVMM_STAGE2_MEM_H

#include <linux/gfp.h>
#include <linux/mm.h>
#include <asm/barrier.h>

#include "mem/stage2_index.h"

/* Descriptors change in one piece: LDRD and STRD do that (DDI 0406C A3.5.3, LPAE). */
static inline void stage2_write(u64 *p, u64 desc)
{
	asm volatile("strd %1, %H1, %0" : "=Qo" (*p) : "r" (desc));
}

/* What was written so far is what walks find (DDI 0406C B3.10.1). */
static inline void stage2_write_barrier(void)
{
	dsb(ishst);
}

static inline u64 *stage2_table(u64 desc)
{
	return phys_to_virt((phys_addr_t)stage2_addr(desc));
}

static inline u64 stage2_table_pa(const u64 *table)
{
	return virt_to_phys(table);
}

/*
 * A table counts its live entries beside itself, so that it can be freed with the last of them.
 * The first-level table is never freed and counts none.
 */
static inline void stage2_count(u64 *table, long n)
{
	struct page *page = virt_to_page(table);

	set_page_private(page, page_private(page) + n);
}

static inline bool stage2_is_empty(u64 *table)
{
	return !page_private(virt_to_page(table));
}

/* A zeroed table, charged to the caller's memory cgroup, or NULL. May sleep. */
static inline u64 *stage2_table_alloc(void)
{
	return (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
}

static inline void stage2_table_free(u64 *table)
{
	set_page_private(virt_to_page(table), 0);
	free_page((unsigned long)table);
}

#endif
