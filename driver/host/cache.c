// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cache maintenance by address. By-address operations of PL1 are broadcast to the inner shareable
 * domain and reach every level up to the point of coherency (DDI 0406C B2.2.6, B2.2.7), so that
 * one CPU's work holds for all; set/way operations have neither property and are not used.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>
#include <asm/barrier.h>

#include "compat/compat.h"

#include "host/cache.h"
#include "host/cache_line.h"
#include "host/cache_ops.h"
#include "host/cache_pfn.h"
#include "host/shadow_page.h"

/* From here on a whole invalidation is cheaper than one line at a time. */
#define CACHE_ICACHE_BY_LINE_MAX	(16 * PAGE_SIZE)

/* Of all CPUs that ever were taken over. */
static struct cache_geometry cache_host;
static DEFINE_RAW_SPINLOCK(cache_host_lock);

void armvmm_cache_add_cpu(u32 ctr)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&cache_host_lock, flags);
	cache_geometry_add(&cache_host, ctr);
	raw_spin_unlock_irqrestore(&cache_host_lock, flags);
}

static void cache_flush_lines(unsigned long addr, unsigned long size)
{
	unsigned int shift = cache_line_shift(READ_ONCE(cache_host.dminline));
	unsigned long a, n;

	cache_for_each_line(a, n, addr, size, shift)
		cache_dccimvac(a);
}

void armvmm_cache_flush(const void *addr, size_t size)
{
	cache_flush_lines((unsigned long)addr, size);
	dsb(sy);
}

/* Each first touch of a page pays for this: eight lines at a time. */
static void cache_flush_page(unsigned long a)
{
	unsigned int shift = cache_line_shift(READ_ONCE(cache_host.dminline));
	unsigned long n = PAGE_SIZE >> shift >> 3, line = 1ul << shift;

	/* No core has lines of more than 512 bytes. */
	if (unlikely(!n))
		cache_flush_lines(a, PAGE_SIZE);
	for (; n; n--)
		cache_dccimvac8(a, line);
}

bool armvmm_cache_flush_client(unsigned long hva)
{
	unsigned int shift = cache_line_shift(READ_ONCE(cache_host.dminline)), user;
	int n = PAGE_SIZE >> shift >> 4;
	bool done;

	if (IS_ENABLED(ARMVMM_SHADOW) || !n)
		return false;
	/* A fault is not handled, so that it tells. */
	pagefault_disable();
	user = uaccess_save_and_enable();
	done = cache_dccimvac_user(hva & PAGE_MASK, n, 1ul << shift);
	uaccess_restore(user);
	pagefault_enable();
	dsb(sy);
	return done;
}

/*
 * Why each page that a guest gets is flushed: its accesses are not cacheable while its caches are
 * off, and may be at any time after, since it picks the attributes of its own mappings. What the
 * host wrote into the page (zeroes over somebody else's data, or the guest's kernel) must have
 * reached memory, and no clean line may stay behind to hide from the host what the guest writes
 * past the caches (DDI 0406C A3.5.7: mismatched attributes).
 */
void armvmm_cache_flush_pfn(unsigned long pfn, size_t size)
{
	void *va;

	for (; size; size -= PAGE_SIZE, pfn++) {
		if (!armvmm_cache_may_flush_pfn(pfn))
			continue;
		va = kmap_local_page(pfn_to_page(pfn));
		cache_flush_page((unsigned long)va);
		kunmap_local(va);
		armvmm_shadow_page_flush_pfn(pfn);
	}
	dsb(sy);
}

void armvmm_cache_invalidate_icache_all(void)
{
	dsb(ishst);
	cache_icialluis();
	cache_bpiallis();
	dsb(ish);
	isb();
}

/*
 * A VIPT cache keeps the line that it has under the guest's address when the client invalidates
 * that under its own (DDI 0406C B3.11.2).
 */
void armvmm_cache_sync_client_code(void)
{
	if (!READ_ONCE(cache_host.icache_pipt))
		armvmm_cache_invalidate_icache_all();
}

/*
 * A PIPT instruction cache may be invalidated through any mapping of the page. A VIPT one holds
 * the guest's lines under the guest's virtual addresses, which we do not know: all of it goes
 * (DDI 0406C B3.11.2). The Cortex-A7's is VIPT, the A15's PIPT; the A7's CTR says which, and one
 * such CPU in the host is enough.
 */
void armvmm_cache_invalidate_icache_pfn(unsigned long pfn, size_t size)
{
	unsigned int shift = cache_line_shift(READ_ONCE(cache_host.iminline));
	unsigned long a, n;
	void *va;

	/* Memory of a PFN map may have no address here. */
	if (!READ_ONCE(cache_host.icache_pipt) || size > CACHE_ICACHE_BY_LINE_MAX ||
	    !armvmm_cache_may_flush_pfn(pfn)) {
		armvmm_cache_invalidate_icache_all();
		return;
	}

	dsb(ishst);
	for (; size; size -= PAGE_SIZE, pfn++) {
		va = kmap_local_page(pfn_to_page(pfn));
		cache_for_each_line(a, n, (unsigned long)va, PAGE_SIZE, shift)
			cache_icimvau(a);
		kunmap_local(va);
	}
	cache_bpiallis();
	dsb(ish);
	isb();
}
