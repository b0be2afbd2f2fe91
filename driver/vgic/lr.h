/* SPDX-License-Identifier: GPL-2.0-only */
/* List registers, for the vGIC's own use; vgic.h has what the run loop calls. */
#ifndef ARMVMM_VGIC_LR_H
#define ARMVMM_VGIC_LR_H

#include <linux/bits.h>

#include "core/state.h"
#include "vgic/irq.h"

/*
 * Takes what a vCPU that is parked has in its list registers back into the structures. Its
 * ap_list_lock is held, no interrupt's lock.
 */
void vgic_lr_unpark(struct armvmm_vcpu *vcpu);

/*
 * What a list register of a vCPU that is in the guest shows of @irq is no longer what is to be
 * shown: it is taken back at the exit. The vCPU's ap_list_lock is held.
 */
static inline void vgic_lr_changed(struct armvmm_vcpu *vcpu, const struct armvmm_vgic_irq *irq)
{
	if (irq->lr_nr < BITS_PER_LONG)
		vcpu->vgic.kept &= ~BIT(irq->lr_nr);
}

#endif
