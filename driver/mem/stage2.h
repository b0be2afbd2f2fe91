/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stage-2 translation: guest physical (IPA, 40 bits) to physical, LPAE format
 * (DDI 0406C B3.6), kept true to the client's memory by MMU notifiers, or by pinning it where the
 * kernel has none (stage2_host.h).
 *
 * With notifiers nothing is pinned: an entry is what the client's own page table said. The rule for
 * both: a fault reads invalidate_seq before the client's memory, and installs what it found
 * under stage2.lock only where no invalidation ran meanwhile (armvmm_stage2_retry).
 *
 * Table memory is bounded by the memslots: entries exist for RAM in slots and for the GICV pages
 * only, so at most one table per 2 MiB and one per 1 GiB of slot, whatever the guest touches. All
 * slots together have 8 GiB at most (memslot_check.h).
 * Tables that become empty are freed, and all are charged to the client's memory cgroup.
 */
#ifndef ARMVMM_STAGE2_H
#define ARMVMM_STAGE2_H

#include <linux/atomic.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "arch/archregs.h"
#include "arch/lpae.h"
#include "core/state.h"
#include "mem/stage2_index.h"

struct armvmm_vm;
struct armvmm_vcpu;

/* Tables, VMID and MMU notifier. The VM's mm is the caller's. -ENOMEM, -EINTR. May sleep. */
int armvmm_stage2_vm_init(struct armvmm_vm *vm);
/* Stops the notifier, unmaps all. No vCPU runs nor will. May sleep. */
void armvmm_stage2_vm_release(struct armvmm_vm *vm);
/* Frees; also what a failed or no init left. */
void armvmm_stage2_vm_destroy(struct armvmm_vm *vm);

/* VTCR for this module (DDI 0406C B4.1.159): T0SZ, SL0, walk attributes. */
u32 armvmm_stage2_vtcr(void);

/* Maps device memory (GICV) at @ipa. 0 or -errno. May sleep. */
int armvmm_stage2_map_device(struct armvmm_vm *vm, u64 ipa, phys_addr_t pa, size_t size,
			     bool writable);
/* Removes what is mapped in [ipa, ipa + size), flushes TLBs, and caches of it. May sleep. */
void armvmm_stage2_unmap(struct armvmm_vm *vm, u64 ipa, u64 size);
/* Write-protects a range for dirty logging, flushes as armvmm_stage2_uncached() says. May sleep. */
void armvmm_stage2_write_protect(struct armvmm_vm *vm, u64 ipa, u64 size);
/* Cleans and invalidates to the PoC all mapped guest RAM (set/way, caches off). May sleep. */
void armvmm_stage2_flush_caches(struct armvmm_vm *vm);
/* The same for [ipa, ipa + size). */
void armvmm_stage2_flush_range(struct armvmm_vm *vm, u64 ipa, u64 size);
/*
 * The same, where armvmm_stage2_uncached() holds: for a client that reads and writes memory which
 * such a guest has mapped. May sleep.
 */
void armvmm_stage2_flush_uncached(struct armvmm_vm *vm);

/*
 * IPA of the fault in hyp->hpfar, or by translating hyp->hxfar where HPFAR is
 * UNKNOWN (DDI 0406C B3.13.5): done in HYP at exit, hyp->fault_ipa_valid.
 */
static inline u64 armvmm_stage2_fault_ipa(u32 hpfar, u32 hxfar)
{
	return ((u64)(hpfar & HPFAR_FIPA) << HPFAR_FIPA_SHIFT) | (hxfar & 0xfff);
}

/* For run/abort.c, stage2_notifier.c and dirty.c. Callers of what follows hold stage2.lock. */

/* Pages for tables, taken before the lock: a fault needs two at most. */
struct stage2_cache {
	int nr;
	u64 *tables[2];
	u64 *leaf;	/* where the last page was put: under stage2.lock, until it is dropped */
};

/* Fills the cache. -ENOMEM. May sleep, takes no lock. */
int armvmm_stage2_cache_fill(struct stage2_cache *cache);
void armvmm_stage2_cache_free(struct stage2_cache *cache);

