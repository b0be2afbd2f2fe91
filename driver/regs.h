/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest-visible registers: reset, ONE_REG, and exceptions taken by the guest. */
#ifndef ARMVMM_REGS_H
#define ARMVMM_REGS_H

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
u32 *armvmm_regs_ptr(struct armvmm_vcpu *vcpu, unsigned int n);
u32 *armvmm_regs_spsr(struct armvmm_vcpu *vcpu);

/* Passes the trapped instruction: PC, IT state, by HSR.IL (DDI 0406C A2.5.2). */
void armvmm_regs_skip(struct armvmm_vcpu *vcpu);
/* The same where HSR.IL is not valid: @len is 2 or 4. */
void armvmm_regs_skip_len(struct armvmm_vcpu *vcpu, unsigned int len);
/* True where the condition of the trapped instruction passed (B3.13.6). */
bool armvmm_regs_condition(struct armvmm_vcpu *vcpu);

/* Makes the guest take an exception at its next entry (DDI 0406C B1.9). */
void armvmm_regs_inject_undef(struct armvmm_vcpu *vcpu);
void armvmm_regs_inject_dabt(struct armvmm_vcpu *vcpu, u32 far);
void armvmm_regs_inject_pabt(struct armvmm_vcpu *vcpu, u32 far);
/* An asynchronous external abort: HCR.VA. */
void armvmm_regs_inject_serror(struct armvmm_vcpu *vcpu);

#endif
