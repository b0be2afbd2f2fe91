// SPDX-License-Identifier: GPL-2.0-only
/* Software-generated interrupts: one pending state per pair of sender and receiver. */
#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/preempt.h>

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
	u32 targets = vgic_sgi_targets(val, vcpu->index, vcpu->vm->vgic.dist->nr_vcpus);
	struct armvmm_vcpu *to;
	int i;

	armvmm_vcpus_for_each(i, to, vcpu->vm)
		if (targets & (1u << i))
			sgi_send(to, GICD_SGIR_INTID(val), vcpu->index);
}

/*
 * What HYP mode posted. Senders set the source first, and then the SGI: whoever sets either while
 * they are taken here has both taken now, or the SGI seen again at the next look. The receiver and
 * senders may be here at once: each source is one's, who has the receiver look at its list.
 */
void vgic_sgi_collect(struct armvmm_vcpu *vcpu)
{
	struct hyp_dist_vcpu *own = &vcpu->hyp->dist;
	u32 posted = xchg(&own->posted, 0), sources;
	unsigned int word, n;

	for (word = 0; word < ARRAY_SIZE(own->sources); word++) {
		if (!(posted >> 4 * word & 0xf))
			continue;
		for (sources = xchg(&own->sources[word], 0); sources; sources &= sources - 1) {
			n = __ffs(sources);
			sgi_send(vcpu, 4 * word + n / 8, n % 8);
		}
	}
}

/* Did the guest take an interrupt that a list register showed it at the entry, or send an SGI? */
static bool sgi_any_taken(const struct armvmm_vcpu *vcpu)
{
	const struct hyp_vgic *hv = &vcpu->hyp->vgic;
	unsigned int n, given = hv->used_lrs - hv->own;

	/* Its list register is pending anew. */
	if (vcpu->hyp->cntv_taken)
		return true;
	for (n = 0; n < given; n++)
		if (vcpu->vgic.ap->shown[n]->lr_pending && !(hv->lr[n] & GICH_LR_PENDING))
			return true;
	/* HYP mode put SGIs there that the guest sent, and the timer's interrupt by itself. */
	for (; n < hv->used_lrs; n++)
		if ((hv->lr[n] & GICH_LR_VIRTUALID) < GIC_NR_SGIS ||
		    !(hv->lr[n] & GICH_LR_PENDING))
			return true;
	return false;
}

/* That this changed tells that the guest got on: HYP mode answered it. */
static u32 sgi_hyp_accesses(const struct armvmm_vcpu *vcpu)
{
	const struct hyp_stat *stat = &vcpu->hyp->stat;

	return (u32)(stat->hyp_gicd + stat->hyp_mmio_read + stat->hyp_mmio_write);
}

/*
 * A guest that waits in a loop is often where it was: that it took an interrupt, or looked at a
 * device, tells that it got on.
 */
void vgic_sgi_entry_ended(struct armvmm_vcpu *vcpu, bool irq)
{
	vcpu->vgic.stuck = irq && vcpu->hyp->regs.usr_regs.ARM_pc == vcpu->vgic.entry_pc &&
			   sgi_hyp_accesses(vcpu) == vcpu->vgic.entry_hyp && !sgi_any_taken(vcpu);
}

/*
 * Senders that ring all the time may end each entry before the guest's first instruction, as that
 * costs them next to nothing. After such an entry, they have to go by the host.
 */
void vgic_sgi_listen(struct armvmm_vcpu *vcpu)
{
	vcpu->vgic.entry_pc = vcpu->hyp->regs.usr_regs.ARM_pc;
	vcpu->vgic.entry_hyp = sgi_hyp_accesses(vcpu);
	vcpu->hyp->cntv_taken = 0;
	WRITE_ONCE(vcpu->hyp->dist.listen,
		   vcpu->vgic.stuck ? 0 : __this_cpu_read(armvmm_vgic_host_interface));
	/* Senders post first and look there then: they see this, or their SGIs are seen here. */
	smp_mb();
	vgic_sgi_take(vcpu);
}

/*
 * In the model it is as if the host had sent them. There may be as many receivers as vCPUs, each
 * to be woken: that is not for a time with IRQs off. But who is woken must not have this CPU yet:
 * other receivers would sleep on, and what others posted, if it was just taken, would be nowhere.
 */
void vgic_sgi_pass_on(struct armvmm_vcpu *vcpu)
{
	struct hyp_dist_vcpu *own = &vcpu->hyp->dist;

	preempt_disable();
	for (; own->notify; own->notify &= own->notify - 1)
		vgic_sgi_collect(vcpu->vm->vcpus[__ffs(own->notify)]);
	preempt_enable();
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
