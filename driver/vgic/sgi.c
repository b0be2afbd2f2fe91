// SPDX-License-Identifier: GPL-2.0-only
/* Software-generated interrupts: one pending state per pair of sender and receiver. */
#include "arch/gic.h"
#include "core/state.h"
#include "core/trace.h"
#include "core/vcpus.h"
#include "vgic/dist.h"
#include "vgic/irq.h"

static void sgi_send(struct armvmm_vcpu *to, unsigned int intid, unsigned int source)
{
	/* GICD_SGIR_INTID() has four bits, whatever is speculated. */
	struct armvmm_vgic_irq *irq = &to->vgic.private[intid];
	unsigned long flags;

	trace_armvmm_irq_inject(to->id, intid, true);
	raw_spin_lock_irqsave(&irq->lock, flags);
	WRITE_ONCE(irq->pending_latch, true);
	WRITE_ONCE(irq->source, irq->source | 1u << source);
	vgic_irq_update_unlock(irq, flags);
}

/* GICD_SGIR (IHI 0048B 4.3.15) */
void vgic_sgi_write(struct armvmm_vcpu *vcpu, u32 val)
{
	unsigned int targets, intid = GICD_SGIR_INTID(val);
	struct armvmm_vcpu *to;
	int i;

	switch (GICD_SGIR_FILTER(val)) {
	case GICD_SGIR_FILTER_LIST:
		targets = GICD_SGIR_TARGETS(val);
		break;
	case GICD_SGIR_FILTER_OTHERS:
		targets = ~(1u << vcpu->index);
		break;
	case GICD_SGIR_FILTER_SELF:
		targets = 1u << vcpu->index;
		break;
	default:	/* reserved */
		return;
	}

	armvmm_vcpus_for_each(i, to, vcpu->vm)
		if (targets & (1u << i))
			sgi_send(to, intid, vcpu->index);
}

/* GICD_CPENDSGIR, GICD_SPENDSGIR: a byte of sources for each SGI (4.3.16, 4.3.17) */
u32 vgic_sgi_read_pending(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int n)
{
	unsigned int i;
	u32 val = 0;

	for (i = 0; i < n; i++)
		val |= (u32)READ_ONCE(vgic_irq_get(vcpu->vm, vcpu, intid + i)->source) << (8 * i);
	return val;
}

void vgic_sgi_write_pending(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int n, u32 val,
			    bool set)
{
	u8 cpus = vgic_dist_cpu_mask(vcpu->vm);
	struct armvmm_vgic_irq *irq;
	unsigned long flags;
	unsigned int i;
	u8 sources;

	for (i = 0; i < n; i++, val >>= 8) {
		sources = val & cpus;
		if (!sources)
			continue;
		irq = vgic_irq_get(vcpu->vm, vcpu, intid + i);
		raw_spin_lock_irqsave(&irq->lock, flags);
		if (set)
			WRITE_ONCE(irq->source, irq->source | sources);
		else
			WRITE_ONCE(irq->source, irq->source & ~sources);
		WRITE_ONCE(irq->pending_latch, irq->source);
		vgic_irq_update_unlock(irq, flags);
	}
}
