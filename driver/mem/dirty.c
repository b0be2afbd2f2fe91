// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which pages of a slot the guest wrote: a bitmap, and write-protected pages that fill it.
 *
 * KVM_GET_DIRTY_LOG takes the bits and protects the pages again. A client that asked for
 * KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 is shown the bits alone, and says by KVM_CLEAR_DIRTY_LOG
 * which pages it is about to copy.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat/compat.h"

#include "core/state.h"
#include "mem/memslot.h"
#include "mem/stage2.h"

/*
 * Words of the bitmap for each round under the lock. Fewer if caches are flushed under it too, and
 * the TLB for each run of pages, whose number the guest determines.
 */
#define DIRTY_WORDS		512ul
#define DIRTY_WORDS_UNCACHED	16ul

void armvmm_dirty_mark(struct armvmm_vm *vm, struct armvmm_memslot *slot, u64 gfn)
{
	lockdep_assert_held(&vm->stage2.lock);
	if (slot->dirty_bitmap)
		set_bit((unsigned long)(gfn - slot->base_gfn), slot->dirty_bitmap);
}

/*
 * Protects the pages of the bits that @mask and word @i of the bitmap have in common, clears these
 * in the word, and adds them to @taken. Runs of neighbours cost one walk. True: the TLBs have to
 * be flushed before the lock is dropped, or a vCPU could write on unseen.
 */
static bool dirty_take_word(struct armvmm_vm *vm, const struct armvmm_memslot *slot,
			    unsigned long i, unsigned long mask, unsigned long *taken,
			    bool uncached)
{
	u64 gfn = slot->base_gfn + (u64)i * BITS_PER_LONG;
	unsigned long *word = &slot->dirty_bitmap[i];
	unsigned long bit, end;
	bool changed = false;

	mask &= READ_ONCE(*word);
	if (!mask)
		return false;
	/* Bits are set under the same lock. */
	WRITE_ONCE(*word, *word & ~mask);
	*taken |= mask;
	for (bit = __ffs(mask); bit < BITS_PER_LONG;
	     bit = find_next_bit(&mask, BITS_PER_LONG, end)) {
		end = find_next_zero_bit(&mask, BITS_PER_LONG, bit);
		changed |= armvmm_stage2_protect_locked(&vm->stage2, (gfn + bit) << PAGE_SHIFT,
							(u64)(end - bit) << PAGE_SHIFT, uncached);
	}
	return changed;
}

/* Flushes the pages that the @n words of @taken name, which begin at word @first of the bitmap. */
static void dirty_flush(struct armvmm_vm *vm, const struct armvmm_memslot *slot,
			const unsigned long *taken, unsigned long first, unsigned long n)
{
	unsigned long bits = n * BITS_PER_LONG, bit, end;
	u64 gfn = slot->base_gfn + (u64)first * BITS_PER_LONG;

	for (bit = find_first_bit(taken, bits); bit < bits;
	     bit = find_next_bit(taken, bits, end)) {
		end = find_next_zero_bit(taken, bits, bit);
		armvmm_stage2_flush_range(vm, (gfn + bit) << PAGE_SHIFT,
					  (u64)(end - bit) << PAGE_SHIFT);
		cond_resched();
	}
}

/*
 * Moves the bits of @want (NULL: all) in @n words from @first on to @out, which may be @want, and
 * write-protects their pages. Under the lock, like the fault that makes a page writable and notes
 * the write: each write is in this answer or in the next. Then the client may read the pages.
 */
static void dirty_take(struct armvmm_vm *vm, const struct armvmm_memslot *slot,
		       const unsigned long *want, unsigned long *out, unsigned long first,
		       unsigned long n)
{
	struct stage2 *s2 = &vm->stage2;
	unsigned long done, end, i;
	bool unflushed = false;

	for (done = 0; done < n; done = end) {
		bool changed = false, uncached;

		spin_lock(&s2->lock);
		uncached = armvmm_stage2_uncached(vm);
		end = min(n, done + (uncached ? DIRTY_WORDS_UNCACHED : DIRTY_WORDS));
		for (i = done; i < end; i++) {
			unsigned long mask = want ? want[i] : ~0ul;

			out[i] = 0;
			changed |= dirty_take_word(vm, slot, first + i, mask, &out[i], uncached);
		}
		if (changed) {
			armvmm_stage2_flush_tlb(s2);
			unflushed |= !uncached;
		}
		spin_unlock(&s2->lock);
		cond_resched();
	}
	if (unflushed && armvmm_stage2_uncached_since(vm))
		dirty_flush(vm, slot, out, first, n);
}

