// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory on a kernel without MMU notifiers: nobody tells when the client's memory changes, so
 * a page that the guest has is pinned, from its first touch until its slot goes. The host neither
 * moves nor frees it meanwhile, whatever the client does to its mapping: the guest keeps the page
 * that it had. That is what KVM_CAP_SYNC_MMU of 0 tells the client.
 *
 * A page is pinned for writing wherever the client may write there, even if the guest only reads:
 * copy on write is settled then, and a later write of the client's finds the same page.
 *
 * Each slot has a word for each page, in leaves that are there once the guest touched one of their
 * pages: what it costs is a thousandth of what is pinned. A word is set under stage2.lock, and who
 * read another before installs nothing by it (armvmm_stage2_retry). A page is unpinned when no
 * table has it any more, no TLB and no fault that is on its way: after a slot was taken out,
 * vm->srcu waited for and the slot unmapped (memslot.c); after the tables went with the VM; or
 * after it was unmapped under the lock for another to take its place.
 *
 * Accounted as others account what they pin: mm->pinned_vm (VmPin of /proc/PID/status) against
 * RLIMIT_MEMLOCK, which CAP_IPC_LOCK is above.
 */
#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "compat/compat.h"

#include "core/state.h"
#include "mem/stage2.h"
#include "mem/stage2_host.h"
#include "mem/stage2_host_entry.h"

/* In a word of a slot, beside the address of the struct page: pinned for writing. */
#define PIN_WRITE	1ul

/* Words of a leaf. */
#define PIN_LEAF	(PAGE_SIZE / sizeof(unsigned long))

/* How many pages are unpinned at once. */
#define PIN_BATCH	32

const bool armvmm_stage2_host_syncs;

static struct page *pin_page(unsigned long pin)
{
	return (struct page *)(pin & ~PIN_WRITE);
}

/*
 * -ENOMEM where the owner may pin no more. RLIMIT_MEMLOCK is named once for each VM: KVM_RUN
 * returns a number alone.
 */
static int pin_account(struct armvmm_vm *vm)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;

	if (atomic64_inc_return(&vm->mm->pinned_vm) <= limit || capable(CAP_IPC_LOCK))
		return 0;
	atomic64_dec(&vm->mm->pinned_vm);
	if (!xchg(&vm->pin_refused, true))
		pr_info_ratelimited("%s[%d]: RLIMIT_MEMLOCK (%lu KiB) allows no more guest memory, which this kernel (MMU_NOTIFIER=n) has pinned: raise it (ulimit -l) to the guest's RAM and more\n",
				    current->comm, task_tgid_nr(current),
				    limit << (PAGE_SHIFT - 10));
	return -ENOMEM;
}

static void pin_unaccount(struct armvmm_vm *vm, unsigned long pages)
{
	atomic64_sub(pages, &vm->mm->pinned_vm);
}

/* What the guest may have written is dirty from here on: nothing else of the host has seen it. */
static void pin_drop(struct armvmm_vm *vm, unsigned long pin)
{
	struct page *page = pin_page(pin);

	unpin_user_pages_dirty_lock(&page, 1, pin & PIN_WRITE);
	pin_unaccount(vm, 1);
}

/*
 * What the client may do at @hva, and which memory type it has there. A driver's mapping that no
 * struct pages stand behind cannot be pinned.
 */
static int pin_look(struct armvmm_vm *vm, unsigned long hva, bool write, bool *may_write,
		    u64 *attr)
{
	struct vm_area_struct *vma;
	int ret = -EFAULT;

	if (mmap_read_lock_killable(vm->mm))
		return -EAGAIN;
	vma = find_vma(vm->mm, hva);
	if (vma && hva >= vma->vm_start && vma->vm_flags & (write ? VM_WRITE : VM_READ) &&
	    !(vma->vm_flags & (VM_IO | VM_PFNMAP))) {
		*may_write = vma->vm_flags & VM_WRITE;
		*attr = stage2_host_attr(pgprot_val(vma->vm_page_prot));
		ret = 0;
	}
	mmap_read_unlock(vm->mm);
	return ret;
}

/* Pins the page at @hva, and accounts for it. */
static int pin_get(struct armvmm_vm *vm, unsigned long hva, bool write, unsigned long *pin)
{
	struct page *page;
	int ret;

	ret = pin_account(vm);
	if (ret)
		return ret;
	ret = pin_user_pages_fast(hva, 1, FOLL_LONGTERM | (write ? FOLL_WRITE : 0), &page);
	if (ret == 1) {
		*pin = (unsigned long)page | (write ? PIN_WRITE : 0);
		return 0;
	}
	pin_unaccount(vm, 1);
	if (ret == -EINTR || ret == -ERESTARTSYS)
		return -EAGAIN;
	/* A page that is no longer any good is -EFAULT as one that is not there. */
	return ret == -ENOMEM || ret == -EAGAIN ? ret : -EFAULT;
}