/*
 * Installs a leaf (stage2_leaf(), stage2_share()) at @ipa, or adds its permissions to the same one,
 * and does the TLB maintenance. -EAGAIN: @cache has not enough pages; nothing changed.
 */
int armvmm_stage2_install(struct stage2 *s2, u64 ipa, u64 leaf, unsigned int level,
			  struct stage2_cache *cache);
/*
 * How many pages right behind that of @leaf, in its table, are not mapped; no more than are mapped
 * right before it, and than @most.
 */
static inline unsigned int armvmm_stage2_count_more(const u64 *leaf, unsigned int most)
{
	unsigned int i = (unsigned long)leaf % STAGE2_PAGE_SIZE / sizeof(*leaf), n = 0;

	while (n < most && n < i && i + n < LPAE_TABLE_ENTRIES - 1 &&
	       leaf[-1 - (int)n] & LPAE_VALID && !(leaf[1 + n] & LPAE_VALID))
		n++;
	return n;
}
/*
 * Maps @n pages from @ipa on where nothing is mapped yet: none where their 2 MiB has no table, and
 * no more than these.
 */
void armvmm_stage2_map_more(struct stage2 *s2, u64 ipa, const u64 *leaves, unsigned int n);
/* The leaf that maps @ipa, or 0; @level becomes 2 or 3. */
u64 armvmm_stage2_lookup(struct stage2 *s2, u64 ipa, unsigned int *level);
/* Sets the access flag of the leaf that maps @ipa; false where there is none. */
bool armvmm_stage2_make_young(struct stage2 *s2, u64 ipa);

/* True where entries of [ipa, ipa + size) had the access flag. No TLB maintenance. */
bool armvmm_stage2_age(struct stage2 *s2, u64 ipa, u64 size, bool clear);
/* Unmaps, flushing TLBs and caches before the lock is ever dropped, which @may_sleep allows. */
void armvmm_stage2_unmap_locked(struct stage2 *s2, u64 ipa, u64 size, bool may_sleep);
/*
 * Write-protects; true if anything changed. The caller flushes the TLBs. With @uncached, which
 * armvmm_stage2_uncached() returned since the lock was taken, the pages are flushed to the PoC, as
 * the client is about to read what the guest wrote to them.
 */
bool armvmm_stage2_protect_locked(struct stage2 *s2, u64 ipa, u64 size, bool uncached);
/*
 * True if a vCPU writes past the caches, because its own are off: then the host's cache lines of
 * the guest's pages may be stale. As of each vCPU's last exit, or of a change of its SCTLR that
 * trapped (HCR.TVM), which waits for the lock before the guest goes on.
 */
bool armvmm_stage2_uncached(struct armvmm_vm *vm);
/*
 * Once HCR.TVM is clear, a guest turns its caches off with no exit. So where pages were protected
 * because the client is about to read them, and the above was false, this is asked when the TLBs
 * are flushed and the lock is dropped: each vCPU that is in the guest leaves it, so that its SCTLR
 * is known. True: a vCPU may have written to the pages past its caches, and they have to be
 * flushed. (Caches that it turned on again since, with no exit, are the guest's to invalidate
 * before.) May sleep.
 */
bool armvmm_stage2_uncached_since(struct armvmm_vm *vm);

/*
 * True where what was read of the client's tables after @seq, for the @size bytes from @hva on,
 * may be outdated.
 */
static inline bool armvmm_stage2_retry(struct stage2 *s2, unsigned long seq, unsigned long hva,
				       unsigned long size)
{
	lockdep_assert_held(&s2->lock);
	if (s2->invalidate_count && hva + size > s2->invalidate_start && hva < s2->invalidate_end)
		return true;
	return s2->invalidate_seq != seq;
}

/* stage2_tlb.c */

/* Drops all TLB entries of the VM on all CPUs. IRQs on; may hold stage2.lock, need not. */
void armvmm_stage2_flush_tlb(struct stage2 *s2);
/* A CPU has erratum 798181: flushes have other CPUs wait from now on. Any context. */
void armvmm_stage2_tlb_needs_sync(void);

#endif
