/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The registers of FIQ mode. If NSACR.RFR reserves them for the Secure state, each access is
 * UNPREDICTABLE (DDI 0406C B4.1.111, B9.3.9), and neither host nor guest can use FIQ mode: they are
 * left alone.
 */
#ifndef ARMVMM_HYP_FIQ_H
#define ARMVMM_HYP_FIQ_H

#include "hyp/cpu.h"
#include "hyp/sysreg.h"

#define FIQ_REGS(way)								\
	way##_BANKED(R8_fiq, r2) way##_BANKED(R9_fiq, r3) way##_BANKED(R10_fiq, r4)	\
	way##_BANKED(R11_fiq, r5) way##_BANKED(R12_fiq, r6) way##_BANKED(SP_fiq, r7)	\
	way##_BANKED(LR_fiq, r8) way##_BANKED(SPSR_fiq, r9)

__hyp_inline void hyp_fiq_load(const u32 *from)
{
	regs_load(from, "r2-r9", FIQ_REGS);
}

/* One world's go to @to, and the other's come from @from. */
__hyp_inline void hyp_fiq_exchange(u32 *to, const u32 *from)
{
	regs_save(to, "r2-r9", FIQ_REGS);
	hyp_fiq_load(from);
}

__hyp_inline bool hyp_fiq_reserved(const struct hyp_cpu *cpu)
{
	return cpu->odd & HYP_ODD_FIQ;
}

#endif
