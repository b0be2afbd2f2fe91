// SPDX-License-Identifier: GPL-2.0-only
/*
 * State that no register of a GICv2 shows apart, for clients that save a VM: in the distributor's
 * IMPLEMENTATION DEFINED space (IHI 0048B 4.3), which the guest finds empty, and beyond its page.
 */
#include <linux/kernel.h>

#include "arch/gic.h"
#include "core/state.h"
#include "vgic/dist.h"
#include "vgic/irq.h"

#define STATE_SGI_SIZE		16
#define STATE_BITS_SIZE		0x80	/* a bit for each interrupt */

static bool state_is_sgi(u32 offset)
{
	return offset - ARMVMM_GICD_SGI_ACTIVE < STATE_SGI_SIZE;
}

/* The first of the 32 interrupts of a word of those that begin at @base. */
static bool state_first(struct armvmm_vcpu *vcpu, u32 base, u32 offset, unsigned int *intid)
{
	if (offset - base >= STATE_BITS_SIZE)
		return false;
	*intid = (offset - base) * 8;
	return *intid < vgic_irq_end(&vcpu->vm->vgic);
}

static bool state_latch_first(struct armvmm_vcpu *vcpu, u32 offset, unsigned int *intid)
{
	return state_first(vcpu, ARMVMM_GICD_LATCH, offset, intid);
}

/* Private interrupts have no choice of whose they are. */
static bool state_holder_first(struct armvmm_vcpu *vcpu, u32 offset, unsigned int *intid)
{
	return state_first(vcpu, ARMVMM_GICD_HOLDER, offset, intid) && *intid >= GIC_NR_PRIVATE;
}

int vgic_dist_state_has_attr(struct armvmm_vcpu *vcpu, u32 offset)
{
	unsigned int intid;

	if (offset & 3)
		return -ENXIO;
	if (state_is_sgi(offset) || state_latch_first(vcpu, offset, &intid) ||
	    state_holder_first(vcpu, offset, &intid))
		return 0;
	return -ENXIO;
}

static u32 state_get_sgi(struct armvmm_vcpu *vcpu, unsigned int intid)
{
	unsigned int i;
	u32 val = 0;

	for (i = 0; i < 4; i++)
		val |= (u32)vgic_irq_get(vcpu->vm, vcpu, intid + i)->active_source << 8 * i;
	return val;
}

static void state_set_sgi(struct armvmm_vcpu *vcpu, unsigned int intid, u32 val)
{
	struct armvmm_vgic_irq *irq;
	unsigned long flags;
	unsigned int i;

	for (i = 0; i < 4; i++, val >>= 8) {
		irq = vgic_irq_get(vcpu->vm, vcpu, intid + i);
		flags = vgic_irq_lock_fetched(irq);
		/* GICH_LR.CPUID has three bits (IHI 0048B 5.3.8). */
		WRITE_ONCE(irq->active_source, val & 7);
		vgic_irq_update_unlock(irq, flags);
	}
}

static bool state_is_latched(const struct armvmm_vgic_irq *irq, const struct armvmm_vcpu *vcpu)
{
	return !vgic_irq_is_sgi(irq) && irq->pending_latch;
}

static bool state_is_held(const struct armvmm_vgic_irq *irq, const struct armvmm_vcpu *vcpu)
{
	return irq->active && irq->vcpu == vcpu;
}

/* Of which of 32 interrupts @is says so. */
static u32 state_get_bits(struct armvmm_vcpu *vcpu, unsigned int intid,
			  bool (*is)(const struct armvmm_vgic_irq *irq,
				     const struct armvmm_vcpu *vcpu))
{
	struct armvmm_vgic_irq *irq;
	unsigned long flags;
	unsigned int i;
	u32 val = 0;

	for (i = 0; i < 32; i++) {
		irq = vgic_irq_get(vcpu->vm, vcpu, intid + i);
		if (!irq)
			continue;
		flags = vgic_irq_lock_fetched(irq);
		val |= (u32)is(irq, vcpu) << i;
		raw_spin_unlock_irqrestore(&irq->lock, flags);
	}
	return val;
}

static void state_set_latch(struct armvmm_vcpu *vcpu, unsigned int intid, u32 val)
{
	struct armvmm_vgic_irq *irq;
	unsigned long flags;
	unsigned int i;

	for (i = 0; i < 32; i++, val >>= 1) {
		irq = vgic_irq_get(vcpu->vm, vcpu, intid + i);
		if (!irq || vgic_irq_is_sgi(irq))
			continue;
		flags = vgic_irq_lock_fetched(irq);
		WRITE_ONCE(irq->pending_latch, val & 1);
		vgic_irq_update_unlock(irq, flags);
	}
}

static void state_set_holder(struct armvmm_vcpu *vcpu, unsigned int intid, u32 val)
{
	struct armvmm_vgic_irq *irq;

	for (; val; val >>= 1, intid++) {
		irq = vgic_irq_get(vcpu->vm, vcpu, intid);
		if (irq && val & 1)
			vgic_irq_set_holder(irq, vcpu);
	}
}

int vgic_dist_state_get_attr(struct armvmm_vcpu *vcpu, u32 offset, u32 *val)
{
	unsigned int intid;

	if (vgic_dist_state_has_attr(vcpu, offset))
		return -ENXIO;
	if (state_latch_first(vcpu, offset, &intid))
		*val = state_get_bits(vcpu, intid, state_is_latched);
	else if (state_holder_first(vcpu, offset, &intid))
		*val = state_get_bits(vcpu, intid, state_is_held);
	else
		*val = state_get_sgi(vcpu, offset - ARMVMM_GICD_SGI_ACTIVE);
	return 0;
}

int vgic_dist_state_set_attr(struct armvmm_vcpu *vcpu, u32 offset, u32 val)
{
	unsigned int intid;

	if (vgic_dist_state_has_attr(vcpu, offset))
		return -ENXIO;
	if (state_latch_first(vcpu, offset, &intid))
		state_set_latch(vcpu, intid, val);
	else if (state_holder_first(vcpu, offset, &intid))
		state_set_holder(vcpu, intid, val);
	else
		state_set_sgi(vcpu, offset - ARMVMM_GICD_SGI_ACTIVE, val);
	return 0;
}
