/* SPDX-License-Identifier: GPL-2.0-only */
/* A vCPU as it is after a power-up. */
#ifndef ARMVMM_RESET_H
#define ARMVMM_RESET_H

struct armvmm_vcpu;

/* Resets all state to that of a CPU just powered up (DDI 0406C B1.9.1). */
void armvmm_regs_reset(struct armvmm_vcpu *vcpu);

#endif
