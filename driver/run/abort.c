// SPDX-License-Identifier: GPL-2.0-only
/* Stage-2 aborts of the guest (DDI 0406C B3.13): what a fault means, and who answers it. */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/smp.h>

#include "compat/compat.h"

#include "arch/archregs.h"
#include "arch/lpae.h"
#include "core/guest.h"
#include "core/inject.h"
#include "core/state.h"
#include "core/trace.h"
#include "host/cache.h"
#include "host/cache_pfn.h"
#include "mem/memslot.h"
#include "mem/stage2.h"
#include "mem/stage2_host.h"
#include "mem/stage2_shadow.h"
#include "mmio/mmio.h"
#include "run/abort.h"

/* What is flushed in one go. A block is more: others may have the CPU in between. */
#define ABORT_FLUSH_SIZE	((size_t)SZ_64K)

/* What one fault maps besides the page that the guest wants, at most. */
#define ABORT_MORE		15u

static unsigned int fault_around = ABORT_MORE;
module_param(fault_around, uint, 0644);
MODULE_PARM_DESC(fault_around, "how many pages behind it a guest's fault maps besides, at most");

struct abort_fault {
	struct armvmm_vm *vm;
	struct stage2_host_seen *seen;
	struct armvmm_memslot *slot;
	u64 ipa;		/* page */
	unsigned long hva;
	bool mapped;		/* something was there: a permission fault */
	bool write;
	bool exec;
	bool walk;		/* of the guest's own tables */
};

/*
 * By the client's address, where that reaches the page: on the CPU that looked, whose TLB has
 * nothing else there while the number of invalidations stands (and if it changes, this fault maps
 * nothing). Another CPU's may still have the page from before, and the number need not tell: the
 * kernel ends the notifier before it flushes the TLBs.
 */
static bool abort_flush_by_hva(unsigned long hva, int hva_cpu)
{
	bool flushed = false;

	preempt_disable();
	if (hva_cpu == smp_processor_id())
		flushed = armvmm_cache_flush_client(hva);
	preempt_enable();
	return flushed;
}

static void abort_flush_pfn(unsigned long pfn, size_t size)
{
	for (; size > ABORT_FLUSH_SIZE; size -= ABORT_FLUSH_SIZE) {
		armvmm_cache_flush_pfn(pfn, ABORT_FLUSH_SIZE);
		pfn += ABORT_FLUSH_SIZE >> PAGE_SHIFT;
		cond_resched();
	}
	armvmm_cache_flush_pfn(pfn, size);
}

/* True if what the guest had is gone, or was a block, and is now one page of it. */
static bool abort_lost(struct abort_fault *fault, unsigned int level)
{
	unsigned int level_now;

	return !armvmm_stage2_lookup(&fault->vm->stage2, fault->ipa, &level_now) ||
	       level_now > level;
}

/*
 * Brings the page's content to where the guest will read it, unless the guest has that page
 * already: at a permission fault a copy may have replaced the page. Not under the lock, as nothing
 * depends on what happens to the page meanwhile. True if the guest has the page, and so nothing was
 * cleaned.
 */
static bool abort_flush_caches(struct abort_fault *fault, struct stage2_host_page *page,
			       u64 leaf, unsigned int level)
{
	struct stage2 *s2 = &fault->vm->stage2;
	unsigned long pfn = __phys_to_pfn((phys_addr_t)stage2_addr(leaf));
	size_t size = stage2_size(level);
	unsigned int old_level = 0;
	u64 old = 0;
	bool same;

	/* Uncached memory needs no flush, but code in it may be in an instruction cache. */
	if (page->attr != LPAE_S2_ATTR_WB && !(page->attr == LPAE_S2_ATTR_NC && fault->exec))
		return false;
	if (fault->mapped) {
		spin_lock(&s2->lock);
		old = armvmm_stage2_lookup(s2, fault->ipa, &old_level);
		/* This page was part of a block, which was flushed as a whole. */
		if (old && old_level == 2 && level == 3)
			old = stage2_split_leaf(old, stage2_index(fault->ipa, 3));
		old = armvmm_stage2_shadow_host(old);
		/*
		 * What a guest stored past the caches, it fetches through them where SCTLR.I is set
		 * (DDI 0406C B3.2.1): a clean line of the host's may hide the new code.
		 */
		if (fault->exec && old & LPAE_XN && armvmm_stage2_uncached(fault->vm))
			old = 0;
		spin_unlock(&s2->lock);
	}

	same = old && stage2_same_but_perm(old, leaf);
	if (!same && page->attr == LPAE_S2_ATTR_WB &&
	    !abort_flush_by_hva(fault->hva, page->hva_cpu))
		abort_flush_pfn(pfn, size);
	/*
	 * Pages are not executable until the guest fetches from them: instruction caches are
	 * invalidated for code only (the A7's whole, each time).
	 */
	if (fault->exec && (!same || old & LPAE_XN))
		armvmm_cache_invalidate_icache_pfn(pfn, size);
	return same;
}

