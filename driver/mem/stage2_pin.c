// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory on a kernel without MMU notifiers. Nobody tells the module when the client's memory
 * changes, so each page is pinned when the guest first touches it, until its slot goes. Until then
 * the host neither moves nor frees the page, and the guest keeps it whatever the client does to its
 * mapping. KVM_CAP_SYNC_MMU answers 0 to tell the client so.
 *
 * A page is pinned for writing if the client may write there, even if the guest only reads: that
 * breaks copy on write at once, so that later writes of the client's go to the same page.
 *
 * A slot has a word for each page, in leaves that are allocated when the guest touches one of their
 * pages: a thousandth of what is pinned. A word is set under stage2.lock, and a fault that read an
 * older value installs nothing (armvmm_stage2_retry). A page is unpinned when no table, no TLB and
 * no fault in progress has it: after its slot was replaced, vm->srcu synchronized and the slot
 * unmapped (memslot.c); after the VM's tables were freed; or after it was unmapped under the lock,
 * to be replaced by another page, or because the client gives it back (ARMVMM_UNPIN).
 *
 * Pinned pages are charged as elsewhere in the kernel: to the process (mm->pinned_vm, VmPin of
 * /proc/PID/status) and to its user, each up to RLIMIT_MEMLOCK, unless there is CAP_IPC_LOCK. The
 * user's count also bounds VMs whose fds outlive the process that made them.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "compat/compat.h"

#include "core/state.h"
#include "mem/stage2.h"
#include "mem/stage2_host.h"
#include "mem/stage2_host_entry.h"

/* In a slot's word, which has the address of the struct page: the page is pinned for writing. */
#define PIN_WRITE	1ul

/* Words of a leaf. */
#define PIN_LEAF	(PAGE_SIZE / sizeof(unsigned long))

/* How many pages are unpinned at once. */
#define PIN_BATCH	32

/* How often pinning is tried while somebody else holds the page for a moment. */
#define PIN_TRIES	16

const bool armvmm_stage2_host_syncs;

static struct page *pin_page(unsigned long pin)
{
	return (struct page *)(pin & ~PIN_WRITE);
}

/* Charges one page, up to @limit pages of the process, and of the user if a user is charged. */
static bool pin_charge(struct armvmm_vm *vm, unsigned long limit)
{
	if (atomic64_inc_return(&vm->mm->pinned_vm) > limit)
		goto err_mm;
	if (vm->pin_cred && compat_user_locked_add(vm->pin_cred->user, 1) > limit)
		goto err_user;
	return true;

err_user:
	compat_user_locked_add(vm->pin_cred->user, -1);
err_mm:
	atomic64_dec(&vm->mm->pinned_vm);
	return false;
}

static void pin_unaccount(struct armvmm_vm *vm, unsigned long pages)
{
	if (vm->pin_cred)
		compat_user_locked_add(vm->pin_cred->user, -(long)pages);
	atomic64_sub(pages, &vm->mm->pinned_vm);
}

/*
 * Charges for one page; with @more, for one that will replace another in a moment, and so may be
 * one too many. -ENOMEM: the client may pin no more.
 */
static int pin_account(struct armvmm_vm *vm, bool more)
{
	unsigned long bytes = rlimit(RLIMIT_MEMLOCK), limit = bytes >> PAGE_SHIFT;

	if (bytes == RLIM_INFINITY || capable(CAP_IPC_LOCK))
		limit = ULONG_MAX - 1;

	return pin_charge(vm, limit + more) ? 0 : -ENOMEM;
}

/* KVM_RUN's errno does not name the limit. Once an hour, as a user may make any number of VMs. */
static void pin_tell_limit(void)
{
	static unsigned long told;

	if (printk_timed_ratelimit(&told, 3600 * MSEC_PER_SEC))
		pr_info("%s[%d]: RLIMIT_MEMLOCK (%lu KiB) allows no more guest memory, which this kernel (MMU_NOTIFIER=n) has pinned: raise it (ulimit -l) to the RAM of all guests of the user and more\n",
			current->comm, task_tgid_nr(current), rlimit(RLIMIT_MEMLOCK) >> 10);
}

