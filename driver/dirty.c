// SPDX-License-Identifier: GPL-2.0-only
/* Which pages of a slot the guest wrote: a bitmap, and write-protected pages that fill it. */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat/compat.h"

#include "memslot.h"
#include "stage2.h"
#include "vm.h"

/* Words of the bitmap per round under the lock. */
#define DIRTY_WORDS	512

void armvmm_dirty_mark(struct armvmm_memslot *slot, u64 gfn)
{
	if (slot->dirty_bitmap)
		set_bit((unsigned long)(gfn - slot->base_gfn), slot->dirty_bitmap);
}

/*
 * Takes @n words from @first on, and makes their pages show their next write. Under the lock,
 * like the fault that makes a page writable and notes it: a write is in this answer or in the
 * next, never in none. The TLBs go before the lock does, or a vCPU could write on unseen.
 */
static void dirty_harvest(struct armvmm_vm *vm, const struct armvmm_memslot *slot,
			  unsigned long *out, unsigned long first, unsigned long n)
{
	struct stage2 *s2 = &vm->stage2;
	bool changed = false;
	unsigned long i;

	spin_lock(&s2->lock);
	for (i = 0; i < n; i++) {
		unsigned long *word = &slot->dirty_bitmap[first + i];
		u64 gfn = slot->base_gfn + (first + i) * BITS_PER_LONG;
		unsigned long mask, bit, end;

		if (!READ_ONCE(*word))
			continue;
		mask = xchg(word, 0);
		out[i] = mask;
		/* Runs of neighbours cost one walk. */
		for (bit = __ffs(mask); bit < BITS_PER_LONG;
		     bit = find_next_bit(&mask, BITS_PER_LONG, end)) {
			end = find_next_zero_bit(&mask, BITS_PER_LONG, bit);
			changed |= armvmm_stage2_protect_locked(s2, (gfn + bit) << PAGE_SHIFT,
								(u64)(end - bit) << PAGE_SHIFT);
		}
	}
	if (changed)
		armvmm_stage2_flush_tlb(s2);
	spin_unlock(&s2->lock);
}

static int dirty_get_log(struct armvmm_vm *vm, const struct armvmm_memslot *slot,
			 void __user *to)
{
	unsigned long words = BITS_TO_LONGS(slot->npages), done, n;
	unsigned long *out;

	/*
	 * The whole answer is taken before any of it is copied: the copy may fault, and must not
	 * run under the lock.
	 */
	out = kvzalloc(armvmm_dirty_bytes(slot->npages), GFP_KERNEL_ACCOUNT);
	if (!out)
		return -ENOMEM;
	for (done = 0; done < words; done += n) {
		n = min(words - done, (unsigned long)DIRTY_WORDS);
		dirty_harvest(vm, slot, out + done, done, n);
		cond_resched();
	}
	n = copy_to_user(to, out, armvmm_dirty_bytes(slot->npages));
	kvfree(out);
	return n ? -EFAULT : 0;
}

/* -EINVAL: no such slot number; -ENOENT: no slot there, or its writes are not logged. */
int armvmm_dirty_get_log(struct armvmm_vm *vm, struct kvm_dirty_log *log)
{
	struct armvmm_memslots *slots;
	int ret = -ENOENT, i;

	if (log->slot >= ARMVMM_NR_MEMSLOTS)
		return -EINVAL;
	mutex_lock(&vm->slots_lock);
	slots = armvmm_memslot_all(vm);
	for (i = 0; i < slots->nr; i++) {
		if (slots->slots[i].id == log->slot && slots->slots[i].dirty_bitmap)
			ret = dirty_get_log(vm, &slots->slots[i], log->dirty_bitmap);
	}
	mutex_unlock(&vm->slots_lock);
	return ret;
}
