// SPDX-License-Identifier: GPL-2.0-only
/* The state of one virtual interrupt, and the way it takes to a vCPU. */
#include <linux/nospec.h>
#include <linux/preempt.h>
#include <linux/processor.h>
#include <linux/sched.h>

#include "arch/gic.h"
#include "core/kick.h"
#include "core/state.h"
#include "core/vcpus.h"
#include "vgic/ap.h"
#include "vgic/irq.h"
#include "vgic/lr.h"

void vgic_irq_init(struct armvmm_vgic_irq *irq, unsigned int intid, struct armvmm_vcpu *target)
{
	raw_spin_lock_init(&irq->lock);
	INIT_LIST_HEAD(&irq->ap_link);
	irq->intid = intid;
	irq->target = target;
	/*
	 * SGIs are edge-triggered and permanently enabled; PPIs and SPIs start
	 * level-sensitive and disabled (IHI 0048B 4.3.5, 4.3.13).
	 */
	irq->edge = intid < GIC_NR_SGIS;
	irq->enabled = intid < GIC_NR_SGIS;
}

struct armvmm_vgic_irq *vgic_irq_get(struct armvmm_vm *vm, struct armvmm_vcpu *vcpu,
				     unsigned int intid)
{
	struct armvmm_vgic *vgic = &vm->vgic;
	unsigned int end = vgic_irq_end(vgic);

	/*
	 * Guests and clients choose intid: it must not index beyond the arrays even speculatively.
	 */
	if (intid < GIC_NR_PRIVATE) {
		if (!vcpu || !vcpu->vgic.private)
			return NULL;
		return &vcpu->vgic.private[array_index_nospec(intid, GIC_NR_PRIVATE)];
	}
	if (intid >= end || !vgic->spis)
		return NULL;
	return &vgic->spis[array_index_nospec(intid - GIC_NR_PRIVATE, end - GIC_NR_PRIVATE)];
}

void vgic_vcpu_notify(struct armvmm_vcpu *vcpu)
{
	struct task_struct *task;

	/* Pairs with the barrier between vcpu->task being set and the first look at its list. */
	smp_mb();
	task = READ_ONCE(vcpu->task);

	/*
	 * Not in RUN: it looks at its list when it is. Or this is its own thread,
	 * in an exit handler or on its way to the guest: it looks before it enters or
	 * sleeps. Not so from an interrupt handler, which may come after it looked.
	 */
	if (!task || (task == current && in_task()))
		return;

	armvmm_vcpu_request(vcpu, VCPU_REQ_IRQ_PENDING);
	armvmm_vcpu_kick(vcpu);
}

/*
 * Does the vCPU with this interrupt on its list notice the change by itself? A
 * level interrupt in a list register has EOI set there: its end makes the
 * vCPU exit and the line is looked at again.
 */
static bool irq_seen_at_eoi(const struct armvmm_vgic_irq *irq)
{
	return irq->in_lr && !irq->edge && !irq->hw;
}

void vgic_vcpu_redo(struct armvmm_vcpu *vcpu)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&vcpu->vgic.ap_list_lock, flags);
	vcpu->vgic.same = false;
	if (!vcpu->vgic.parked)
		vcpu->vgic.kept = 0;
	raw_spin_unlock_irqrestore(&vcpu->vgic.ap_list_lock, flags);
}

/*
 * What this vCPU chose for its list registers may have lost the interrupt before it was composed:
 * others that wait may take its place.
 */
static bool irq_leaves_room(const struct armvmm_vcpu *vcpu)
{
	return vgic_ap_nr(vcpu->vgic.ap) >= armvmm_vgic_host.nr_lr;
}