static int dirty_get_log(struct armvmm_vm *vm, const struct armvmm_memslot *slot,
			 void __user *to)
{
	size_t bytes = armvmm_dirty_bytes(slot->npages);
	unsigned long *out, n;

	/* Nothing is cleared: a bit that is set meanwhile is in this answer or in the next. */
	if (READ_ONCE(vm->manual_dirty_log_protect))
		return copy_to_user(to, slot->dirty_bitmap, bytes) ? -EFAULT : 0;
	/*
	 * The whole answer is collected before it is copied: the copy may fault, and must not run
	 * under the lock.
	 */
	out = kvmalloc(bytes, GFP_KERNEL_ACCOUNT);
	if (!out)
		return -ENOMEM;
	dirty_take(vm, slot, NULL, out, 0, BITS_TO_LONGS(slot->npages));
	n = copy_to_user(to, out, bytes);
	kvfree(out);
	return n ? -EFAULT : 0;
}

/* Whole longs, beginning at a multiple of 64 pages; the last one may end with the slot. */
static int dirty_check_range(const struct armvmm_memslot *slot, u64 first, u32 num)
{
	if (first > slot->npages || num > slot->npages - first)
		return -EINVAL;
	return num < slot->npages - first && (num & 63) ? -EINVAL : 0;
}

static int dirty_clear_log(struct armvmm_vm *vm, const struct armvmm_memslot *slot,
			   const struct kvm_clear_dirty_log *log)
{
	size_t bytes = armvmm_dirty_bytes(log->num_pages);
	unsigned long *mask;
	int ret;

	ret = dirty_check_range(slot, log->first_page, log->num_pages);
	if (ret || !log->num_pages)
		return ret;
	mask = kvmalloc(bytes, GFP_KERNEL_ACCOUNT);
	if (!mask)
		return -ENOMEM;
	if (copy_from_user(mask, log->dirty_bitmap, bytes))
		ret = -EFAULT;
	else
		dirty_take(vm, slot, mask, mask, (unsigned long)log->first_page / BITS_PER_LONG,
			   BITS_TO_LONGS(log->num_pages));
	kvfree(mask);
	return ret;
}

/* The slot of this number if its writes are logged, or NULL. */
static struct armvmm_memslot *dirty_slot(struct armvmm_vm *vm, u32 id)
{
	struct armvmm_memslots *slots = armvmm_memslot_all(vm);
	int i;

	lockdep_assert_held(&vm->slots_lock);
	for (i = 0; i < slots->nr; i++)
		if (slots->slots[i].id == id && slots->slots[i].dirty_bitmap)
			return &slots->slots[i];
	return NULL;
}

int armvmm_dirty_get_log(struct armvmm_vm *vm, const struct kvm_dirty_log *log)
{
	struct armvmm_memslot *slot;
	int ret = -ENOENT;

	if (log->slot >= ARMVMM_NR_MEMSLOTS)
		return -EINVAL;
	mutex_lock(&vm->slots_lock);
	slot = dirty_slot(vm, log->slot);
	if (slot)
		ret = dirty_get_log(vm, slot, log->dirty_bitmap);
	mutex_unlock(&vm->slots_lock);
	return ret;
}

int armvmm_dirty_clear_log(struct armvmm_vm *vm, const struct kvm_clear_dirty_log *log)
{
	struct armvmm_memslot *slot;
	int ret = -ENOENT;

	if (log->slot >= ARMVMM_NR_MEMSLOTS || (log->first_page & 63))
		return -EINVAL;
	mutex_lock(&vm->slots_lock);
	slot = dirty_slot(vm, log->slot);
	if (slot)
		ret = dirty_clear_log(vm, slot, log);
	mutex_unlock(&vm->slots_lock);
	return ret;
}