/* The host has not seen what the guest wrote to the page, so it is marked dirty here. */
static void pin_drop(struct armvmm_vm *vm, unsigned long pin)
{
	struct page *page = pin_page(pin);

	unpin_user_pages_dirty_lock(&page, 1, pin & PIN_WRITE);
	pin_unaccount(vm, 1);
}

/*
 * A file's pages that go back to a disk: the file system is told of each write before it happens,
 * and a pin for writing is one write of any length. (Since 6.5 the kernel refuses these by itself.)
 */
static bool pin_is_tracked(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & (VM_SHARED | VM_WRITE)) == (VM_SHARED | VM_WRITE) &&
	       vma->vm_ops && (vma->vm_ops->page_mkwrite || vma->vm_ops->pfn_mkwrite);
}

/*
 * Looks up what the client may do at @hva, and its memory type there. A driver's mapping without
 * struct pages cannot be pinned.
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
	    !(vma->vm_flags & (VM_IO | VM_PFNMAP)) && !(write && pin_is_tracked(vma))) {
		*may_write = vma->vm_flags & VM_WRITE && !pin_is_tracked(vma);
		*attr = stage2_host_attr(pgprot_val(vma->vm_page_prot));
		ret = 0;
	}
	mmap_read_unlock(vm->mm);
	return ret;
}

/*
 * Pins the page at @hva. A page in CMA memory or a movable zone is moved first. While somebody else
 * holds the page, that fails with -ENOMEM or -EBUSY, and is tried again.
 */
