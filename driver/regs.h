/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest-visible registers: reset, ONE_REG, and exceptions taken by the guest. */
#ifndef ARMVMM_REGS_H
#define ARMVMM_REGS_H

#include "archregs.h"
#include "exception.h"
#include "vcpu.h"

/* KVM_ARM_VCPU_INIT: -EINVAL for a target or feature that this host has not. */
int armvmm_regs_vcpu_init(struct armvmm_vcpu *vcpu, const struct kvm_vcpu_init *init);
int armvmm_regs_preferred_target(struct kvm_vcpu_init *init);
/* Resets all state to that of a CPU just powered up (DDI 0406C B1.9.1). */
void armvmm_regs_reset(struct armvmm_vcpu *vcpu);

int armvmm_regs_get(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg);
int armvmm_regs_set(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg);
unsigned long armvmm_regs_count(struct armvmm_vcpu *vcpu);
int armvmm_regs_list(struct armvmm_vcpu *vcpu, u64 __user *ids);

/* KVM_GET_VCPU_EVENTS and KVM_SET_VCPU_EVENTS: -EINVAL for reserved bytes, or an SError's ESR. */
int armvmm_regs_get_events(struct armvmm_vcpu *vcpu, struct kvm_vcpu_events *events);
int armvmm_regs_set_events(struct armvmm_vcpu *vcpu, const struct kvm_vcpu_events *events);

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

	/* Aborts, HVC and SMC were executed, and so was what is always. */
	if (HSR_EC(hsr) >= 0x10 || (hsr & HSR_CV && HSR_COND(hsr) == 14))
		return true;
	return armvmm_exception_condition(&vcpu->hyp->regs, hsr);
}

/* Makes the guest take an exception at its next entry (DDI 0406C B1.9). */
void armvmm_regs_inject_undef(struct armvmm_vcpu *vcpu);
void armvmm_regs_inject_dabt(struct armvmm_vcpu *vcpu, u32 far);
void armvmm_regs_inject_pabt(struct armvmm_vcpu *vcpu, u32 far);
/* An asynchronous external abort: HCR.VA. */
void armvmm_regs_inject_serror(struct armvmm_vcpu *vcpu);

#endif
