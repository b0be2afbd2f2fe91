/* SPDX-License-Identifier: GPL-2.0-only */
/* A vCPU that waits for an interrupt. */
#ifndef ARMVMM_HALT_H
#define ARMVMM_HALT_H

struct armvmm_vcpu;

/* Sleeps until an interrupt, a signal or a request; polls first. Run loop only. */
void armvmm_halt(struct armvmm_vcpu *vcpu);

#endif
