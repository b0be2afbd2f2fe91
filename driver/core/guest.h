/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's registers as emulation sees them. */
#ifndef ARMVMM_GUEST_H
#define ARMVMM_GUEST_H

#include "arch/archregs.h"
#include "arch/exception.h"
#include "core/state.h"

/*
 * Register n (0-15) of the mode in CPSR, banks resolved: for emulation.
 * Reading 15 is the PC of the instruction + 8 or 4 (DDI 0406C A2.3.1).
 */
static inline u32 *armvmm_regs_ptr(struct armvmm_vcpu *vcpu, unsigned int n)
{
	/* R0 to R7 have no banks. */
	if (likely(n < 8))
		return (u32 *)&HYP_REG(vcpu->hyp, n);
	return armvmm_exception_reg(&vcpu->hyp->regs, n);
}

/* True where the guest's accesses to memory may be cached: SCTLR.M and C (DDI 0406C B3.2.1). */
static inline bool armvmm_guest_caches_on(const struct armvmm_vcpu *vcpu)
{
	return !(~vcpu_cp15(vcpu, CP15_SCTLR) & (SCTLR_M | SCTLR_C));
}

/* Passes an instruction of @len (2 or 4) bytes: PC and IT state (DDI 0406C A2.5.2). */
static inline void armvmm_regs_skip_len(struct armvmm_vcpu *vcpu, unsigned int len)
{
	if (likely(!(vcpu->hyp->regs.usr_regs.ARM_cpsr & CPSR_T)))
		vcpu->hyp->regs.usr_regs.ARM_pc += len;
	else
		armvmm_exception_skip(&vcpu->hyp->regs, len);
}

/* The same by HSR.IL, which is valid for traps, and for aborts with a syndrome. */
static inline void armvmm_regs_skip(struct armvmm_vcpu *vcpu)
{
	armvmm_regs_skip_len(vcpu, vcpu_hsr(vcpu) & HSR_IL ? 4 : 2);
}

/* True where the condition of the trapped instruction passed (B3.13.6). */
static inline bool armvmm_regs_condition(struct armvmm_vcpu *vcpu)
{
	u32 hsr = vcpu_hsr(vcpu);

	/*
	 * An abort, an HVC or an SMC comes from an instruction that was executed, and AL always
	 * passes.
	 */
	if (HSR_EC(hsr) >= 0x10 || (hsr & HSR_CV && HSR_COND(hsr) == 14))
		return true;
	return armvmm_exception_condition(&vcpu->hyp->regs, hsr);
}

#endif
