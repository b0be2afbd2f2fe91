/* SPDX-License-Identifier: GPL-2.0-only */
/* The floating-point registers as ONE_REG shows them. */
#ifndef ARMVMM_VFP_H
#define ARMVMM_VFP_H

#include "core/state.h"

int armvmm_vfp_init(void);	/* reads the ID registers */

/* ONE_REG: -ENOENT for an unknown id or a wrong size, -EINVAL for a changed ID register. */
int armvmm_vfp_get_reg(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg);
int armvmm_vfp_set_reg(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg);
unsigned long armvmm_vfp_count(void);
int armvmm_vfp_list(u64 __user **ids);

#endif
