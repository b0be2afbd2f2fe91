/* SPDX-License-Identifier: GPL-2.0-only */
/* What each exit of the guest means. */
#ifndef ARMVMM_EXIT_H
#define ARMVMM_EXIT_H

struct armvmm_vcpu;

/* One handler of an exit. 1: resume the guest, 0: to user space, <0: error. */
int armvmm_exit_handle(struct armvmm_vcpu *vcpu, int code);

#endif
