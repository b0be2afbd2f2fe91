/* SPDX-License-Identifier: GPL-2.0-only */
/* Stage-2 aborts of the guest. */
#ifndef ARMVMM_ABORT_H
#define ARMVMM_ABORT_H

struct armvmm_vcpu;

/*
 * A stage-2 abort of the guest (hyp->hsr, hxfar, hpfar). Maps RAM, or gives the access to
 * mmio/mmio.c, or injects an abort. Returns as armvmm_exit_handle(). The caller holds vm->srcu.
 * May sleep.
 */
int armvmm_abort_handle(struct armvmm_vcpu *vcpu);

#endif
