/* SPDX-License-Identifier: GPL-2.0-only */
/* Fields of the performance monitors' registers (DDI 0406C), for C and for assembly. Pure. */
#ifndef ARMVMM_PMUREGS_H
#define ARMVMM_PMUREGS_H

#include "arch/regbits.h"

/* PMCR, B4.1.117 */
#define PMCR_E			REG_BIT(0)
#define PMCR_P			REG_BIT(1)
#define PMCR_C			REG_BIT(2)
#define PMCR_D			REG_BIT(3)
#define PMCR_X			REG_BIT(4)
#define PMCR_DP			REG_BIT(5)
#define PMCR_N_SHIFT		11
#define PMCR_N(pmcr)		(((pmcr) >> PMCR_N_SHIFT) & 0x1f)
#define PMCR_RW			(PMCR_E | PMCR_D | PMCR_X | PMCR_DP)
#define PMCR_RO			REG_U(0xfffff800)	/* IMP, IDCODE, N */

/* PMSELR, B4.1.121 */
#define PMSELR_SEL		REG_U(0x1f)

/* PMXEVTYPER, B4.1.126. NSH is about HYP mode, which guests do not have. */
#define PMU_TYPE_P		REG_BIT(31)
#define PMU_TYPE_U		REG_BIT(30)
#define PMU_TYPE_NSK		REG_BIT(29)
#define PMU_TYPE_NSU		REG_BIT(28)
#define PMU_TYPE_NSH		REG_BIT(27)
#define PMU_TYPE_FILTER		(PMU_TYPE_P | PMU_TYPE_U | PMU_TYPE_NSK | PMU_TYPE_NSU)
#define PMU_TYPE_EVENT		REG_U(0xff)

/* Events, C12.8.2 */
#define PMU_EVENT_SW_INCR	0x00
#define PMU_EVENT_CYCLES	0x11

#endif
