/* SPDX-License-Identifier: GPL-2.0-only */
/* PSCI 0.1 to 1.1 and SMCCC 1.1: the firmware that a guest calls by hvc or smc. */
#ifndef ARMVMM_PSCI_H
#define ARMVMM_PSCI_H

#include "core/state.h"

/* PSCI_VERSION's answer: major version in bits 16-30, minor in 0-15 (PSCI 5.1.1). */
u32 armvmm_psci_version(struct armvmm_vcpu *vcpu);

/* At VCPU_INIT, its features known: tells HYP what it may answer. */
void armvmm_psci_vcpu_init(struct armvmm_vcpu *vcpu);

/* Handles the call in the guest's r0-r3; sets r0. As armvmm_exit_handle(). */
int armvmm_psci_call(struct armvmm_vcpu *vcpu);

/*
 * For the vCPU that took VCPU_REQ_RESET: resets it and lets it start where
 * CPU_ON said. The vCPU's thread, its mutex held, not in the guest.
 */
void armvmm_psci_start(struct armvmm_vcpu *vcpu);

unsigned long armvmm_psci_count(struct armvmm_vcpu *vcpu);
int armvmm_psci_list(struct armvmm_vcpu *vcpu, u64 __user **ids);
int armvmm_psci_get_reg(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg);
int armvmm_psci_set_reg(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg);

#endif
