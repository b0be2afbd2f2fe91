/* SPDX-License-Identifier: GPL-2.0-only */
/* Cache maintenance that the architecture asks of a hypervisor (DDI 0406C B2.2.6, B3.11). */
#ifndef ARMVMM_CACHE_H
#define ARMVMM_CACHE_H

#include <linux/mm_types.h>
#include <linux/types.h>

/* Takes a CPU's CTR into account: before it runs a guest, and before any of what follows. */
void armvmm_cache_add_cpu(u32 ctr);

/* Cleans and invalidates [addr, addr + size) of kernel memory to the PoC, with DSB. Any context. */
void armvmm_cache_flush(const void *addr, size_t size);

/*
 * Cleans and invalidates @size bytes of host memory from page @pfn to the point of coherency,
 * through a kernel mapping, page by page. Pages of which the kernel has no address are left alone:
 * no guest has those as cached memory (run/abort.c). Whole pages. May be called under a spinlock.
 */
void armvmm_cache_flush_pfn(unsigned long pfn, size_t size);
/*
 * The same for one page of the client's, by the client's own address: @hva is in a page that this
 * thread's user space may read. It reaches the page that this CPU's TLB has there, which need not
 * be the tables': so the caller has preemption off, and knows of this CPU's TLB. False where that
 * page has gone meanwhile, and not all was done. In the shadow build always: that wants the page's
 * number. Never sleeps.
 */
bool armvmm_cache_flush_client(unsigned long hva);
/* Makes instruction fetches from those pages see memory, on all CPUs. As above. */
void armvmm_cache_invalidate_icache_pfn(unsigned long pfn, size_t size);
/*
 * Code of a guest that may have run was written through the client's mapping. The client has
 * cleaned the data to the point of unification, and invalidated instruction caches by its own
 * addresses (cacheflush(2): DCCMVAU, ICIMVAU): makes the second hold for the guest's addresses.
 * Any context.
 */
void armvmm_cache_sync_client_code(void);
/* All instruction caches of the inner shareable domain, and branch predictors. Any context. */
void armvmm_cache_invalidate_icache_all(void);

#endif
