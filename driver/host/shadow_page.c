// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages and their copies in the shadow build. A page is not held: its copy is known for as long as
 * a stage-2 entry maps the copy, or until the maintenance after the last one is done, which is as
 * long as the notifiers leave the page to the guest. A fault that is about to map a copy may find
 * the page gone; so what a flush finds then is only ever read from the page (copy and base agree).
 */
#include <linux/cache.h>
#include <linux/gfp.h>
#include <linux/hashtable.h>
#include <linux/highmem.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "host/shadow_merge.h"
#include "host/shadow_page.h"

/* What memory holds before anything was cleaned to it. */
#define SHADOW_STALE	0xa5

struct shadow_page {
	struct hlist_node by_host;
	struct hlist_node by_copy;
	struct list_head unmapped;	/* waits for its maintenance */
	const void *owner;
	unsigned long pfn;
	void *copy;
	void *base;		/* what both had after the last flush */
	unsigned int leaves;	/* stage-2 entries */
	unsigned int holds;	/* faults */
};

static DEFINE_HASHTABLE(shadow_by_host, 12);
static DEFINE_HASHTABLE(shadow_by_copy, 12);
static LIST_HEAD(shadow_unmapped);
/* All of the above, and the contents of copies. */
static DEFINE_SPINLOCK(shadow_lock);

static unsigned long shadow_copy_pfn(const struct shadow_page *page)
{
	return page_to_pfn(virt_to_page(page->copy));
}

static struct shadow_page *shadow_find(const void *owner, unsigned long pfn)
{
	struct shadow_page *page;

	lockdep_assert_held(&shadow_lock);
	hash_for_each_possible(shadow_by_host, page, by_host, pfn)
		if (page->pfn == pfn && page->owner == owner)
			return page;
	return NULL;
}

static struct shadow_page *shadow_find_copy(unsigned long copy)
{
	struct shadow_page *page;

	lockdep_assert_held(&shadow_lock);
	hash_for_each_possible(shadow_by_copy, page, by_copy, copy)
		if (shadow_copy_pfn(page) == copy)
			return page;
	return NULL;
}

static void shadow_free(struct shadow_page *page)
{
	free_page((unsigned long)page->copy);
	free_page((unsigned long)page->base);
	kfree(page);
}

static struct shadow_page *shadow_alloc(const void *owner, unsigned long pfn)
{
	struct shadow_page *page = kzalloc(sizeof(*page), GFP_KERNEL_ACCOUNT);

	if (!page)
		return NULL;
	page->owner = owner;
	page->pfn = pfn;
	INIT_LIST_HEAD(&page->unmapped);
	page->copy = (void *)__get_free_page(GFP_KERNEL_ACCOUNT);
	page->base = (void *)__get_free_page(GFP_KERNEL_ACCOUNT);
	if (!page->copy || !page->base) {
		shadow_free(page);
		return NULL;
	}
	memset(page->copy, SHADOW_STALE, PAGE_SIZE);
	memset(page->base, SHADOW_STALE, PAGE_SIZE);
	return page;
}

/* Frees @page, which is no longer of use to anybody. */
static void shadow_drop(struct shadow_page *page)
{
	lockdep_assert_held(&shadow_lock);
	if (page->leaves || page->holds || !list_empty(&page->unmapped))
		return;
	hash_del(&page->by_host);
	hash_del(&page->by_copy);
	shadow_free(page);
}

struct shadow_page *armvmm_shadow_page_hold(const void *owner, unsigned long pfn)
{
	struct shadow_page *new = NULL, *page;

	for (;;) {
		spin_lock(&shadow_lock);
		page = shadow_find(owner, pfn);
		if (!page && new) {
			hash_add(shadow_by_host, &new->by_host, pfn);
			hash_add(shadow_by_copy, &new->by_copy, shadow_copy_pfn(new));
			page = new;
			new = NULL;
		}
		if (page)
			page->holds++;
		spin_unlock(&shadow_lock);
		if (page)
			break;
		new = shadow_alloc(owner, pfn);
		if (!new)
			return NULL;
	}
	if (new)
		shadow_free(new);
	return page;
}

void armvmm_shadow_page_release(struct shadow_page *page)
{
	if (!page)
		return;
	spin_lock(&shadow_lock);
	page->holds--;
	shadow_drop(page);
	spin_unlock(&shadow_lock);
}

unsigned long armvmm_shadow_page_copy(const void *owner, unsigned long pfn)
{
	struct shadow_page *page;
	unsigned long copy;

	spin_lock(&shadow_lock);
	page = shadow_find(owner, pfn);
	copy = page ? shadow_copy_pfn(page) : 0;
	spin_unlock(&shadow_lock);
	return copy;
}

unsigned long armvmm_shadow_page_host(unsigned long copy)
{
	struct shadow_page *page;
	unsigned long pfn;

	spin_lock(&shadow_lock);
	page = shadow_find_copy(copy);
	pfn = page ? page->pfn : 0;
	spin_unlock(&shadow_lock);
	return pfn;
}

void armvmm_shadow_page_map(unsigned long copy)
{
	struct shadow_page *page;

	spin_lock(&shadow_lock);
	page = shadow_find_copy(copy);
	if (page)
		page->leaves++;
	spin_unlock(&shadow_lock);
}

void armvmm_shadow_page_unmap(unsigned long copy)
{
	struct shadow_page *page;

	spin_lock(&shadow_lock);
	page = shadow_find_copy(copy);
	if (page && !--page->leaves && list_empty(&page->unmapped))
		list_add(&page->unmapped, &shadow_unmapped);
	spin_unlock(&shadow_lock);
}

void armvmm_shadow_page_reap(const void *owner)
{
	struct shadow_page *page, *next;

	spin_lock(&shadow_lock);
	list_for_each_entry_safe(page, next, &shadow_unmapped, unmapped) {
		if (page->owner != owner)
			continue;
		list_del_init(&page->unmapped);
		/* A guest's write that no flush has brought to the page is lost. */
		if (!page->leaves)
			memcpy(page->base, page->copy, PAGE_SIZE);
		shadow_drop(page);
	}
	spin_unlock(&shadow_lock);
}

static void shadow_flush(struct shadow_page *page, size_t first, size_t len)
{
	void *host = kmap_local_page(pfn_to_page(page->pfn));

	lockdep_assert_held(&shadow_lock);
	shadow_merge(host + first, page->copy + first, page->base + first, len);
	kunmap_local(host);
}

void armvmm_shadow_page_flush(unsigned long pfn, size_t offset, size_t len)
{
	size_t first = ALIGN_DOWN(offset, L1_CACHE_BYTES);
	struct shadow_page *page;

	len = ALIGN(offset + len, L1_CACHE_BYTES) - first;
	spin_lock(&shadow_lock);
	page = shadow_find_copy(pfn);
	if (page)
		shadow_flush(page, first, len);
	hash_for_each_possible(shadow_by_host, page, by_host, pfn)
		if (page->pfn == pfn)
			shadow_flush(page, first, len);
	spin_unlock(&shadow_lock);
}

void armvmm_shadow_page_flush_pfn(unsigned long pfn)
{
	armvmm_shadow_page_flush(pfn, 0, PAGE_SIZE);
}
