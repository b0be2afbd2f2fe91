/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMIDs of 8 bits for more VMs than that: numbers with a generation, 64 bits together, so that
 * an old one is never taken for a new one. Pure; the caller has the lock and flushes the TLBs.
 *
 * When the numbers run out, a generation begins: all numbers are free again but those that a CPU
 * uses at that moment, which their VMs keep. So no CPU has to leave its guest, and a number never
 * stands for two VMs between two flushes of all TLBs.
 */
#ifndef ARMVMM_VMID_POOL_H
#define ARMVMM_VMID_POOL_H

#include <linux/types.h>

#include "arch/lpae.h"

#define VMID_NR			(1u << VTTBR_VMID_BITS)
#define VMID_GENERATION		(1ULL << VTTBR_VMID_BITS)
#define VMID_MASK		(VMID_GENERATION - 1)

struct vmid_pool {
	u64 generation;		/* a multiple of VMID_GENERATION, never 0 */
	unsigned int next;	/* where the search for a free number goes on */
	unsigned int nr_cpus;
	u64 *reserved;		/* per CPU: the id that it kept over the last new generation */
	unsigned int host;	/* the number that the host runs with */
	bool used[VMID_NR];	/* number 0 is nobody's, nor is the host's */
	/*
	 * Reads CPU @cpu's active id and makes it 0, in one atomic step: after it, that CPU asks
	 * the pool before its next entry.
	 */
	u64 (*take_active)(unsigned int cpu);
};

/* @nr_cpus, @reserved (zeroed, one per CPU) and @take_active were set by the caller. */
void vmid_pool_init(struct vmid_pool *pool);

/* The host runs with number @n: from before the first vmid_pool_get(). */
void vmid_pool_set_host(struct vmid_pool *pool, unsigned int n);

/*
 * The id that a VM which had @id (0: none yet) uses from now on. @flush becomes true where a
 * generation began: the caller drops all TLB entries of all guests on all CPUs before anybody
 * uses an id of the new one.
 */
u64 vmid_pool_get(struct vmid_pool *pool, u64 id, bool *flush);

#endif
