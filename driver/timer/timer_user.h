/* SPDX-License-Identifier: GPL-2.0-only */
/* What timer.c gives timer_user.c, which is ONE_REG and device attributes. */
#ifndef ARMVMM_TIMER_USER_H
#define ARMVMM_TIMER_USER_H

#include <linux/types.h>

struct armvmm_vcpu;
struct armvmm_vm;

/* The counter as the guest reads it. */
u64 armvmm_timer_virt_now(struct armvmm_vcpu *vcpu);
void armvmm_timer_set_cntvoff(struct armvmm_vm *vm, u64 cntvoff);

#endif
