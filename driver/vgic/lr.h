/* SPDX-License-Identifier: GPL-2.0-only */
/* List registers, for the vGIC's own use; vgic.h has what the run loop calls. */
#ifndef ARMVMM_VGIC_LR_H
#define ARMVMM_VGIC_LR_H

struct armvmm_vcpu;

/*
 * Takes what a vCPU that is parked has in its list registers back into the structures. Its
 * ap_list_lock is held, no interrupt's lock.
 */
void vgic_lr_unpark(struct armvmm_vcpu *vcpu);

#endif
