/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the client has at an address: the source of every stage-2 entry. What keeps the entries true
 * is one of two, as the kernel has it (Kbuild): MMU notifiers, and then the source is the client's
 * page table (stage2_host.c, stage2_notifier.c); or pages that are pinned for as long as the guest
 * may have them (stage2_pin.c).
 */
#ifndef ARMVMM_STAGE2_HOST_H
#define ARMVMM_STAGE2_HOST_H

#include <linux/types.h>

struct armvmm_memslot;
struct armvmm_vm;
struct page;
struct stage2_host_seen;

struct stage2_host_page {
	unsigned long pfn;	/* of the 4 KiB page */
	bool writable;		/* the host page is writable and dirty already */
	int hva_cpu;		/* where the client's own address reaches it; -1: nowhere */
	bool was_there;		/* it does, and no fault of the client's had to bring the page in */
	bool huge;		/* part of a 2 MiB mapping, physically contiguous and aligned */
	u64 attr;		/* STAGE2_ATTR_*: the client's memory type */
	unsigned long seq;	/* for armvmm_stage2_retry() */
};

/* KVM_CAP_SYNC_MMU: the guest's memory follows the client's mappings. */
extern const bool armvmm_stage2_host_syncs;

/*
 * Looks @hva of the VM's mm up, which is in @slot, and faults it in where it is not there, or not
 * writable and @write asks for it. The caller is a thread of that mm and holds vm->srcu. May sleep.
 * @seen: the vCPU's, or NULL.
 *
 * 0: @page is filled; valid only under stage2.lock as long as armvmm_stage2_retry() says no.
 * -EAGAIN: a signal is pending, or the page went away as often as it came: enter the guest again.
 * -EFAULT: nothing is mapped there, or not so that the access is allowed, or the page is bad.
 * -ENOMEM: of the host, or of what the client may pin (RLIMIT_MEMLOCK).
 */
int armvmm_stage2_host_get(struct armvmm_vm *vm, struct stage2_host_seen *seen,
			   struct armvmm_memslot *slot, unsigned long hva, bool write,
			   struct stage2_host_page *page);

/* Pages that armvmm_stage2_host_more() looks for at once, with IRQs off. */
#define STAGE2_HOST_MORE	4

/*
 * The pages from @hva on that the client may write to now, @n or STAGE2_HOST_MORE at most: their
 * numbers. Each is cached memory, and @hva_cpu is where the client's own address reaches it. For a
 * fault that has just found @page, in another place of the same slot, with @seen: valid as that is.
 * 0 unless that had an hva_cpu.
 */
unsigned int armvmm_stage2_host_more(const struct stage2_host_seen *seen,
				     const struct stage2_host_page *page, unsigned long hva,
				     unsigned int n, unsigned long *pfns, int *hva_cpu);

/*
 * The page that the guest has at @hva, of @slot, for the kernel to read or, with @write, to write
 * in the guest's name; it is the kernel's until it is put back. NULL where there is none. Callers
 * as above. May sleep.
 */
struct page *armvmm_stage2_host_page_get(struct armvmm_vm *vm, struct armvmm_memslot *slot,
					 unsigned long hva, bool write);
void armvmm_stage2_host_page_put(struct page *page, bool written);

/*
 * Before the first entry, and after the last look at the client's memory (-ENOMEM, -EINTR); then,
 * when the last slot has gone.
 */
int armvmm_stage2_host_vm_init(struct armvmm_vm *vm);
void armvmm_stage2_host_vm_release(struct armvmm_vm *vm);
void armvmm_stage2_host_vm_destroy(struct armvmm_vm *vm);

/* For a new slot. -ENOMEM. */
int armvmm_stage2_host_slot_init(struct armvmm_memslot *slot);
/*
 * Takes pages @first to @first + @nr of the slot from the guest, where they are pinned: it gets
 * what the client has there by its next touch. Caller holds vm->srcu. May sleep; a fatal signal
 * ends it.
 */
void armvmm_stage2_host_unpin(struct armvmm_vm *vm, struct armvmm_memslot *slot,
			      unsigned long first, unsigned long nr);
/*
 * Releases the memory of a slot, which no fault can find any more and of which nothing is mapped.
 * May sleep.
 */
void armvmm_stage2_host_slot_release(struct armvmm_vm *vm, struct armvmm_memslot *slot);

#endif