/* The word of the slot's page @i, or NULL where there is no memory for its leaf. */
static unsigned long *pin_word(struct armvmm_memslot *slot, unsigned long i)
{
	unsigned long **leaf = &slot->pins[i / PIN_LEAF];

	if (!READ_ONCE(*leaf)) {
		unsigned long *new = (unsigned long *)get_zeroed_page(GFP_KERNEL_ACCOUNT);

		if (!new)
			return NULL;
		/* Another vCPU's may be there by now. */
		if (cmpxchg(leaf, NULL, new))
			free_page((unsigned long)new);
	}
	return &READ_ONCE(*leaf)[i % PIN_LEAF];
}

/*
 * Puts @new where @old was, and takes @old, which is mapped at @ipa, from the guest first. False
 * where another vCPU was faster. The words are found in order by who reads invalidate_seq first.
 */
static bool pin_replace(struct armvmm_vm *vm, u64 ipa, unsigned long *word, unsigned long old,
			unsigned long new)
{
	struct stage2 *s2 = &vm->stage2;
	bool done;

	spin_lock(&s2->lock);
	done = *word == old;
	if (done) {
		WRITE_ONCE(*word, new);
		if (old) {
			/* Pairs with the smp_rmb() in armvmm_stage2_host_get(). */
			smp_wmb();
			WRITE_ONCE(s2->invalidate_seq, s2->invalidate_seq + 1);
			armvmm_stage2_unmap_locked(s2, ipa, PAGE_SIZE, false);
		}
	}
	spin_unlock(&s2->lock);
	return done;
}

int armvmm_stage2_host_get(struct armvmm_vm *vm, struct armvmm_memslot *slot, unsigned long hva,
			   bool write, struct stage2_host_page *page)
{
	unsigned long i = (hva - slot->userspace_addr) >> PAGE_SHIFT;
	unsigned long *word = pin_word(slot, i);
	unsigned long pin, new;
	bool may_write;
	int ret;

	might_sleep();
	if (!word)
		return -ENOMEM;
	page->huge = false;
	page->seq = READ_ONCE(vm->stage2.invalidate_seq);
	/* Pairs with the smp_wmb() in pin_replace(). */
	smp_rmb();
	pin = READ_ONCE(*word);

	ret = pin_look(vm, hva, write, &may_write, &page->attr);
	if (ret)
		return ret;
	if (!pin || (write && !(pin & PIN_WRITE))) {
		ret = pin_get(vm, hva, may_write, &new);
		if (ret)
			return ret;
		if (!pin_replace(vm, (slot->base_gfn + i) << PAGE_SHIFT, word, pin, new)) {
			pin_drop(vm, new);
			return -EAGAIN;
		}
		/* What took the place of another is installed by the guest's next try. */
		if (pin) {
			pin_drop(vm, pin);
			return -EAGAIN;
		}
		pin = new;
	}
	page->pfn = page_to_pfn(pin_page(pin));
	page->writable = pin & PIN_WRITE;
	return 0;
}

int armvmm_stage2_host_slot_init(struct armvmm_memslot *slot)
{
	slot->pins = kvcalloc(DIV_ROUND_UP(slot->npages, PIN_LEAF), sizeof(*slot->pins),
			      GFP_KERNEL_ACCOUNT);
	return slot->pins ? 0 : -ENOMEM;
}

/* Pages to be unpinned that are dirty all, or none. */
struct pin_batch {
	struct page *pages[PIN_BATCH];
	unsigned long nr;
	bool dirty;
};

static void pin_batch_drop(struct armvmm_vm *vm, struct pin_batch *batch)
{
	if (!batch->nr)
		return;
	unpin_user_pages_dirty_lock(batch->pages, batch->nr, batch->dirty);
	pin_unaccount(vm, batch->nr);
	batch->nr = 0;
	cond_resched();
}

static void pin_batch_add(struct armvmm_vm *vm, struct pin_batch *batch, unsigned long pin)
{
	bool dirty = pin & PIN_WRITE;

	if (batch->nr == PIN_BATCH || batch->dirty != dirty)
		pin_batch_drop(vm, batch);
	batch->dirty = dirty;
	batch->pages[batch->nr++] = pin_page(pin);
}

void armvmm_stage2_host_slot_release(struct armvmm_vm *vm, struct armvmm_memslot *slot)
{
	unsigned long leaves = DIV_ROUND_UP(slot->npages, PIN_LEAF), i, j;
	struct pin_batch batch = { };

	might_sleep();
	if (!slot->pins)
		return;
	for (i = 0; i < leaves; i++) {
		if (!slot->pins[i])
			continue;
		for (j = 0; j < PIN_LEAF; j++)
			if (slot->pins[i][j])
				pin_batch_add(vm, &batch, slot->pins[i][j]);
		free_page((unsigned long)slot->pins[i]);
	}
	pin_batch_drop(vm, &batch);
	kvfree(slot->pins);
	slot->pins = NULL;
}

int armvmm_stage2_host_vm_init(struct armvmm_vm *vm)
{
	return 0;
}

void armvmm_stage2_host_vm_release(struct armvmm_vm *vm)
{
}
