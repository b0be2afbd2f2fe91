// SPDX-License-Identifier: GPL-2.0-only
/* Where interrupts come in: lines of devices, of timers, of the client. */
#include "arch/gic.h"
#include "core/state.h"
#include "core/trace.h"
#include "vgic/irq.h"

/* The interrupt a line may drive: SGIs have none (IHI 0048B 3.2.1). */
static struct armvmm_vgic_irq *inject_get(struct armvmm_vm *vm, struct armvmm_vcpu *vcpu,
					  unsigned int intid)
{
	if (!smp_load_acquire(&vm->vgic.initialized) || intid < GIC_NR_SGIS)
		return NULL;
	return vgic_irq_get(vm, vcpu, intid);
}

int armvmm_vgic_inject(struct armvmm_vm *vm, struct armvmm_vcpu *vcpu, unsigned int intid,
		       bool level, const void *owner)
{
	struct armvmm_vgic_irq *irq;
	unsigned long flags;

	irq = inject_get(vm, vcpu, intid);
	if (!irq)
		return -EINVAL;

	/* An in-kernel device's line is its own: KVM lets others' attempts pass without a word. */
	if (READ_ONCE(irq->owner) != owner)
		return 0;

	/*
	 * What changes nothing takes no lock. KVM takes each "high" of a line
	 * configured as edge-triggered for an edge: clients that pulse it may leave
	 * out the low half.
	 */
	if (READ_ONCE(irq->edge) ? !level : READ_ONCE(irq->line_level) == level) {
		WRITE_ONCE(irq->line_level, level);
		return 0;
	}

	trace_armvmm_irq_inject(vcpu ? (int)vcpu->id : -1, intid, level);
	raw_spin_lock_irqsave(&irq->lock, flags);
	WRITE_ONCE(irq->line_level, level);
	if (irq->edge && level)
		WRITE_ONCE(irq->pending_latch, true);
	vgic_irq_update_unlock(irq, flags);
	return 0;
}

int armvmm_vgic_set_owner(struct armvmm_vcpu *vcpu, unsigned int intid, const void *owner)
{
	struct armvmm_vgic_irq *irq;
	unsigned long flags;
	int ret = 0;

	if (!smp_load_acquire(&vcpu->vm->vgic.initialized))
		return -EAGAIN;
	irq = inject_get(vcpu->vm, vcpu, intid);
	if (!irq)
		return -EINVAL;

	raw_spin_lock_irqsave(&irq->lock, flags);
	if (irq->owner && irq->owner != owner)
		ret = -EEXIST;
	else
		irq->owner = owner;
	raw_spin_unlock_irqrestore(&irq->lock, flags);
	return ret;
}

int armvmm_vgic_map_phys(struct armvmm_vcpu *vcpu, unsigned int intid, unsigned int host_hwirq,
			 bool (*get_level)(struct armvmm_vcpu *vcpu))
{
	struct armvmm_vgic_irq *irq;
	unsigned long flags;

	if (intid >= GIC_NR_PRIVATE)
		return -EINVAL;
	irq = inject_get(vcpu->vm, vcpu, intid);
	if (!irq)
		return -EINVAL;

	raw_spin_lock_irqsave(&irq->lock, flags);
	/*
	 * The hardware deactivates the physical interrupt with the virtual one only
	 * where the host leaves it active, that is, runs EOImode 1. Elsewhere
	 * the list register is one of software, with an EOI maintenance interrupt.
	 */
	irq->hw = armvmm_vgic_host.split_eoi;
	irq->hwintid = host_hwirq;
	irq->get_level = get_level;
	raw_spin_unlock_irqrestore(&irq->lock, flags);
	return 0;
}

struct armvmm_vgic_irq *armvmm_vgic_phys_irq(struct armvmm_vcpu *vcpu, unsigned int intid)
{
	struct armvmm_vgic_irq *irq = inject_get(vcpu->vm, vcpu, intid);

	return irq && irq->hw && armvmm_vgic_host.gicd ? irq : NULL;
}

bool armvmm_vgic_phys_active(struct armvmm_vcpu *vcpu, unsigned int intid)
{
	struct armvmm_vgic_irq *irq = inject_get(vcpu->vm, vcpu, intid);

	/* The vCPU's own thread, between sync and flush: nobody else changes its PPI. */
	return irq && (irq->active || vgic_irq_is_pending(irq));
}
