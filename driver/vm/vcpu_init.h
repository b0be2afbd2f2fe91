/* SPDX-License-Identifier: GPL-2.0-only */
/* KVM_ARM_VCPU_INIT: which CPU a vCPU is, and how it starts. */
#ifndef ARMVMM_VCPU_INIT_H
#define ARMVMM_VCPU_INIT_H

struct armvmm_vcpu;
struct kvm_vcpu_init;

/* KVM_ARM_VCPU_INIT: -EINVAL for a target or feature that this host has not. */
int armvmm_vcpu_init(struct armvmm_vcpu *vcpu, const struct kvm_vcpu_init *init);
int armvmm_vcpu_preferred_target(struct kvm_vcpu_init *init);

#endif
