/* SPDX-License-Identifier: GPL-2.0-only */
/* What the client's own page table says of an address: the source of every stage-2 entry. */
#ifndef ARMVMM_STAGE2_HOST_H
#define ARMVMM_STAGE2_HOST_H

#include <linux/types.h>

struct armvmm_vm;

struct stage2_host_page {
	unsigned long pfn;	/* of the 4 KiB page */
	bool writable;		/* the host page is writable and dirty already */
	bool huge;		/* part of a 2 MiB mapping, physically contiguous and aligned */
	u64 attr;		/* STAGE2_ATTR_*: the client's memory type */
	unsigned long seq;	/* for armvmm_stage2_retry() */
};

/*
 * Looks @hva of the VM's mm up, and faults it in where it is not there, or not writable and
 * @write asks for it. The caller is a thread of that mm. May sleep.
 *
 * 0: @page is filled; valid only under stage2.lock as long as armvmm_stage2_retry() says no.
 * -EAGAIN: a signal is pending, or the page went away as often as it came: enter the guest again.
 * -EFAULT: nothing is mapped there, or not so that the access is allowed, or the page is bad.
 * -ENOMEM.
 */
int armvmm_stage2_host_get(struct armvmm_vm *vm, unsigned long hva, bool write,
			   struct stage2_host_page *page);

#endif
