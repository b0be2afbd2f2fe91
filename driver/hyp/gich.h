/* SPDX-License-Identifier: GPL-2.0-only */
/* GICH's registers, and the host's distributor, as HYP mode reaches them: Device memory. */
#ifndef ARMVMM_HYP_GICH_H
#define ARMVMM_HYP_GICH_H

#include "hyp/cpu.h"
#include "hyp/gicirq.h"
#include "hyp/sysreg.h"

__hyp_inline u32 gich_read(unsigned long gich, unsigned int offset)
{
	return *(volatile u32 *)(gich + offset);
}

__hyp_inline void gich_write(unsigned long gich, unsigned int offset, u32 val)
{
	*(volatile u32 *)(gich + offset) = val;
}

/*
 * May HYP mode show @irq, a private interrupt of the vCPU, by a list register of its own? Not if
 * the interrupt is on a list: what is to be shown of it is the host's to say.
 */
__hyp_inline bool hyp_lr_free(const struct hyp_vcpu *vcpu, const struct armvmm_vgic_irq *irq)
{
	return !READ_ONCE(irq->vcpu) && vcpu->vgic.used_lrs < vcpu->dist.vm->nr_lr;
}

/* The first free one, behind those that are in use, shows @lr. The exit puts it into the model. */
__hyp_inline void hyp_lr_add(struct hyp_cpu *cpu, struct hyp_vcpu *vcpu, u32 lr)
{
	unsigned long gich = (unsigned long)cpu->gich;
	struct hyp_vgic *hv = &vcpu->vgic;
	u32 n = hv->used_lrs;

	hv->lr[n] = lr;
	hv->used_lrs = n + 1;
	hv->own++;
	gich_write(gich, GICH_LR(n), lr);
	if (cpu->gich_hcr != GICH_HCR_En) {
		gich_write(gich, GICH_HCR, GICH_HCR_En);
		cpu->gich_hcr = GICH_HCR_En;
	}
}

#endif
