/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stage-2 descriptors and index arithmetic (DDI 0406C B3.6): pure, so that the unit tests run
 * them on the build machine.
 *
 * IPAs have 40 bits. Level 1 resolves IPA[39:30] by two concatenated tables, 1,024 entries in one
 * piece (VTCR.T0SZ = -8, SL0 = 1; DDI 0406C B3.6.5); level 2 resolves IPA[29:21], level 3
 * IPA[20:12], 512 entries each.
 */
#ifndef ARMVMM_STAGE2_INDEX_H
#define ARMVMM_STAGE2_INDEX_H

#include <linux/types.h>

#include "arch/lpae.h"

#define STAGE2_IPA_BITS		40
#define STAGE2_IPA_SIZE		(1ULL << STAGE2_IPA_BITS)

#define STAGE2_PAGE_SHIFT	LPAE_SHIFT(3)
#define STAGE2_L2_SHIFT		LPAE_SHIFT(2)
#define STAGE2_L1_SHIFT		LPAE_SHIFT(1)
#define STAGE2_PAGE_SIZE	(1ULL << STAGE2_PAGE_SHIFT)
#define STAGE2_L2_SIZE		(1ULL << STAGE2_L2_SHIFT)

#define STAGE2_PGD_ENTRIES	(1u << (STAGE2_IPA_BITS - STAGE2_L1_SHIFT))
#define STAGE2_PGD_SIZE		(STAGE2_PGD_ENTRIES * 8)

/*
 * VTTBR.BADDR is bits [39:x] with x = 5 - T0SZ where SL0 is 1 (DDI 0406C B4.1.160): the
 * concatenated tables are aligned to their size, 8 KiB here.
 */
#define STAGE2_VTTBR_ALIGN	(1ULL << 13)

/*
 * VTCR without SH0, which is as the kernel has its memory: TCR_SH0_INNER, or 0, non-shareable
 * (host/share.h). Walks being cacheable, and shareable with those that write, is why tables need no
 * cleaning: a DSB makes an entry visible to them (B3.10.1).
 */
#define STAGE2_VTCR		(VTCR_SBOP | VTCR_T0SZ(-8) | VTCR_S | VTCR_SL0(1) | \
				 TCR_IRGN0_WBWA | TCR_ORGN0_WBWA)

/* For software (bits [58:55]): the leaf has let the guest write, and may do so no longer. */
#define STAGE2_WRITTEN		(1ULL << 55)

/* What an installed leaf may gain with no break-before-make: permissions, flags. */
#define STAGE2_PERM_MASK	(LPAE_S2_HAP_READ | LPAE_S2_HAP_WRITE | LPAE_XN | LPAE_AF | \
				 STAGE2_WRITTEN)

static inline unsigned int stage2_shift(unsigned int level)
{
	return LPAE_SHIFT(level);
}

static inline u64 stage2_size(unsigned int level)
{
	return 1ULL << stage2_shift(level);
}

/* Index into the table of @level (1 to 3) that resolves @ipa. */
static inline unsigned int stage2_index(u64 ipa, unsigned int level)
{
	unsigned int entries = level == 1 ? STAGE2_PGD_ENTRIES : LPAE_TABLE_ENTRIES;

	return (unsigned int)(ipa >> stage2_shift(level)) & (entries - 1);
}

/* End of the part of [ipa, end) that one entry of @level covers. */
static inline u64 stage2_next(u64 ipa, u64 end, unsigned int level)
{
	u64 next = (ipa | (stage2_size(level) - 1)) + 1;

	return next < end ? next : end;
}

/* At level 3 the same bits are a page. */
static inline bool stage2_is_table(u64 desc)
{
	return (desc & LPAE_TYPE_MASK) == LPAE_TYPE_TABLE;
}

static inline bool stage2_is_block(u64 desc)
{
	return (desc & LPAE_TYPE_MASK) == LPAE_TYPE_BLOCK;
}

static inline u64 stage2_addr(u64 desc)
{
	return desc & LPAE_ADDR_MASK;
}

/*
 * A leaf at @level, 2 or 3, that maps @pa (aligned to the level's size). Its shareability is that
 * of the VM's memory: stage2_share().
 */
static inline u64 stage2_leaf(u64 pa, unsigned int level, u64 attr, bool writable, bool exec)
{
	u64 desc = pa | attr | LPAE_S2_HAP_READ | LPAE_AF;

	desc |= level == 3 ? LPAE_TYPE_PAGE : LPAE_TYPE_BLOCK;
	if (writable)
		desc |= LPAE_S2_HAP_WRITE | STAGE2_WRITTEN;
	if (!exec)
		desc |= LPAE_XN;
	return desc;
}

/*
 * The leaf with @sh, LPAE_SH_INNER or 0, which counts for Normal memory only (B3.8.3): guest and
 * host share it.
 */
static inline u64 stage2_share(u64 leaf, u64 sh)
{
	u64 attr = leaf & LPAE_S2_ATTR_MASK;

	return attr == LPAE_S2_ATTR_WB || attr == LPAE_S2_ATTR_NC ? leaf | sh : leaf;
}

/* Entry @i of the table that maps what the level 2 block @block maps, page by page. */
static inline u64 stage2_split_leaf(u64 block, unsigned int i)
{
	return ((block & ~LPAE_TYPE_MASK) | LPAE_TYPE_PAGE) + ((u64)i << STAGE2_PAGE_SHIFT);
}

/* Bytes that a leaf maps: at level 3 the type of a table is that of a page. */
static inline u64 stage2_leaf_size(u64 leaf)
{
	return stage2_is_table(leaf) ? STAGE2_PAGE_SIZE : STAGE2_L2_SIZE;
}

/*
 * True where a clean cache line of the host's may hide what the guest wrote to the leaf's memory:
 * the host caches it, and the guest could write it, past the caches if it liked (DDI 0406C A3.5.7).
 */
static inline bool stage2_leaf_hides(u64 leaf)
{
	return (leaf & STAGE2_WRITTEN) && (leaf & LPAE_S2_ATTR_MASK) == LPAE_S2_ATTR_WB;
}

/* True where both map the same memory in the same way, up to permissions. */
static inline bool stage2_same_but_perm(u64 a, u64 b)
{
	return !((a ^ b) & ~STAGE2_PERM_MASK);
}

/* What @old and @new allow together, of two leaves that are the same up to permissions. */
static inline u64 stage2_perm_union(u64 old, u64 new)
{
	return ((old | new) & ~LPAE_XN) | (old & new & LPAE_XN);
}

/*
 * True where the 2 MiB of @ipa can be a block: IPA and host address (hence physical address, the
 * backing being one huge page) agree in their low 21 bits, and the block lies in the memslot
 * [@slot_ipa, @slot_ipa + @slot_size) whole.
 */
static inline bool stage2_block_fits(u64 ipa, unsigned long hva, u64 slot_ipa, u64 slot_size)
{
	u64 start = ipa & ~(STAGE2_L2_SIZE - 1);

	if ((ipa ^ hva) & (STAGE2_L2_SIZE - 1) & ~(STAGE2_PAGE_SIZE - 1))
		return false;
	return start >= slot_ipa && start + STAGE2_L2_SIZE <= slot_ipa + slot_size;
}

#endif