static int pin_get(struct armvmm_vm *vm, unsigned long hva, bool write, unsigned long *pin)
{
	unsigned int tries = PIN_TRIES;
	struct page *page;
	int ret;

	for (;;) {
		ret = pin_user_pages_fast(hva, 1, FOLL_LONGTERM | (write ? FOLL_WRITE : 0), &page);
		if (ret == 1) {
			*pin = (unsigned long)page | (write ? PIN_WRITE : 0);
			return 0;
		}
		if ((ret != -ENOMEM && ret != -EBUSY) || fatal_signal_pending(current) || !--tries)
			break;
		cond_resched();
	}
	if (ret == -EINTR || ret == -ERESTARTSYS || ret == -EAGAIN || fatal_signal_pending(current))
		return -EAGAIN;
	/* A poisoned page is -EFAULT, like an address with no page. */
	return ret == -ENOMEM || ret == -EBUSY ? -ENOMEM : -EFAULT;
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
 * Replaces @old, which is mapped at @ipa, by @new, and unmaps it from the guest. False if another
 * vCPU was faster, or if pages were unpinned since @unpin_seq was read: then @new may be what the
 * client has given back. A reader that reads invalidate_seq before the word cannot miss the change.
 */
static bool pin_replace(struct armvmm_vm *vm, u64 ipa, unsigned long *word, unsigned long old,
			unsigned long new, unsigned long unpin_seq)
{
	struct stage2 *s2 = &vm->stage2;
	bool done;

	spin_lock(&s2->lock);
	done = *word == old && s2->unpin_seq == unpin_seq;
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

/*
 * The VM's other vCPUs may be charged for pages that they are about to give back, such as this same
 * page: at most one for each vCPU, and not for long. True if one was while this vCPU was refused:
 * it still is, or has given its charge back since @returned was read. Or it has pinned this page.
 */
static bool pin_was_in_the_way(struct armvmm_vm *vm, const unsigned long *word, unsigned long old,
			       int returned)
{
	/* Pairs with pin_new(): what a vCPU that is no longer pending did is seen. */
	return atomic_read_acquire(&vm->pins_pending) > 1 ||
	       atomic_read(&vm->pins_returned) != returned || READ_ONCE(*word) != old;
}

/* Who was pending in pins_pending is not so any more; with @any, it has given back a charge. */
static void pin_returned(struct armvmm_vm *vm, bool any)
{
	if (any) {
		smp_mb__before_atomic();
		atomic_inc(&vm->pins_returned);
	}
	/* Pairs with pin_was_in_the_way(). */
	smp_mb__before_atomic();
	atomic_dec(&vm->pins_pending);
}

/* Charges for @hva's page, pins it and replaces @old by it. -EAGAIN: the guest tries again. */
static int pin_charged(struct armvmm_vm *vm, u64 ipa, unsigned long hva, bool write,
		       unsigned long *word, unsigned long old, unsigned long *new)
{
	/* Before the page is looked up, and its charge, whose atomics are barriers. */
	unsigned long unpin_seq = READ_ONCE(vm->stage2.unpin_seq);
	int returned = atomic_read(&vm->pins_returned);
	int ret = pin_account(vm, old);

	if (ret) {
		if (pin_was_in_the_way(vm, word, old, returned))
			return -EAGAIN;
		pin_tell_limit();
		return ret;
	}
	ret = pin_get(vm, hva, write, new);
	if (ret) {
		pin_unaccount(vm, 1);
		return ret;
	}
	if (!pin_replace(vm, ipa, word, old, *new, unpin_seq)) {
		pin_drop(vm, *new);
		return -EAGAIN;
	}
	/* A page that replaced another is installed by the guest's next fault. */
	if (old) {
		pin_drop(vm, old);
		return -EAGAIN;
	}
	return 0;
}

static int pin_new(struct armvmm_vm *vm, u64 ipa, unsigned long hva, bool write,
		   unsigned long *word, unsigned long old, unsigned long *new)
{
	int ret;

	/* Before the charge: who is refused because of it sees this (pin_charge()'s atomics). */
	atomic_inc(&vm->pins_pending);
	ret = pin_charged(vm, ipa, hva, write, word, old, new);
	/* A charge that was refused counted, too, for a moment. It is given back first. */
	pin_returned(vm, ret);
	return ret;
}

int armvmm_stage2_host_get(struct armvmm_vm *vm, struct stage2_host_seen *seen,
			   struct armvmm_memslot *slot, unsigned long hva, bool write,
			   struct stage2_host_page *page)
{
	unsigned long i = (hva - slot->userspace_addr) >> PAGE_SHIFT;
	unsigned long *word = pin_word(slot, i);
	unsigned long pin, new;
	bool may_write;
	int ret;

	might_sleep();
	if (!word)
		return -ENOMEM;
	page->hva_cpu = -1;
	page->was_there = false;
	page->huge = false;
	page->seq = READ_ONCE(vm->stage2.invalidate_seq);
	/* Pairs with the smp_wmb() in pin_replace(). */
	smp_rmb();
	pin = READ_ONCE(*word);

	ret = pin_look(vm, hva, write, &may_write, &page->attr);
	if (ret)
		return ret;
	if (!pin || (write && !(pin & PIN_WRITE))) {
		ret = pin_new(vm, (slot->base_gfn + i) << PAGE_SHIFT, hva, may_write, word, pin,
			      &new);
		if (ret)
			return ret;
		pin = new;
	}
	page->pfn = page_to_pfn(pin_page(pin));
	page->writable = pin & PIN_WRITE;
	return 0;
}

/* A page that is pinned is charged to the client: only what the guest touches. */
unsigned int armvmm_stage2_host_more(const struct stage2_host_seen *seen,
				     const struct stage2_host_page *page, unsigned long hva,
				     unsigned int n, unsigned long *pfns, int *hva_cpu)
{
	return 0;
}

struct page *armvmm_stage2_host_page_get(struct armvmm_vm *vm, struct armvmm_memslot *slot,
					 unsigned long hva, bool write)
{
	unsigned int tries = PIN_TRIES;
	struct stage2_host_page host;
	struct page *page = NULL;
	int ret;

	do {
		ret = armvmm_stage2_host_get(vm, NULL, slot, hva, write, &host);
		if (ret == -EAGAIN)
			continue;
		if (ret)
			return NULL;
		/* Another vCPU may replace this page: hold it while it is used. */
		spin_lock(&vm->stage2.lock);
		if (!armvmm_stage2_retry(&vm->stage2, host.seq, hva & PAGE_MASK, PAGE_SIZE)) {
			page = pfn_to_page(host.pfn);
			get_page(page);
		}
		spin_unlock(&vm->stage2.lock);
	} while (!page && --tries && !fatal_signal_pending(current));
	return page;
}

/* It may have been unpinned meanwhile, and so marked dirty before it was written. */
void armvmm_stage2_host_page_put(struct page *page, bool written)
{
	if (written)
		set_page_dirty_lock(page);
	put_page(page);
}

int armvmm_stage2_host_slot_init(struct armvmm_memslot *slot)
{
	slot->pins = kvcalloc(DIV_ROUND_UP(slot->npages, PIN_LEAF), sizeof(*slot->pins),
			      GFP_KERNEL_ACCOUNT);
	return slot->pins ? 0 : -ENOMEM;
}

/* Pages to be unpinned: all dirty, or none; with @charged, still charged to the client. */
struct pin_batch {
	struct page *pages[PIN_BATCH];
	unsigned long nr;
	bool dirty;
	bool charged;
};

static void pin_batch_drop(struct armvmm_vm *vm, struct pin_batch *batch)
{
	if (!batch->nr)
		return;
	unpin_user_pages_dirty_lock(batch->pages, batch->nr, batch->dirty);
	if (batch->charged)
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

/*
 * Takes what is pinned of @n pages from @i on, all in one leaf, from the guest; fills @pins with
 * their words and returns how many. The order is that of pin_replace(). Their charge is given back
 * at once, as the guest may touch them at once: no vCPU is refused for it (pin_was_in_the_way()).
 */
static unsigned int pin_take(struct armvmm_vm *vm, struct armvmm_memslot *slot, unsigned long i,
			     unsigned int n, unsigned long *pins)
{
	unsigned long *word = &slot->pins[i / PIN_LEAF][i % PIN_LEAF];
	struct stage2 *s2 = &vm->stage2;
	unsigned int j, nr = 0;

	atomic_inc(&vm->pins_pending);
	spin_lock(&s2->lock);
	for (j = 0; j < n; j++) {
		if (!word[j])
			continue;
		pins[nr++] = word[j];
		WRITE_ONCE(word[j], 0);
	}
	if (nr) {
		/* Pairs with the smp_rmb() in armvmm_stage2_host_get(). */
		smp_wmb();
		WRITE_ONCE(s2->invalidate_seq, s2->invalidate_seq + 1);
		armvmm_stage2_unmap_locked(s2, (u64)(slot->base_gfn + i) << PAGE_SHIFT,
					   (u64)n << PAGE_SHIFT, false);
	}
	spin_unlock(&s2->lock);
	pin_unaccount(vm, nr);
	pin_returned(vm, nr);
	return nr;
}

void armvmm_stage2_host_unpin(struct armvmm_vm *vm, struct armvmm_memslot *slot,
			      unsigned long first, unsigned long nr)
{
	unsigned long end = first + nr, i, next, pins[PIN_BATCH];
	struct pin_batch batch = { };
	unsigned int j, n;

	might_sleep();
	/* Faults that have looked up a page, and not told yet, look it up again. */
	spin_lock(&vm->stage2.lock);
	WRITE_ONCE(vm->stage2.unpin_seq, vm->stage2.unpin_seq + 1);
	spin_unlock(&vm->stage2.lock);
	for (i = first; i < end && !fatal_signal_pending(current); i = next) {
		next = min(end, (i | (PIN_LEAF - 1)) + 1);
		/* A leaf stays as long as its slot. */
		if (!READ_ONCE(slot->pins[i / PIN_LEAF]))
			continue;
		next = min(next, i + PIN_BATCH);
		n = pin_take(vm, slot, i, next - i, pins);
		for (j = 0; j < n; j++)
			pin_batch_add(vm, &batch, pins[j]);
		pin_batch_drop(vm, &batch);
		cond_resched();
	}
}

void armvmm_stage2_host_slot_release(struct armvmm_vm *vm, struct armvmm_memslot *slot)
{
	unsigned long leaves = DIV_ROUND_UP(slot->npages, PIN_LEAF), i, j;
	struct pin_batch batch = { .charged = true };

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
	if (!capable(CAP_IPC_LOCK))
		vm->pin_cred = get_current_cred();
	return 0;
}

void armvmm_stage2_host_vm_release(struct armvmm_vm *vm)
{
}

void armvmm_stage2_host_vm_destroy(struct armvmm_vm *vm)
{
	if (vm->pin_cred)
		put_cred(vm->pin_cred);
	vm->pin_cred = NULL;
}
