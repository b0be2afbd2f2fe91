/* SPDX-License-Identifier: GPL-2.0-only */
/* The run loop. */
#ifndef ARMVMM_RUN_H
#define ARMVMM_RUN_H

struct armvmm_vcpu;

/* KVM_RUN. The vCPU's mutex is held. */
int armvmm_vcpu_run(struct armvmm_vcpu *vcpu);

#endif
