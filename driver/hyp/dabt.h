/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest's access to a device, by its syndrome (DDI 0406C B3.13.6): those that HYP mode may carry
 * out. The rest is the host's.
 */
#ifndef ARMVMM_HYP_DABT_H
#define ARMVMM_HYP_DABT_H

#include "hyp/cpu.h"
#include "hyp/sysreg.h"

/* Of the faults that a device's address has, HPFAR is valid for those of translation (B3.13.5). */
#define DABT_MASK	(HSR_DABT_ISV | HSR_DABT_SSE | HSR_DABT_CM | HSR_ABT_S1PTW |	\
			 HSR_FSC_TYPE(HSR_ABT_FSC))
#define DABT_WANTED	(HSR_DABT_ISV | HSR_FSC_TRANSLATION)

/* The registers that are not banked: FIQ mode has r8 to r12 of its own, and most have SP and LR. */
__hyp_inline bool hyp_dabt_has_reg(u32 rt, u32 spsr)
{
	return rt <= 7 || (rt <= 12 && (spsr & CPSR_M_MASK) != CPSR_M_FIQ);
}

/* A32 or T32 with no condition left over, little-endian, and nobody steps the guest? */
__hyp_inline bool hyp_dabt_is_plain(const struct hyp_vcpu *vcpu, u32 hsr, u32 spsr)
{
	if ((hsr & DABT_MASK) != DABT_WANTED || vcpu->debug.mode == HYP_DEBUG_LOAD)
		return false;
	if (spsr & (CPSR_E | CPSR_IT) || !hyp_dabt_has_reg(HSR_DABT_SRT(hsr), spsr))
		return false;
	return !(spsr & CPSR_T && hsr & HSR_DABT_WNR && MIDR_HAS_766422(vcpu->vpidr));
}

/* The access is done: the guest goes on behind it. */
__hyp_inline void hyp_dabt_done(u32 insn_len)
{
	banked_write(banked_read(ELR_hyp) + insn_len, ELR_hyp);
}

#endif
