/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a stage-2 entry takes over from the client's page table, for both of its formats. PFN maps
 * of devices keep their own attributes.
 */
#ifndef TESTS_UNIT_STAGE2_HOST_CASES_H
#define TESTS_UNIT_STAGE2_HOST_CASES_H

#include "ktap.h"

#include "mem/stage2_host_entry.h"

/* A page that a process uses, of memory type @mt. */
static pteval_t user_page(pteval_t mt)
{
	return L_PTE_VALID | L_PTE_USER | L_PTE_YOUNG | L_PTE_DIRTY | mt;
}

/* MemAttr[3:0] of the entry that a guest gets for it (DDI 0406C B3.6.2). */
static unsigned int memattr(pteval_t mt)
{
	struct stage2_host_page page = { .attr = ~0ULL };

	KTAP_TRUE(stage2_host_read_entry(user_page(mt), true, &page));
	return (unsigned int)(stage2_leaf(0x09020000, 3, page.attr, true, false) >> 2) & 0xf;
}

#define STRONGLY_ORDERED	0x0
#define DEVICE			0x1
#define NON_CACHEABLE		0x5	/* Normal, outer and inner */
#define WRITE_BACK		0xf	/* Normal, outer and inner */

/* /dev/mem and VFIO map registers with pgprot_noncached(), others with pgprot_device(). */
static void test_device(void)
{
	KTAP_EQ(memattr(L_PTE_MT_UNCACHED), STRONGLY_ORDERED);
	KTAP_EQ(memattr(L_PTE_MT_DEV_SHARED), DEVICE);
	KTAP_EQ(memattr(L_PTE_MT_DEV_NONSHARED), DEVICE);
}

/* pgprot_writecombine(), pgprot_dmacoherent(): frame buffers, DMA buffers. */
static void test_uncached(void)
{
	KTAP_EQ(memattr(L_PTE_MT_BUFFERABLE), NON_CACHEABLE);
	KTAP_EQ(memattr(L_PTE_MT_DEV_WC), NON_CACHEABLE);
}

static void test_cached(void)
{
	KTAP_EQ(memattr(L_PTE_MT_WRITEALLOC), WRITE_BACK);
	KTAP_EQ(memattr(L_PTE_MT_WRITEBACK), WRITE_BACK);
	KTAP_EQ(memattr(L_PTE_MT_WRITETHROUGH), WRITE_BACK);
	KTAP_EQ(memattr(L_PTE_MT_DEV_CACHED), WRITE_BACK);
}

/* Types that Linux does not name, or gives to no page of a process. */
static void test_unknown(void)
{
	static const pteval_t known[] = {
		L_PTE_MT_UNCACHED, L_PTE_MT_BUFFERABLE, L_PTE_MT_WRITETHROUGH, L_PTE_MT_WRITEBACK,
		L_PTE_MT_WRITEALLOC, L_PTE_MT_DEV_SHARED, L_PTE_MT_DEV_NONSHARED, L_PTE_MT_DEV_WC,
		L_PTE_MT_DEV_CACHED,
	};
	unsigned int i, strange = 0;

	for (pteval_t mt = 0; mt <= L_PTE_MT_MASK; mt += L_PTE_MT_MASK & -L_PTE_MT_MASK) {
		for (i = 0; i < ARRAY_SIZE(known) && known[i] != mt; i++)
			;
		if (i < ARRAY_SIZE(known))
			continue;
		strange++;
		KTAP_EQ(memattr(mt), STRONGLY_ORDERED);
	}
	KTAP_TRUE(strange);
}

/* The entry makes only Normal memory shareable: other types are so by themselves (B3.8.3). */
static u64 shared_attr(pteval_t mt)
{
	u64 leaf = stage2_leaf(0, 3, stage2_host_attr(mt), true, false);

	return stage2_share(leaf, LPAE_SH_INNER) >> 8 & 3;
}

static void test_shareable(void)
{
	KTAP_EQ(shared_attr(L_PTE_MT_WRITEALLOC), 3);
	KTAP_EQ(shared_attr(L_PTE_MT_BUFFERABLE), 3);
	KTAP_EQ(shared_attr(L_PTE_MT_UNCACHED), 0);
	KTAP_EQ(shared_attr(L_PTE_MT_DEV_SHARED), 0);
}

/* What the client may not do now, its guest may not do either: a fault comes first. */
static void test_rights(void)
{
	const pteval_t v = user_page(L_PTE_MT_WRITEALLOC);
	struct stage2_host_page page = { };

	KTAP_TRUE(stage2_host_read_entry(v, true, &page) && page.writable);
	KTAP_TRUE(stage2_host_read_entry(v, false, &page) && page.writable);
	KTAP_TRUE(!stage2_host_read_entry(v | L_PTE_RDONLY, true, &page));
	KTAP_TRUE(stage2_host_read_entry(v | L_PTE_RDONLY, false, &page) && !page.writable);
	KTAP_TRUE(!stage2_host_read_entry(v & ~L_PTE_DIRTY, true, &page));
	KTAP_TRUE(stage2_host_read_entry(v & ~L_PTE_DIRTY, false, &page) && !page.writable);
	KTAP_TRUE(!stage2_host_read_entry(v & ~L_PTE_VALID, false, &page));
	KTAP_TRUE(!stage2_host_read_entry(v & ~L_PTE_USER, false, &page));
	KTAP_TRUE(!stage2_host_read_entry(v & ~L_PTE_YOUNG, false, &page));
	KTAP_TRUE(!stage2_host_read_entry(v | L_PTE_NONE, false, &page));
	KTAP_TRUE(!stage2_host_read_entry(0, false, &page));
}

#define STAGE2_HOST_CASES	\
	KTAP_CASE(test_device),	\
	KTAP_CASE(test_uncached),	\
	KTAP_CASE(test_cached),	\
	KTAP_CASE(test_unknown),	\
	KTAP_CASE(test_shareable),	\
	KTAP_CASE(test_rights)

#endif
