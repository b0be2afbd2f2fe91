/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's TEECR and TEEHBR (DDI 0406C A2.10), where the CPU has ThumbEE. Once the guest has
 * used them they change hands at the world switch (hyp/switch.c), and do not trap.
 */
#ifndef ARMVMM_THUMBEE_H
#define ARMVMM_THUMBEE_H

#include <linux/types.h>

struct armvmm_vcpu;
struct kvm_one_reg;

/* True where this CPU has ThumbEE. */
bool armvmm_thumbee_there(void);

/* Both are zero, and trap. */
void armvmm_thumbee_reset(struct armvmm_vcpu *vcpu);
/* The guest's first access: it is done again, and traps no more. As armvmm_exit_handle(). */
int armvmm_thumbee_trap(struct armvmm_vcpu *vcpu);

/* True for the id of one of the two, on a CPU that has them. */
bool armvmm_thumbee_is_reg(u64 id);

/* ONE_REG: 0 or -EFAULT. Bits that are reserved are not kept. */
int armvmm_thumbee_get_reg(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg);
int armvmm_thumbee_set_reg(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg);

/* For GET_REG_LIST: how many ids; and writes them, moving @ids on. 0 or -EFAULT. */
unsigned long armvmm_thumbee_count(void);
int armvmm_thumbee_list(u64 __user **ids);

#endif
