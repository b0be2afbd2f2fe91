// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host does to the client's memory reaches the guest's tables here: swap, KSM,
 * compaction, MADV_DONTNEED, fork, exit.
 *
 * Between invalidate_range_start and _end, and ever after, the guest has no mapping made from
 * what the client's tables said before (armvmm_stage2_retry). The host calls start before it
 * changes an entry, so change_pte (gone in 6.10) finds nothing that it could change, and is not
 * implemented.
 *
 * Slots are found under vm->srcu. A slot that was taken out meanwhile is unmapped by whoever takes
 * it out, before its memory can be used for anything else by the client.
 */
#include <linux/sched/mm.h>
#include <linux/srcu.h>

#include "compat/compat.h"

#include "core/state.h"
#include "mem/memslot.h"
#include "mem/memslot_hva.h"
#include "mem/stage2.h"
#include "mem/stage2_host.h"

static struct armvmm_vm *notifier_vm(struct mmu_notifier *mn)
{
	return container_of(mn, struct armvmm_vm, mmu_notifier);
}

typedef bool (*notifier_range_fn_t)(struct stage2 *s2, u64 ipa, u64 size, bool arg);

struct notifier_walk {
	struct stage2 *s2;
	unsigned long first;
	unsigned long last;
	notifier_range_fn_t fn;
	bool arg;
	bool ret;
};

static void notifier_slot(const struct armvmm_memslot *slot, void *arg)
{
	struct notifier_walk *walk = arg;
	unsigned long first = max(walk->first, slot->userspace_addr);
	unsigned long last = min(walk->last, memslot_hva_last(slot));
	u64 ipa = (slot->base_gfn << PAGE_SHIFT) + (first - slot->userspace_addr);

	walk->ret |= walk->fn(walk->s2, ipa, ALIGN((u64)last - first + 1, PAGE_SIZE), walk->arg);
}

/*
 * Calls @fn for each guest range that host addresses [start, end) back; true where any call
 * says so. Two slots may be backed by the same memory.
 */
static bool notifier_for_each(struct armvmm_vm *vm, unsigned long start, unsigned long end,
			      notifier_range_fn_t fn, bool arg)
{
	struct notifier_walk walk = {
		.s2 = &vm->stage2, .first = start & PAGE_MASK, .last = end - 1,
		.fn = fn, .arg = arg,
	};

	memslot_hva_for_each(armvmm_memslot_all(vm), walk.first, walk.last, notifier_slot, &walk);
	return walk.ret;
}

static bool notifier_unmap(struct stage2 *s2, u64 ipa, u64 size, bool may_sleep)
{
	armvmm_stage2_unmap_locked(s2, ipa, size, may_sleep);
	return false;
}

static int notifier_invalidate_start(struct mmu_notifier *mn,
				     const struct mmu_notifier_range *range)
{
	struct armvmm_vm *vm = notifier_vm(mn);
	struct stage2 *s2 = &vm->stage2;
	int idx = srcu_read_lock(&vm->srcu);

	spin_lock(&s2->lock);
	if (!s2->invalidate_count++) {
		s2->invalidate_start = range->start;
		s2->invalidate_end = range->end;
	} else {
		/* One range for all that run at once: too wide for a while, never too narrow. */
		s2->invalidate_start = min(s2->invalidate_start, range->start);
		s2->invalidate_end = max(s2->invalidate_end, range->end);
	}
	notifier_for_each(vm, range->start, range->end, notifier_unmap,
			  mmu_notifier_range_blockable(range));
	spin_unlock(&s2->lock);
	srcu_read_unlock(&vm->srcu, idx);
	return 0;
}

static void notifier_invalidate_end(struct mmu_notifier *mn,
				    const struct mmu_notifier_range *range)
{
	struct stage2 *s2 = &notifier_vm(mn)->stage2;

	/*
	 * Whoever reads the new sequence number reads the client's tables after they changed: the
	 * lock's release orders the one after the other, and pairs with the smp_rmb() between the
	 * two reads in stage2_host.c.
	 */
	spin_lock(&s2->lock);
	WRITE_ONCE(s2->invalidate_seq, s2->invalidate_seq + 1);
	s2->invalidate_count--;
	spin_unlock(&s2->lock);
}