/*
 * Memory that the client has cached, but the kernel cannot flush: a carveout that a driver maps. So
 * the guest has it as a device, as in KVM/arm. (What the client's own address reaches is in no
 * mapping of a driver's.)
 */
static void abort_not_flushable(struct stage2_host_page *page)
{
	if (page->hva_cpu < 0 && page->attr == LPAE_S2_ATTR_WB &&
	    !armvmm_cache_may_flush_pfn(page->pfn))
		page->attr = LPAE_S2_ATTR_DEVICE;
}

/*
 * How many pages to map besides, of those that follow: as many as the guest has right before the
 * one that it wants. So a guest that goes through its memory gets them, the more the longer it
 * does, and one that jumps about gets hardly any. Only where the client had this page already, and
 * may have those, and where writes are not logged; and only with the guest's caches on: what the
 * client writes to a page that a guest with its caches off has not touched is flushed at the touch.
 */
static unsigned int abort_count_more(struct abort_fault *fault,
				     const struct stage2_host_page *page, const u64 *leaf)
{
	unsigned int most = min(READ_ONCE(fault_around), ABORT_MORE), n;
	u64 left;

	if (!page->was_there || fault->mapped || fault->exec)
		return 0;
	n = armvmm_stage2_count_more(leaf, most);
	if (!n || armvmm_stage2_uncached(fault->vm))
		return 0;
	left = fault->slot->base_gfn + fault->slot->npages - (fault->ipa >> PAGE_SHIFT) - 1;
	return (unsigned int)min((u64)n, left);
}

/*
 * Maps up to @n of the pages behind the one that is mapped, as far as the client may write to them.
 * Each was looked up and flushed as that one was; if any was taken back meanwhile, none is mapped.
 */
static noinline void abort_map_more(struct abort_fault *fault,
				    const struct stage2_host_page *page, unsigned int n)
{
	unsigned long pfns[STAGE2_HOST_MORE], hva = fault->hva + PAGE_SIZE;
	struct stage2 *s2 = &fault->vm->stage2;
	unsigned int done = 0, found, i;
	u64 leaves[ABORT_MORE];
	int hva_cpu;

	do {
		found = armvmm_stage2_host_more(fault->seen, page, hva + done * PAGE_SIZE,
						n - done, pfns, &hva_cpu);
		for (i = 0; i < found; i++) {
			if (!abort_flush_by_hva(hva + done * PAGE_SIZE, hva_cpu))
				break;
			leaves[done++] = stage2_share(stage2_leaf((u64)pfns[i] << PAGE_SHIFT, 3,
								  LPAE_S2_ATTR_WB, true, false),
						      s2->sh);
		}
	} while (i == STAGE2_HOST_MORE && done < n);
	if (!done)
		return;

	spin_lock(&s2->lock);
	if (!armvmm_stage2_retry(s2, page->seq, hva, done * PAGE_SIZE))
		armvmm_stage2_map_more(s2, fault->ipa + PAGE_SIZE, leaves, done);
	spin_unlock(&s2->lock);
}

/*
 * Such a guest gets its memory page by page, as it touches it (abort_count_more()). Blocks come
 * later, by stage2_join().
 */
static bool abort_is_uncached(const struct abort_fault *fault)
{
	struct stage2 *s2 = &fault->vm->stage2;
	bool uncached;

	spin_lock(&s2->lock);
	uncached = armvmm_stage2_uncached(fault->vm);
	spin_unlock(&s2->lock);
	return uncached;
}

