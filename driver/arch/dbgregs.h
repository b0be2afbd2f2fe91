/* SPDX-License-Identifier: GPL-2.0-only */
/* Fields of the debug registers, by the manual's names (DDI 0406C). Pure. */
#ifndef ARMVMM_DBGREGS_H
#define ARMVMM_DBGREGS_H

/* ARMv8's classes of debug exceptions, which the emulator (QEMU 7.2) gives an ARMv7 HYP too */
#define HSR_EC_V8_BREAKPOINT	0x30
#define HSR_EC_V8_WATCHPOINT	0x34
#define HSR_EC_V8_BKPT		0x38

/* ISS of an abort: a debug event (table B3-24) */
#define HSR_FSC_DEBUG		0x22u

/* DBGDSCR, C11.11.20 */
#define DBGDSCR_MOE_SHIFT	2
#define DBGDSCR_MOE_MASK	(0xfu << DBGDSCR_MOE_SHIFT)
#define DBGDSCR_MOE(dscr)	(((dscr) >> DBGDSCR_MOE_SHIFT) & 0xf)
#define DBG_MOE_NONE		0x0	/* of debug exceptions: a halt (C11.11.20) */
#define DBG_MOE_BREAKPOINT	0x1
#define DBG_MOE_BKPT		0x3
#define DBG_MOE_VECTOR_CATCH	0x5
#define DBG_MOE_WATCHPOINT	0xa	/* synchronous */
#define DBGDSCR_UDCCDIS		(1u << 12)
#define DBGDSCR_MDBGEN		(1u << 15)
#define DBGDSCR_NS		(7u << 16)	/* SPIDdis, SPNIDdis, NS: set for such code */
#define DBGDSCR_RESTARTED	(1u << 1)

/* DBGBCR and DBGWCR, C11.11.2 and C11.11.44 */
#define DBGCR_E			(1u << 0)
#define DBGCR_PMC		(3u << 1)	/* PAC of a watchpoint: PL0 and PL1 */
#define DBGCR_PMC_PL0		(2u << 1)
#define DBGCR_PMC_PL1		(1u << 1)
#define DBGBCR_BAS		(0xfu << 5)
#define DBGBCR_BAS_LOW		(0x3u << 5)
#define DBGBCR_BAS_HIGH		(0xcu << 5)
#define DBGWCR_LSC		(3u << 3)
#define DBGWCR_BAS		(0xffu << 5)
#define DBGWCR_BAS_GET(wcr)	(((wcr) >> 5) & 0xff)
#define DBGCR_HMC		(1u << 13)	/* HYP mode too */
#define DBGCR_SSC_S		(2u << 14)	/* Secure state, with or without Non-secure HYP */
#define DBGCR_SSC_NS		(1u << 14)	/* Non-secure state alone */
#define DBGCR_LBN		(0xfu << 16)
#define DBGCR_LBN_GET(cr)	(((cr) >> 16) & 0xf)
#define DBGBCR_BT		(0xfu << 20)
#define DBGBCR_BT_GET(bcr)	(((bcr) >> 20) & 0xf)
#define DBGBCR_BT_MATCH		0
#define DBGBCR_BT_LINK		1	/* address match, and the context match LBN names */
#define DBGBCR_BT_CTX		2
#define DBGBCR_BT_CTX_LINKED	3	/* the context match that others name */
#define DBGBCR_BT_MISMATCH_ALONE 4
#define DBGBCR_BT_MISMATCH_LINK	5
#define DBGBCR_BT_NOT_PL1	6	/* one of these bits: context match, mismatch */
#define DBGBCR_BT_MISMATCH	(4u << 20)
#define DBGWCR_WT		(1u << 20)
#define DBGCR_MASK		(0x1fu << 24)
#define DBGCR_MASK_GET(cr)	(((cr) >> 24) & 0x1f)

/* DBGVCR, C11.11.42: the catches of Non-secure PL1 but those of aborts, which recur in them */
#define DBGVCR_NS		0xc6000000u

/* DBGDIDR, C11.11.15 */
#define DBGDIDR_NR_WRP(didr)	(((didr) >> 28) + 1)
#define DBGDIDR_NR_BRP(didr)	((((didr) >> 24) & 0xf) + 1)
#define DBGDIDR_NR_CTX(didr)	((((didr) >> 20) & 0xf) + 1)
#define DBGDIDR_VERSION(didr)	(((didr) >> 16) & 0xf)
#define DBGDIDR_V7_1		5
#define DBGDIDR_DEVID		(1u << 15)
#define DBGDIDR_PCSR		(1u << 13)
/* Number and kinds of registers, and the architecture; below is the core's revision. */
#define DBGDIDR_KIND		0xfffff000u

/* DBGOSLAR and DBGOSDLR, C11.11.29 and C11.11.30 */
#define DBGOSLAR_KEY		0xc5acce55u
#define DBGOSLSR_OSLM		0x8u	/* an OS Lock without DBGOSSRR */
#define DBGOSLSR_OSLK		0x2u

/* DBGPRSR, C11.11.33 */
#define DBGPRSR_PU		(1u << 0)
#define DBGPRSR_OSLK		(1u << 5)
#define DBGPRSR_DLK		(1u << 6)

#endif
