/* SPDX-License-Identifier: GPL-2.0-only */
/* Fields of the debug registers, by the manual's names (DDI 0406C), for C and assembly. Pure. */
#ifndef ARMVMM_DBGREGS_H
#define ARMVMM_DBGREGS_H

#include "arch/regbits.h"

/* ARMv8's classes of debug exceptions. The emulator (QEMU 7.2) reports them on ARMv7 CPUs too. */
#define HSR_EC_V8_BREAKPOINT	0x30
#define HSR_EC_V8_WATCHPOINT	0x34
#define HSR_EC_V8_BKPT		0x38

/* DBGDSCR, C11.11.20 */
#define DBGDSCR_MOE_SHIFT	2
#define DBGDSCR_MOE_MASK	(REG_U(0xf) << DBGDSCR_MOE_SHIFT)
#define DBGDSCR_MOE(dscr)	(((dscr) >> DBGDSCR_MOE_SHIFT) & 0xf)
#define DBG_MOE_NONE		0x0	/* a halt request (C11.11.20): no debug exception has it */
#define DBG_MOE_BREAKPOINT	0x1
#define DBG_MOE_BKPT		0x3
#define DBG_MOE_VECTOR_CATCH	0x5
#define DBG_MOE_WATCHPOINT	0xa	/* synchronous */
#define DBGDSCR_UDCCDIS		REG_BIT(12)
#define DBGDSCR_HDBGEN		REG_BIT(14)
#define DBGDSCR_MDBGEN		REG_BIT(15)
#define DBGDSCR_NS		(REG_U(7) << 16)	/* SPIDdis, SPNIDdis, NS: of NS code */
#define DBGDSCR_RESTARTED	REG_BIT(1)

/* DBGBCR and DBGWCR, C11.11.2 and C11.11.44 */
#define DBGCR_E			REG_BIT(0)
#define DBGCR_PMC		(REG_U(3) << 1)	/* PAC of a watchpoint: PL0 and PL1 */
#define DBGCR_PMC_PL0		(REG_U(2) << 1)
#define DBGCR_PMC_PL1		REG_BIT(1)
#define DBGBCR_BAS		(REG_U(0xf) << 5)
#define DBGBCR_BAS_LOW		(REG_U(0x3) << 5)
#define DBGBCR_BAS_HIGH		(REG_U(0xc) << 5)
#define DBGWCR_LSC		(REG_U(3) << 3)
#define DBGWCR_BAS		(REG_U(0xff) << 5)
#define DBGWCR_BAS_GET(wcr)	(((wcr) >> 5) & 0xff)
#define DBGCR_HMC		REG_BIT(13)	/* HYP mode too */
#define DBGCR_SSC_S		(REG_U(2) << 14)	/* Secure, with or without NS HYP */
#define DBGCR_SSC_NS		REG_BIT(14)	/* Non-secure state alone */
#define DBGCR_LBN		(REG_U(0xf) << 16)
#define DBGCR_LBN_GET(cr)	(((cr) >> 16) & 0xf)
#define DBGBCR_BT		(REG_U(0xf) << 20)
#define DBGBCR_BT_GET(bcr)	(((bcr) >> 20) & 0xf)
#define DBGBCR_BT_MATCH		0
#define DBGBCR_BT_LINK		1	/* address match, linked to context match LBN */
#define DBGBCR_BT_CTX		2
#define DBGBCR_BT_CTX_LINKED	3	/* context match that others link to */
#define DBGBCR_BT_MISMATCH_ALONE 4
#define DBGBCR_BT_MISMATCH_LINK	5
#define DBGBCR_BT_NOT_PL1	6	/* bits of context match and of address mismatch */
#define DBGBCR_BT_MISMATCH	(REG_U(4) << 20)
#define DBGWCR_WT		REG_BIT(20)
#define DBGCR_MASK		(REG_U(0x1f) << 24)
#define DBGCR_MASK_GET(cr)	(((cr) >> 24) & 0x1f)

/*
 * DBGVCR, C11.11.42: the catches of Non-secure PL1. Those of aborts are left out: the debug
 * exception is itself an abort, and would be caught again.
 */
#define DBGVCR_NS		REG_U(0xc6000000)

/* DBGDIDR, C11.11.15 */
#define DBGDIDR_NR_WRP(didr)	(((didr) >> 28) + 1)
#define DBGDIDR_NR_BRP(didr)	((((didr) >> 24) & 0xf) + 1)
#define DBGDIDR_NR_CTX(didr)	((((didr) >> 20) & 0xf) + 1)
#define DBGDIDR_VERSION(didr)	(((didr) >> 16) & 0xf)
#define DBGDIDR_V7_1		5
#define DBGDIDR_DEVID		REG_BIT(15)
#define DBGDIDR_PCSR		REG_BIT(13)
/* Number and kinds of registers, and the architecture. The bits below are the core's revision. */
#define DBGDIDR_KIND		REG_U(0xfffff000)

/* DBGOSLAR and DBGOSDLR, C11.11.29 and C11.11.30 */
#define DBGOSLAR_KEY		REG_U(0xc5acce55)
#define DBGOSLSR_OSLM		REG_U(0x8)	/* an OS Lock without DBGOSSRR */
#define DBGOSLSR_OSLK		REG_U(0x2)
#define DBGOSDLR_DLK		REG_BIT(0)

/* DBGPRSR, C11.11.33 */
#define DBGPRSR_PU		REG_BIT(0)
#define DBGPRSR_OSLK		REG_BIT(5)
#define DBGPRSR_DLK		REG_BIT(6)

#endif
