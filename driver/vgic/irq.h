/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way of one virtual interrupt (struct armvmm_vgic_irq, hyp/gicirq.h) to a vCPU.
 *
 * An interrupt that is pending and enabled, or active, is on the list (ap) of
 * exactly one vCPU (irq->vcpu), whether the distributor is enabled or not. The
 * entry of that vCPU writes it to a list register (in_lr); from then to the
 * exit the hardware knows its state better than this structure does. It never
 * leaves the list while in_lr, so it cannot be in two list registers.
 *
 * Pending SPIs that the guest did not take stay in_lr after the exit (parked,
 * lr.c), for the next entry to show again as they are. Whoever changes one of them,
 * or needs to know its state, takes all of them out first.
 *
 * An interrupt that loses its reason to be on the list is taken off by whoever took
 * the reason, or by the sync that ends its time in a list register: an entry to
 * the guest looks at no more of the list than fits into list registers.
 */
#ifndef ARMVMM_VGIC_IRQ_H
#define ARMVMM_VGIC_IRQ_H

#include <linux/types.h>

#include "arch/gic.h"
#include "hyp/gicirq.h"
#include "vgic/vgic.h"

/* The first INTID that the VM has not. */
static inline unsigned int vgic_irq_end(const struct armvmm_vgic *vgic)
{
	unsigned int end = GIC_NR_PRIVATE + vgic->nr_spis;

	return end < GIC_SPECIAL_INTIDS ? end : GIC_SPECIAL_INTIDS;
}

/* Sets what init needs: INTID, lock, trigger. The memory is zeroed. */
void vgic_irq_init(struct armvmm_vgic_irq *irq, unsigned int intid, struct armvmm_vcpu *target);

/*
 * The interrupt @intid of the VM; @vcpu's own below 32. NULL where there is
 * none: past the end, before init, or a private one without a vCPU.
 */
struct armvmm_vgic_irq *vgic_irq_get(struct armvmm_vm *vm, struct armvmm_vcpu *vcpu,
				     unsigned int intid);

/*
 * The vCPU that has to know of the interrupt now, or NULL; that the distributor is disabled does
 * not count. irq->lock held.
 */
static inline struct armvmm_vcpu *vgic_irq_route(const struct armvmm_vgic_irq *irq)
{
	/* An active interrupt stays with the CPU that acknowledged it (IHI 0048B 3.2.1). */
	if (unlikely(irq->active))
		return irq->holder ?: irq->vcpu ?: irq->target;

	return vgic_irq_is_due(irq) ? irq->target : NULL;
}

/*
 * After a change of state: puts the interrupt on the list where it belongs, or
 * takes it off, and makes that vCPU look. irq->lock held with IRQs saved in
 * @flags; both are released. Any context.
 */
void vgic_irq_update_unlock(struct armvmm_vgic_irq *irq, unsigned long flags);
/* The same after a change of priority or group, which a list register does not follow by itself. */
void vgic_irq_reorder_unlock(struct armvmm_vgic_irq *irq, unsigned long flags);

/*
 * Moves an active interrupt to the vCPU that acknowledged it, as a client says that restores a VM:
 * by itself it went to its target, which the guest may have changed since. The vCPUs stand still.
 */
void vgic_irq_set_holder(struct armvmm_vgic_irq *irq, struct armvmm_vcpu *holder);

/*
 * Locks the interrupt when no list register holds it, making the vCPU that
 * runs with it exit. Returns the flags for unlocking. vCPU thread, may sleep.
 */
unsigned long vgic_irq_lock_fetched(struct armvmm_vgic_irq *irq);

/* Its list registers are to be made anew. Who calls this calls vgic_vcpu_notify() next. */
void vgic_vcpu_redo(struct armvmm_vcpu *vcpu);

/* Makes the vCPU look at its list again, wherever it is. Any context. */
void vgic_vcpu_notify(struct armvmm_vcpu *vcpu);

#endif
