// SPDX-License-Identifier: GPL-2.0-only
/* Exceptions as a guest's CPU takes them, in software. */
#include <linux/types.h>

#include "arch/archregs.h"
#include "arch/exception.h"
#include "core/exception_entry.h"
#include "hyp/hyp.h"

/* @lr: what LR of the new mode holds, table B1-7. */
static void entry_take(struct hyp_vcpu *hyp, u32 mode, u32 vector, u32 mask, u32 lr)
{
	struct kvm_regs *regs = &hyp->regs;
	u32 *cpsr = exception_usr(regs, EXCEPTION_CPSR);
	u32 old = *cpsr, sctlr = hyp->cp15[CP15_SCTLR], new;

	new = old & ~(CPSR_M_MASK | CPSR_IT | CPSR_J | CPSR_T | CPSR_E);
	new |= mode | mask;
	if (sctlr & SCTLR_TE)
		new |= CPSR_T;
	if (sctlr & SCTLR_EE)
		new |= CPSR_E;
	*cpsr = new;

	*armvmm_exception_spsr(regs) = old;
	*armvmm_exception_reg(regs, 14) = lr;
	*exception_usr(regs, EXCEPTION_PC) =
		(sctlr & SCTLR_V ? VECTORS_HIGH : hyp->cp15[CP15_VBAR]) + vector;
}

void armvmm_exception_entry_undef(struct hyp_vcpu *hyp)
{
	u32 pc = *exception_usr(&hyp->regs, EXCEPTION_PC);
	u32 thumb = *exception_usr(&hyp->regs, EXCEPTION_CPSR) & CPSR_T;

	entry_take(hyp, CPSR_M_UND, VECTOR_UNDEF, CPSR_I, pc + (thumb ? 2 : 4));
}

static u32 entry_fsr(struct hyp_vcpu *hyp)
{
	return hyp->cp15[CP15_TTBCR] & TTBCR_BIT_EAE ? FSR_LPAE | FSR_LONG_SYNC_EXT :
						   FSR_SHORT_SYNC_EXT;
}

void armvmm_exception_entry_dabt_fsr(struct hyp_vcpu *hyp, u32 far, u32 fsr)
{
	u32 pc = *exception_usr(&hyp->regs, EXCEPTION_PC);

	entry_take(hyp, CPSR_M_ABT, VECTOR_DABT, CPSR_A | CPSR_I, pc + 8);
	hyp->cp15[CP15_DFAR] = far;
	hyp->cp15[CP15_DFSR] = fsr;
}

void armvmm_exception_entry_dabt(struct hyp_vcpu *hyp, u32 far, bool write)
{
	armvmm_exception_entry_dabt_fsr(hyp, far, entry_fsr(hyp) | (write ? DFSR_WNR : 0));
}

void armvmm_exception_entry_pabt(struct hyp_vcpu *hyp, u32 far)
{
	u32 pc = *exception_usr(&hyp->regs, EXCEPTION_PC);

	entry_take(hyp, CPSR_M_ABT, VECTOR_PABT, CPSR_A | CPSR_I, pc + 4);
	hyp->cp15[CP15_IFAR] = far;
	hyp->cp15[CP15_IFSR] = entry_fsr(hyp);
}

static u32 entry_debug_fsr(struct hyp_vcpu *hyp)
{
	return hyp->cp15[CP15_TTBCR] & TTBCR_BIT_EAE ? FSR_LPAE | FSR_LONG_DEBUG : FSR_SHORT_DEBUG;
}

void armvmm_exception_entry_debug_pabt(struct hyp_vcpu *hyp)
{
	armvmm_exception_entry_pabt(hyp, hyp->cp15[CP15_IFAR]);
	hyp->cp15[CP15_IFSR] = entry_debug_fsr(hyp);
}

void armvmm_exception_entry_debug_dabt(struct hyp_vcpu *hyp, u32 far, u32 fsr)
{
	armvmm_exception_entry_dabt(hyp, far, false);
	hyp->cp15[CP15_DFSR] = entry_debug_fsr(hyp) | fsr;
}
