/* SPDX-License-Identifier: GPL-2.0-only */
/* KVM_GET_ONE_REG and its kin. */
#ifndef ARMVMM_ONEREG_H
#define ARMVMM_ONEREG_H

#include <linux/types.h>

struct armvmm_vcpu;
struct kvm_one_reg;
struct kvm_vcpu_events;

int armvmm_regs_get(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg);
int armvmm_regs_set(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg);
unsigned long armvmm_regs_count(struct armvmm_vcpu *vcpu);
int armvmm_regs_list(struct armvmm_vcpu *vcpu, u64 __user *ids);

/* KVM_GET_VCPU_EVENTS and KVM_SET_VCPU_EVENTS: -EINVAL for reserved bytes, or an SError's ESR. */
int armvmm_regs_get_events(struct armvmm_vcpu *vcpu, struct kvm_vcpu_events *events);
int armvmm_regs_set_events(struct armvmm_vcpu *vcpu, const struct kvm_vcpu_events *events);

#endif
