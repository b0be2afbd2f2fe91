/* SPDX-License-Identifier: GPL-2.0-only */
/* The HYP address space: one LPAE table for all CPUs, kernel addresses kept. */
#ifndef ARMVMM_HYPMAP_H
#define ARMVMM_HYPMAP_H

#include <linux/types.h>

enum hypmap_prot {
	HYPMAP_TEXT,		/* read-only, executable */
	HYPMAP_DATA,		/* read-write, never executable */
	HYPMAP_DEVICE,		/* read-write, Device memory */
};

/* Module init and exit. The tables stay while any CPU runs on them. */
int armvmm_hypmap_init(void);
void armvmm_hypmap_exit(void);
u64 armvmm_hypmap_httbr(void);	/* physical address of the first-level table */

/*
 * Maps the pages of [addr, addr + size) in HYP at their kernel address: lowmem,
 * vmalloc or module memory. -EEXIST where another page is mapped there. May sleep.
 */
int armvmm_hypmap_add(const void *addr, size_t size, enum hypmap_prot prot);
/* Maps physical memory at a chosen HYP address: ioremapped registers, the identity page. */
int armvmm_hypmap_add_phys(unsigned long va, phys_addr_t pa, size_t size, enum hypmap_prot prot);
/* Unmaps, and flushes HYP's TLB entries on all CPUs. */
void armvmm_hypmap_remove(const void *addr, size_t size);

/*
 * Zeroed memory of whole pages that HYP sees at the same address, charged to
 * the caller's memory cgroup. NULL when there is none. May sleep.
 */
void *armvmm_hypmap_alloc(size_t size);
void armvmm_hypmap_free(void *p, size_t size);

#endif