/*
 * Installs the host's page. 1, or -errno: -ENOEXEC for a fetch from device memory, or a walk that
 * reads tables there, as such reads have side effects (DDI 0406C A3.5.7): device memory is never
 * mapped executable, and HCR.PTW makes the walk fault.
 */
static int abort_map(struct abort_fault *fault)
{
	struct stage2 *s2 = &fault->vm->stage2;
	struct armvmm_memslot *slot = fault->slot;
	bool logging = armvmm_memslot_is_logging(slot);
	struct stage2_cache cache = { };
	struct shadow_page *shadow = NULL;
	struct stage2_host_page page;
	unsigned int level, more = 0;
	unsigned long size;
	bool writable, kept;
	u64 pa, leaf;
	int ret;

	ret = armvmm_stage2_host_get(fault->vm, fault->seen, slot, fault->hva, fault->write,
				     &page);
	if (ret)
		return ret == -EAGAIN ? 1 : ret;
	abort_not_flushable(&page);
	if ((fault->exec || fault->walk) &&
	    page.attr != LPAE_S2_ATTR_WB && page.attr != LPAE_S2_ATTR_NC)
		return -ENOEXEC;

	writable = page.writable && !(slot->flags & KVM_MEM_READONLY);
	/* In a slot whose writes are logged, each page faults at its first write. */
	if (logging && !fault->write)
		writable = false;
	level = 3;
	pa = (u64)page.pfn << PAGE_SHIFT;
	if (page.huge && armvmm_stage2_shadow_blocks() && !logging &&
	    page.attr == LPAE_S2_ATTR_WB &&
	    stage2_block_fits(fault->ipa, fault->hva, slot->base_gfn << PAGE_SHIFT,
			      (u64)slot->npages << PAGE_SHIFT) &&
	    !abort_is_uncached(fault)) {
		level = 2;
		pa &= LPAE_BLOCK_MASK;
	}
	size = stage2_size(level);
	leaf = stage2_share(stage2_leaf(pa, level, page.attr, writable, fault->exec), s2->sh);
	ret = armvmm_stage2_shadow_hold(fault->vm, leaf, &shadow);
	if (ret)
		return ret;
	kept = abort_flush_caches(fault, &page, leaf, level);

	for (;;) {
		spin_lock(&s2->lock);
		/*
		 * What was read is outdated: the guest tries again, and signals are handled before.
		 * So it does if another vCPU's ARM_VCPU_INIT took the page that was not cleaned, or
		 * turned off its caches.
		 */
		ret = 0;
		if (armvmm_stage2_retry(s2, page.seq, fault->hva & ~(size - 1), size) ||
		    (kept && abort_lost(fault, level)) ||
		    (level == 2 && armvmm_stage2_uncached(fault->vm)) ||
		    !armvmm_stage2_shadow_leaf(fault->vm, fault->ipa, fault->mapped, &leaf))
			break;
		ret = armvmm_stage2_install(s2, fault->ipa, leaf, level, &cache);
		if (!ret && writable && logging)
			armvmm_dirty_mark(fault->vm, slot, fault->ipa >> PAGE_SHIFT);
		else if (!ret && writable && level == 3)
			more = abort_count_more(fault, &page, cache.leaf);
		if (ret != -EAGAIN)
			break;
		/* One fault in 512 needs a table: its memory is allocated with the lock dropped. */
		spin_unlock(&s2->lock);
		ret = armvmm_stage2_cache_fill(&cache);
		if (ret)
			goto out;
	}
	spin_unlock(&s2->lock);
	if (more)
		abort_map_more(fault, &page, more);
out:
	armvmm_stage2_shadow_release(shadow);
	armvmm_stage2_cache_free(&cache);
	return ret ? ret : 1;
}

/* The guest accessed an address that is not RAM, or wrote to a read-only slot. */
static int abort_no_ram(struct armvmm_vcpu *vcpu, u64 ipa, bool iabt)
{
	u32 hsr = vcpu->hyp->hsr;

	if (iabt) {
		armvmm_inject_pabt(vcpu, vcpu->hyp->hxfar);
		return 1;
	}
	/* The guest's tables are where there is no memory: an external abort on its walk. */
	if (hsr & HSR_ABT_S1PTW) {
		armvmm_inject_dabt(vcpu, vcpu->hyp->hxfar);
		return 1;
	}
	/* No cache line belongs to an address without memory: nothing to maintain. */
	if (hsr & HSR_DABT_CM) {
		armvmm_regs_skip(vcpu);
		return 1;
	}
	return armvmm_mmio_fault(vcpu, ipa);
}

