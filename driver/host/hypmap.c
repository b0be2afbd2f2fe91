// SPDX-License-Identifier: GPL-2.0-only
/*
 * The HYP address space: a stage-1 LPAE table (DDI 0406C B3.6) of three levels
 * and 4 KiB pages, the same for all CPUs. Kernel addresses keep their value in
 * HYP, so that pointers pass between the two worlds as they are.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "arch/lpae.h"
#include "compat/compat.h"
#include "host/hypcpu.h"
#include "host/hypmap.h"
#include "host/hypmap_desc.h"
#include "hyp/hyp.h"

#define L1_INDEX(va)		((va) >> LPAE_SHIFT(1))
#define L2_INDEX(va)		(((va) >> LPAE_SHIFT(2)) & (LPAE_TABLE_ENTRIES - 1))
#define L3_INDEX(va)		(((va) >> LPAE_SHIFT(3)) & (LPAE_TABLE_ENTRIES - 1))

static struct {
	struct mutex lock;	/* writers; the CPUs' walks need none */
	u64 *l1;		/* four entries in a page */
} hypmap = {
	.lock = __MUTEX_INITIALIZER(hypmap.lock),
};

/* In one piece, as the walks read it: STRD does that (DDI 0406C A3.5.3, LPAE). */
static void hypmap_desc_write(u64 *p, u64 desc)
{
	asm volatile("strd %1, %H1, %0" : "=Qo" (*p) : "r" (desc));
}

static u64 *hypmap_table_of(u64 desc)
{
	return phys_to_virt((phys_addr_t)(desc & LPAE_ADDR_MASK));
}

/* The table that entry @e points to, made where there is none and @make says so. */
static u64 *hypmap_table_get(u64 *e, bool make)
{
	u64 *table;

	if (*e & LPAE_VALID)
		return hypmap_table_of(*e);
	if (!make)
		return NULL;
	table = (u64 *)get_zeroed_page(GFP_KERNEL);
	if (!table)
		return NULL;
	/* A walk sees the table's zeroes before it sees the table. */
	dsb(ishst);
	hypmap_desc_write(e, (u64)virt_to_phys(table) | LPAE_TYPE_TABLE);
	return table;
}

static u64 *hypmap_entry_get(unsigned long va, bool make)
{
	u64 *table;

	lockdep_assert_held(&hypmap.lock);
	table = hypmap_table_get(&hypmap.l1[L1_INDEX(va)], make);
	if (table)
		table = hypmap_table_get(&table[L2_INDEX(va)], make);
	return table ? &table[L3_INDEX(va)] : NULL;
}

static phys_addr_t hypmap_kernel_phys(unsigned long va)
{
	if (virt_addr_valid((void *)va))
		return virt_to_phys((void *)va);
	return page_to_phys(vmalloc_to_page((void *)va));
}

static int hypmap_page_map(unsigned long va, phys_addr_t pa, u64 desc)
{
	u64 *e = hypmap_entry_get(va, true);

	if (!e)
		return -ENOMEM;
	if (*e & LPAE_VALID)
		return *e == (desc | pa) ? 0 : -EEXIST;
	hypmap_desc_write(e, desc | pa);
	return 0;
}

static void hypmap_range_unmap(unsigned long va, size_t size)
{
	unsigned long end = va + size;
	u64 *e;

	for (; va != end; va += PAGE_SIZE) {
		e = hypmap_entry_get(va, false);
		if (e)
			hypmap_desc_write(e, 0);
	}
	armvmm_hypcpu_tlbi_hyp();
}

static int hypmap_range_map(unsigned long va, phys_addr_t pa, size_t size, enum hypmap_prot prot,
			    bool linear)
{
	unsigned long start = va & PAGE_MASK;
	unsigned long end = PAGE_ALIGN(va + size);
	int ret = 0;

	mutex_lock(&hypmap.lock);
	for (va = start; va != end && !ret; va += PAGE_SIZE) {
		phys_addr_t page = linear ? (pa & PAGE_MASK) + (va - start) :
					    hypmap_kernel_phys(va);

		ret = hypmap_page_map(va, page, hypmap_prot_desc(prot));
	}
	/* New entries need no TLB maintenance, only to be seen by the walks. */
	dsb(ishst);
	if (ret)
		hypmap_range_unmap(start, va - PAGE_SIZE - start);
	mutex_unlock(&hypmap.lock);
	return ret;
}

int armvmm_hypmap_add(const void *addr, size_t size, enum hypmap_prot prot)
{
	return hypmap_range_map((unsigned long)addr, 0, size, prot, false);
}

int armvmm_hypmap_add_phys(unsigned long va, phys_addr_t pa, size_t size, enum hypmap_prot prot)
{
	return hypmap_range_map(va, pa, size, prot, true);
}

void armvmm_hypmap_remove(const void *addr, size_t size)
{
	unsigned long start = (unsigned long)addr & PAGE_MASK;

	mutex_lock(&hypmap.lock);
	hypmap_range_unmap(start, PAGE_ALIGN((unsigned long)addr + size) - start);
	mutex_unlock(&hypmap.lock);
}

/*
 * The identity page may stand at the kernel address of some lowmem page. That
 * one is of no use to HYP: it is held while another is looked for.
 */
void *armvmm_hypmap_alloc(size_t size)
{
	void *p, *clash = NULL;
	int ret;

	size = PAGE_ALIGN(size);
	p = alloc_pages_exact(size, GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!p)
		return NULL;
	ret = armvmm_hypmap_add(p, size, HYPMAP_DATA);
	if (ret == -EEXIST) {
		clash = p;
		p = alloc_pages_exact(size, GFP_KERNEL_ACCOUNT | __GFP_ZERO);
		ret = p ? armvmm_hypmap_add(p, size, HYPMAP_DATA) : 0;
		free_pages_exact(clash, size);
	}
	if (ret) {
		free_pages_exact(p, size);
		return NULL;
	}
	return p;
}

void armvmm_hypmap_free(void *p, size_t size)
{
	if (!p)
		return;
	size = PAGE_ALIGN(size);
	armvmm_hypmap_remove(p, size);
	free_pages_exact(p, size);
}

u64 armvmm_hypmap_httbr(void)
{
	return virt_to_phys(hypmap.l1);
}

int armvmm_hypmap_init(void)
{
	hypmap.l1 = (u64 *)get_zeroed_page(GFP_KERNEL);
	return hypmap.l1 ? 0 : -ENOMEM;
}

/* No CPU runs on the tables any more. */
void armvmm_hypmap_exit(void)
{
	unsigned int i, j;
	u64 *l2;

	for (i = 0; i < 4; i++) {
		if (!(hypmap.l1[i] & LPAE_VALID))
			continue;
		l2 = hypmap_table_of(hypmap.l1[i]);
		for (j = 0; j < LPAE_TABLE_ENTRIES; j++)
			if (l2[j] & LPAE_VALID)
				free_page((unsigned long)hypmap_table_of(l2[j]));
		free_page((unsigned long)l2);
	}
	free_page((unsigned long)hypmap.l1);
	hypmap.l1 = NULL;
}
