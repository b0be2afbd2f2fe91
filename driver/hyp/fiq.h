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

/* R8-R12, SP, LR and SPSR into @to. */
__hyp_inline void hyp_fiq_save(const struct hyp_cpu *cpu, u32 *to)
{
	if (cpu->fiq_reserved)
		return;
	to[0] = banked_read(R8_fiq);
	to[1] = banked_read(R9_fiq);
	to[2] = banked_read(R10_fiq);
	to[3] = banked_read(R11_fiq);
	to[4] = banked_read(R12_fiq);
	to[5] = banked_read(SP_fiq);
	to[6] = banked_read(LR_fiq);
	to[7] = banked_read(SPSR_fiq);
}

__hyp_inline void hyp_fiq_restore(const struct hyp_cpu *cpu, const u32 *from)
{
	if (cpu->fiq_reserved)
		return;
	banked_write(from[0], R8_fiq);
	banked_write(from[1], R9_fiq);
	banked_write(from[2], R10_fiq);
	banked_write(from[3], R11_fiq);
	banked_write(from[4], R12_fiq);
	banked_write(from[5], SP_fiq);
	banked_write(from[6], LR_fiq);
	banked_write(from[7], SPSR_fiq);
}

#endif