/*
 * No TLB maintenance, even where the host asks for it: it would be all of the VM's entries for
 * each page that is looked at, since ARMv7 has none by IPA. A page whose entry stays in a TLB
 * looks older than it is until that goes, which it does soon where the host is short of memory
 * and unmaps others. An entry that lies about age only is never wrong about memory.
 */
static bool notifier_young(struct armvmm_vm *vm, unsigned long start, unsigned long end,
			   bool clear)
{
	struct stage2 *s2 = &vm->stage2;
	int idx = srcu_read_lock(&vm->srcu);
	bool young;

	spin_lock(&s2->lock);
	young = notifier_for_each(vm, start, end, armvmm_stage2_age, clear);
	spin_unlock(&s2->lock);
	srcu_read_unlock(&vm->srcu, idx);
	return young;
}

static compat_young_t notifier_clear_flush_young(struct mmu_notifier *mn, struct mm_struct *mm,
						 unsigned long start, unsigned long end)
{
	return notifier_young(notifier_vm(mn), start, end, true);
}

static compat_young_t notifier_clear_young(struct mmu_notifier *mn, struct mm_struct *mm,
					   unsigned long start, unsigned long end)
{
	return notifier_young(notifier_vm(mn), start, end, true);
}

static compat_young_t notifier_test_young(struct mmu_notifier *mn, struct mm_struct *mm,
					  unsigned long address)
{
	return notifier_young(notifier_vm(mn), address, address + 1, false);
}

/* The client's memory goes for good; no thread of it is left to run a vCPU. */
static void notifier_release(struct mmu_notifier *mn, struct mm_struct *mm)
{
	armvmm_stage2_unmap(notifier_vm(mn), 0, STAGE2_IPA_SIZE);
}

static const struct mmu_notifier_ops notifier_ops = {
	.invalidate_range_start = notifier_invalidate_start,
	.invalidate_range_end = notifier_invalidate_end,
	.clear_flush_young = notifier_clear_flush_young,
	.clear_young = notifier_clear_young,
	.test_young = notifier_test_young,
	.release = notifier_release,
};

const bool armvmm_stage2_host_syncs = true;

int armvmm_stage2_host_vm_init(struct armvmm_vm *vm)
{
	vm->mmu_notifier.ops = &notifier_ops;
	return mmu_notifier_register(&vm->mmu_notifier, vm->mm);
}

/*
 * Waits for notifiers that run. Where the client's memory is gone already, release ran and this
 * only waits. The table teardown that follows has them no more (docs/hazards.md 7).
 */
void armvmm_stage2_host_vm_release(struct armvmm_vm *vm)
{
	mmu_notifier_unregister(&vm->mmu_notifier, vm->mm);
}

void armvmm_stage2_host_vm_destroy(struct armvmm_vm *vm)
{
}

struct page *armvmm_stage2_host_page_get(struct armvmm_vm *vm, struct armvmm_memslot *slot,
					 unsigned long hva, bool write)
{
	struct page *page;

	return pin_user_pages_fast(hva, 1, write ? FOLL_WRITE : 0, &page) == 1 ? page : NULL;
}

void armvmm_stage2_host_page_put(struct page *page, bool written)
{
	unpin_user_pages_dirty_lock(&page, 1, written);
}

/* Nothing is kept of a slot's memory. */
int armvmm_stage2_host_slot_init(struct armvmm_memslot *slot)
{
	return 0;
}

void armvmm_stage2_host_unpin(struct armvmm_vm *vm, struct armvmm_memslot *slot,
			      unsigned long first, unsigned long nr)
{
}

void armvmm_stage2_host_slot_release(struct armvmm_vm *vm, struct armvmm_memslot *slot)
{
}
