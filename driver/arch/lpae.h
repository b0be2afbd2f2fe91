/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Translation by long descriptors (DDI 0406C B3.6): descriptors, and the registers that control
 * walks, for C and for assembly. Pure.
 */
#ifndef ARMVMM_LPAE_H
#define ARMVMM_LPAE_H

#include "arch/regbits.h"

/* A table of 4 KiB resolves nine bits of the address; what an entry of @level, 1 to 3, spans. */
#define LPAE_LEVEL_BITS		9
#define LPAE_TABLE_ENTRIES	(REG_U(1) << LPAE_LEVEL_BITS)
#define LPAE_SHIFT(level)	(12 + LPAE_LEVEL_BITS * (3 - (level)))

/* Descriptors of both stages, B3.6.1 and B3.6.2 */
#define LPAE_VALID		REG_BIT64(0)
#define LPAE_TYPE_MASK		REG_U64(3)
#define LPAE_TYPE_BLOCK		REG_U64(1)	/* levels 1 and 2 */
#define LPAE_TYPE_TABLE		REG_U64(3)	/* levels 1 and 2 */
#define LPAE_TYPE_PAGE		REG_U64(3)	/* level 3 */
#define LPAE_ADDR_MASK		REG_U64(0x000000fffffff000)	/* of a table or page */
#define LPAE_BLOCK_MASK		REG_U64(0x000000ffffe00000)	/* of a block of level 2 */
#define LPAE_SH_INNER		(REG_U64(3) << 8)
#define LPAE_AF			REG_BIT64(10)
#define LPAE_XN			REG_BIT64(54)

/* Of stage 1 alone: the attributes are those of a field of MAIR0 or MAIR1, by its number. */
#define LPAE_S1_ATTR(index)	(REG_U64(index) << 2)
#define LPAE_S1_AP1		REG_BIT64(6)	/* should be one in HYP (B3.7.1) */
#define LPAE_S1_AP2_RO		REG_BIT64(7)

/* Of stage 2 alone: MemAttr[3:0] (B3.8.4) and HAP */
#define LPAE_S2_ATTR_MASK	(REG_U64(0xf) << 2)
#define LPAE_S2_ATTR_SO		(REG_U64(0x0) << 2)
#define LPAE_S2_ATTR_DEVICE	(REG_U64(0x1) << 2)
#define LPAE_S2_ATTR_NC		(REG_U64(0x5) << 2)
#define LPAE_S2_ATTR_WB		(REG_U64(0xf) << 2)
#define LPAE_S2_HAP_READ	REG_BIT64(6)
#define LPAE_S2_HAP_WRITE	REG_BIT64(7)

/* HMAIR0, B4.1.69: field @index of four, and what it may say */
#define MAIR_FIELD(index, attr)	(REG_U(attr) << (8 * (index)))
#define MAIR_SO			0x00	/* Strongly-ordered */
#define MAIR_DEVICE		0x04
#define MAIR_NC			0x44	/* Normal, inner and outer non-cacheable */
#define MAIR_WBWA		0xff	/* Normal, write-back, allocates on reads and writes */

/* How walks by TTBR0, HTTBR and VTTBR access memory: alike in TTBCR, HTCR and VTCR */
#define TCR_IRGN0_WBWA		REG_BIT(8)
#define TCR_ORGN0_WBWA		REG_BIT(10)
#define TCR_SH0_MASK		(REG_U(3) << 12)
#define TCR_SH0_INNER		(REG_U(3) << 12)

/* HTCR, B4.1.74, and VTCR, B4.1.159: bits that should be one, then fields of VTCR */
#define HTCR_SBOP		(REG_BIT(31) | REG_BIT(23))
#define VTCR_SBOP		REG_BIT(31)
#define VTCR_T0SZ(size)		((size) & REG_U(0xf))	/* signed */
#define VTCR_S			REG_BIT(4)		/* the sign of T0SZ once more */
#define VTCR_SL0(n)		(REG_U(n) << 6)		/* walks begin at level 2 - @n */

/* VTTBR, B4.1.160, and its upper word */
#define VTTBR_VMID_BITS		8
#define VTTBR_VMID_SHIFT	48
#define VTTBR_HI_VMID_SHIFT	(VTTBR_VMID_SHIFT - 32)
#define VTTBR_HI_VMID_MASK	(REG_U(0xff) << VTTBR_HI_VMID_SHIFT)

#endif
