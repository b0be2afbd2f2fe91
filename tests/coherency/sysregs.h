/* SPDX-License-Identifier: GPL-2.0-only */
/* The registers and operations of cp15 that the checker knows (DDI 0406C B3.17). */
#ifndef COHERENCY_SYSREGS_H
#define COHERENCY_SYSREGS_H

#include "insn.h"

#define SYS_SCTLR		CP_REG(1, 0, 0, 0)
#define SYS_TTBR0_32		CP_REG(2, 0, 0, 0)
#define SYS_TTBR1_32		CP_REG(2, 0, 0, 1)
#define SYS_TTBCR		CP_REG(2, 0, 0, 2)
#define SYS_PRRR		CP_REG(10, 0, 2, 0)
#define SYS_NMRR		CP_REG(10, 0, 2, 1)
#define SYS_ISR			CP_REG(12, 0, 1, 0)
#define SYS_CONTEXTIDR		CP_REG(13, 0, 0, 1)
#define SYS_HSCTLR		CP_REG(1, 4, 0, 0)
#define SYS_HCR			CP_REG(1, 4, 1, 0)
#define SYS_HCPTR		CP_REG(1, 4, 1, 2)
#define SYS_HVBAR		CP_REG(12, 4, 0, 0)
#define SYS_TTBR0		CP_REG64(0, 2)
#define SYS_TTBR1		CP_REG64(1, 2)
#define SYS_HTTBR		CP_REG64(4, 2)
#define SYS_VTTBR		CP_REG64(6, 2)

#define SYS_ICIALLUIS		CP_REG(7, 0, 1, 0)
#define SYS_ICIALLU		CP_REG(7, 0, 5, 0)
#define SYS_ICIMVAU		CP_REG(7, 0, 5, 1)
#define SYS_CP15ISB		CP_REG(7, 0, 5, 4)
#define SYS_DCIMVAC		CP_REG(7, 0, 6, 1)
#define SYS_DCISW		CP_REG(7, 0, 6, 2)
#define SYS_DCCMVAC		CP_REG(7, 0, 10, 1)
#define SYS_DCCSW		CP_REG(7, 0, 10, 2)
#define SYS_CP15DSB		CP_REG(7, 0, 10, 4)
#define SYS_DCCMVAU		CP_REG(7, 0, 11, 1)
#define SYS_DCCIMVAC		CP_REG(7, 0, 14, 1)
#define SYS_DCCISW		CP_REG(7, 0, 14, 2)
#define SYS_TLBIALLIS		CP_REG(8, 0, 3, 0)
#define SYS_TLBIALL		CP_REG(8, 0, 7, 0)
#define SYS_TLBIALLHIS		CP_REG(8, 4, 3, 0)
#define SYS_TLBIALLNSNHIS	CP_REG(8, 4, 3, 4)
#define SYS_TLBIALLH		CP_REG(8, 4, 7, 0)
#define SYS_TLBIALLNSNH		CP_REG(8, 4, 7, 4)

#define SCTLR_M			(1u << 0)
#define SCTLR_C			(1u << 2)
#define SCTLR_I			(1u << 12)
#define SCTLR_TRE		(1u << 28)
#define HCR_VM			(1u << 0)
#define HCR_DC			(1u << 12)
#define HCR_TVM			(1u << 26)
#define TTBCR_EAE		(1u << 31)
#define TTBCR_PD		(3u << 4)
#define TTBCR_EPD		(1u << 23 | 1u << 7)
#define VTTBR_BADDR		0xfffffff000ull

/* May PL1's tables be walked (B4.1.153)? */
static inline bool ttbcr_walks(uint32_t ttbcr)
{
	uint32_t off = ttbcr & TTBCR_EAE ? TTBCR_EPD : TTBCR_PD;

	return (ttbcr & off) != off;
}

#endif
