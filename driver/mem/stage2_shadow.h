/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shadow build (docs/coherency.md): where stage 2 maps a page of the host's, and where the copy
 * of it. Other builds have none of this.
 */
#ifndef ARMVMM_STAGE2_SHADOW_H
#define ARMVMM_STAGE2_SHADOW_H

#include <linux/types.h>

struct armvmm_vm;
struct shadow_page;
struct stage2;

#ifdef ARMVMM_SHADOW

/* A copy is of one page: nothing is mapped by blocks. */
static inline bool armvmm_stage2_shadow_blocks(void)
{
	return false;
}

/*
 * For a fault that is about to map @leaf, of the host's page: makes the copy, if the VM is to have
 * one. 0, with *@held NULL or to be given back; -ENOMEM. May sleep.
 */
int armvmm_stage2_shadow_hold(struct armvmm_vm *vm, u64 leaf, struct shadow_page **held);
void armvmm_stage2_shadow_release(struct shadow_page *held);

/* All that follow: stage2.lock held. */

/*
 * Turns *@leaf to the copy of its page if the guest at @ipa is to have that. False: what the fault
 * found is outdated, and the guest has to try again. @mapped: a permission fault.
 */
bool armvmm_stage2_shadow_leaf(struct armvmm_vm *vm, u64 ipa, bool mapped, u64 *leaf);
/* The leaf, of the host's page where it maps the copy. */
u64 armvmm_stage2_shadow_host(u64 leaf);
bool armvmm_stage2_shadow_is_copy(u64 leaf);

/* @leaf is in the tables, or no longer. */
void armvmm_stage2_shadow_map(u64 leaf);
void armvmm_stage2_shadow_unmap(u64 leaf);
/* TLBs and caches were flushed: frees the copies that are not mapped. */
void armvmm_stage2_shadow_reap(struct stage2 *s2);

#else

static inline bool armvmm_stage2_shadow_blocks(void)
{
	return true;
}

static inline int armvmm_stage2_shadow_hold(struct armvmm_vm *vm, u64 leaf,
					    struct shadow_page **held)
{
	return 0;
}

static inline void armvmm_stage2_shadow_release(struct shadow_page *held)
{
}

static inline bool armvmm_stage2_shadow_leaf(struct armvmm_vm *vm, u64 ipa, bool mapped, u64 *leaf)
{
	return true;
}

static inline u64 armvmm_stage2_shadow_host(u64 leaf)
{
	return leaf;
}

static inline bool armvmm_stage2_shadow_is_copy(u64 leaf)
{
	return false;
}

static inline void armvmm_stage2_shadow_map(u64 leaf)
{
}

static inline void armvmm_stage2_shadow_unmap(u64 leaf)
{
}

static inline void armvmm_stage2_shadow_reap(struct stage2 *s2)
{
}

#endif
#endif