/* @reordered: what a list register shows of it has changed, too. */
static void irq_update_unlock(struct armvmm_vgic_irq *irq, unsigned long flags, bool reordered)
{
	struct armvmm_vcpu *from, *to, *notify = NULL, *left = NULL;
	raw_spinlock_t *list_lock;

	lockdep_assert_held(&irq->lock);

	for (;;) {
		to = vgic_irq_route(irq);
		from = irq->vcpu;
		if (from == to && !irq->in_lr && (!to || irq->ap_slot == vgic_ap_slot(irq))) {
			notify = to;
			break;
		}

		list_lock = from ? &from->vgic.ap_list_lock : &to->vgic.ap_list_lock;
		if (!raw_spin_trylock(list_lock)) {
			/* The list's lock comes first: let go, take both, look again. */
			raw_spin_unlock(&irq->lock);
			raw_spin_lock(list_lock);
			raw_spin_lock(&irq->lock);
			if (irq->vcpu != from || vgic_irq_route(irq) != to) {
				raw_spin_unlock(list_lock);
				continue;
			}
		}
		if (irq->in_lr && from->vgic.parked) {
			raw_spin_unlock(&irq->lock);
			vgic_lr_unpark(from);
			raw_spin_lock(&irq->lock);
			raw_spin_unlock(list_lock);
			continue;
		}
		/*
		 * The vCPU's sync puts it where it belongs. The target changed under a vCPU that
		 * runs with it: what is pending there comes back at its exit, and is moved then.
		 */
		if (irq->in_lr) {
			from->vgic.same = false;
			vgic_lr_changed(from, irq);
			raw_spin_unlock(list_lock);
			if (reordered || from != irq->target || (to && !irq_seen_at_eoi(irq)))
				notify = from;
			break;
		}
		if (from && from != to) {
			vgic_ap_del(from->vgic.ap, irq);
			WRITE_ONCE(irq->vcpu, NULL);
			from->vgic.same = false;
			if (irq_leaves_room(from))
				left = from;
			raw_spin_unlock(list_lock);
			continue;
		}
		if (from)
			vgic_ap_settle(to->vgic.ap, irq);
		else
			vgic_ap_add(to->vgic.ap, irq);
		WRITE_ONCE(irq->vcpu, to);
		to->vgic.same = false;
		raw_spin_unlock(list_lock);
		notify = to;
		break;
	}
	raw_spin_unlock_irqrestore(&irq->lock, flags);
	if (left)
		vgic_vcpu_notify(left);
	if (notify)
		vgic_vcpu_notify(notify);
}

void vgic_irq_update_unlock(struct armvmm_vgic_irq *irq, unsigned long flags)
{
	irq_update_unlock(irq, flags, false);
}

void vgic_irq_reorder_unlock(struct armvmm_vgic_irq *irq, unsigned long flags)
{
	irq_update_unlock(irq, flags, true);
}

unsigned long vgic_irq_lock_fetched(struct armvmm_vgic_irq *irq)
{
	struct armvmm_vcpu *vcpu;
	unsigned long flags;
	bool parked;

	for (;;) {
		raw_spin_lock_irqsave(&irq->lock, flags);
		if (likely(!irq->in_lr))
			return flags;
		vcpu = irq->vcpu;
		raw_spin_unlock_irqrestore(&irq->lock, flags);

		raw_spin_lock_irqsave(&vcpu->vgic.ap_list_lock, flags);
		parked = vcpu->vgic.parked;
		if (parked)
			vgic_lr_unpark(vcpu);
		raw_spin_unlock_irqrestore(&vcpu->vgic.ap_list_lock, flags);
		if (parked)
			continue;

		/*
		 * Else in_lr is set with IRQs disabled from flush to sync only, so that
		 * vCPU is on another CPU, in the guest or a few steps from it.
		 * Whatever it does next, it comes by sync.
		 */
		vgic_vcpu_notify(vcpu);
		cpu_relax();
		cond_resched();
	}
}

void vgic_irq_set_holder(struct armvmm_vgic_irq *irq, struct armvmm_vcpu *holder)
{
	unsigned long flags = vgic_irq_lock_fetched(irq);

	irq->holder = holder;
	vgic_irq_update_unlock(irq, flags);
	/* Where it is it stays: from now on like any other. */
	raw_spin_lock_irqsave(&irq->lock, flags);
	irq->holder = NULL;
	raw_spin_unlock_irqrestore(&irq->lock, flags);
}
