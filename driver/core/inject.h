/* SPDX-License-Identifier: GPL-2.0-only */
/* Exceptions and interrupt lines that the host gives the guest. */
#ifndef ARMVMM_INJECT_H
#define ARMVMM_INJECT_H

#include <linux/types.h>

struct armvmm_vcpu;

/* Makes the guest take an exception at its next entry (DDI 0406C B1.9). */
void armvmm_inject_undef(struct armvmm_vcpu *vcpu);
void armvmm_inject_dabt(struct armvmm_vcpu *vcpu, u32 far);
void armvmm_inject_pabt(struct armvmm_vcpu *vcpu, u32 far);
/* An asynchronous external abort: HCR.VA. */
void armvmm_inject_serror(struct armvmm_vcpu *vcpu);

/* KVM_IRQ_LINE of type CPU (user-space irqchip): @line is VCPU_IRQ_LINE_*. */
int armvmm_inject_line(struct armvmm_vcpu *vcpu, unsigned int line, bool level);

#endif