/* Aborts that no translation caused: the guest takes each as its own abort. */
static int abort_other(struct armvmm_vcpu *vcpu, bool iabt)
{
	/* Two TLB entries for one address. The guest cannot cause that: flush all. */
	if ((vcpu->hyp->hsr & HSR_ABT_FSC) == HSR_FSC_TLB_CONFLICT) {
		armvmm_stage2_flush_tlb(&vcpu->vm->stage2);
		return 1;
	}
	if (iabt)
		armvmm_inject_pabt(vcpu, vcpu->hyp->hxfar);
	else
		armvmm_inject_dabt(vcpu, vcpu->hyp->hxfar);
	return 1;
}

/* Out of line, so that an access to a device does not pay for it. */
static noinline int abort_ram(struct armvmm_vcpu *vcpu, struct armvmm_memslot *slot, u64 ipa,
			      bool exec, bool write)
{
	struct abort_fault fault = {
		.vm = vcpu->vm,
		.seen = &vcpu->host_seen,
		.slot = slot,
		.ipa = ipa & ~(STAGE2_PAGE_SIZE - 1),
		.hva = armvmm_memslot_hva(slot, ipa >> PAGE_SHIFT),
		.mapped = HSR_FSC_TYPE(vcpu->hyp->hsr) == HSR_FSC_PERMISSION,
		.write = write,
		.exec = exec,
		.walk = vcpu->hyp->hsr & HSR_ABT_S1PTW,
	};
	int ret;

	vcpu->stat.page_faults++;
	trace_armvmm_page_fault(vcpu->id, ipa, fault.hva, vcpu->hyp->regs.usr_regs.ARM_pc, write,
				exec, fault.mapped);
	ret = abort_map(&fault);
	return ret == -ENOEXEC ? abort_other(vcpu, HSR_EC(vcpu->hyp->hsr) == HSR_EC_IABT) : ret;
}

/*
 * An address with a slot is RAM, and only one without may be a device. So a slot over the
 * distributor's window hides the distributor, as in KVM. A slot that is laid over the GICV pages
 * leaves them mapped until the slot goes or the host takes the page back. Neither affects anything
 * but the VM (docs/hazards.md 21).
 */
int armvmm_abort_handle(struct armvmm_vcpu *vcpu)
{
	struct armvmm_memslot *slot;
	struct hyp_vcpu *hyp = vcpu->hyp;
	struct stage2 *s2 = &vcpu->vm->stage2;
	u32 hsr = hyp->hsr;
	bool iabt = HSR_EC(hsr) == HSR_EC_IABT;
	unsigned int type = HSR_FSC_TYPE(hsr);
	bool exec, write;
	u64 ipa;

	if (type != HSR_FSC_TRANSLATION && type != HSR_FSC_ACCESS_FLAG &&
	    type != HSR_FSC_PERMISSION)
		return abort_other(vcpu, iabt);
	/* The tables changed between the fault and the lookup of its address: retry. */
	if (!hyp->fault_ipa_valid)
		return 1;
	ipa = armvmm_stage2_fault_ipa(hyp->hpfar, hyp->hxfar);

	if (type == HSR_FSC_ACCESS_FLAG) {
		spin_lock(&s2->lock);
		armvmm_stage2_make_young(s2, ipa);
		spin_unlock(&s2->lock);
		return 1;
	}

	/* The walker of stage 1 reads, and does not execute (no hardware flags in ARMv7). */
	exec = iabt && !(hsr & HSR_ABT_S1PTW);
	write = !iabt && !(hsr & HSR_ABT_S1PTW) && (hsr & HSR_DABT_WNR);
	/* The slot stays until the caller's vm->srcu is released, with the mapping made from it. */
	slot = armvmm_memslot_find(vcpu->vm, ipa >> PAGE_SHIFT);
	if (!slot || (write && (slot->flags & KVM_MEM_READONLY)))
		return abort_no_ram(vcpu, ipa, iabt);
	return abort_ram(vcpu, slot, ipa, exec, write);
}
