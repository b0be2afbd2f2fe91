// SPDX-License-Identifier: GPL-2.0-only
/*
 * List registers: filled before an entry from the vCPU's list, read back
 * after the exit. HYP moves hyp->vgic to and from the hardware.
 */
#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/module.h>

#include "arch/gic.h"
#include "core/state.h"
#include "vgic/ap.h"
#include "vgic/cpuif.h"
#include "vgic/irq.h"
#include "vgic/lr.h"

static bool keep_lrs = true;
module_param(keep_lrs, bool, 0644);
MODULE_PARM_DESC(keep_lrs, "pending SPIs that a guest did not take are shown again as they were");

/* --- before an entry --- */

/*
 * An SGI whose list register cannot show all requests: one source at a time,
 * and pending together with active for one and the same source only.
 */
static bool lr_sgi_waits(const struct armvmm_vgic_irq *irq)
{
	u8 source = READ_ONCE(irq->source);

	if (READ_ONCE(irq->active))
		return source & ~(1u << READ_ONCE(irq->active_source));
	return source & (source - 1);
}

/*
 * Composes the list register of an interrupt that is to be shown to the guest
 * (IHI 0048B 5.3.8). What the register takes over leaves the structure: an edge,
 * the request of an SGI. @crowded: others wait. irq->lock held.
 */
static u32 lr_compose(struct armvmm_vgic_irq *irq, bool crowded)
{
	u32 lr = irq->intid | (u32)(irq->priority >> VGIC_PRIORITY_SHIFT) << GICH_LR_PRIORITY_SHIFT;
	bool pend = vgic_irq_is_forwarded(irq);

	if (irq->group1)
		lr |= GICH_LR_GRP1;
	if (irq->active)
		lr |= GICH_LR_ACTIVE;

	if (irq->hw) {
		lr |= GICH_LR_HW | (u32)irq->hwintid << GICH_LR_PHYSID_SHIFT;
		/*
		 * A hardware interrupt is never pending and active: its pending state is physical.
		 */
		if (irq->active)
			pend = false;
	} else if (!irq->edge) {
		/* The line is looked at again when the guest is done: not pending twice. */
		lr |= GICH_LR_EOI;
		if (irq->active)
			pend = false;
	} else if (vgic_irq_is_sgi(irq)) {
		unsigned int source;

		if (lr_sgi_waits(irq))
			lr |= GICH_LR_EOI;
		if (irq->active) {
			source = irq->active_source;
			pend = pend && (irq->source & (1u << source));
		} else {
			source = irq->source ? __ffs(irq->source) : 0;
		}
		lr |= source << GICH_LR_CPUID_SHIFT;
	}

	/* What is active here and pending for another vCPU, or behind others, awaits its end. */
	if (pend && irq->active && (crowded || irq->target != irq->vcpu)) {
		lr |= GICH_LR_EOI;
		pend = false;
	}
	if (pend) {
		lr |= GICH_LR_PENDING;
		if (vgic_irq_is_sgi(irq)) {
			WRITE_ONCE(irq->source, irq->source & ~(1u << GICH_LR_CPUID(lr)));
			WRITE_ONCE(irq->pending_latch, irq->source);
		} else if (irq->edge) {
			WRITE_ONCE(irq->pending_latch, false);
		}
	}
	irq->lr_pending = pend;
	WRITE_ONCE(irq->in_lr, true);
	return lr;
}

/*
 * What is pending and does not get taken looks the same at the next entry: SPIs, of which this
 * structure knows all that there is.
 */
static bool lr_may_stay(const struct armvmm_vgic_irq *irq, u32 lr)
{
	return (lr & (GICH_LR_STATE | GICH_LR_HW)) == GICH_LR_PENDING && !vgic_irq_is_private(irq);
}

/* Those that are chosen, in order, and what had to stay out. */
struct lr_choice {
	struct armvmm_vgic_irq **irq;
	unsigned int n;
	unsigned int nr_active;		/* chosen or not */
	bool more;
};

static void lr_choose(struct armvmm_vcpu *vcpu, struct lr_choice *choice)
{
	unsigned int max = armvmm_vgic_host.nr_lr;
	struct armvmm_vgic_ap *ap = vcpu->vgic.ap;
	bool enabled = READ_ONCE(vcpu->vm->vgic.dist_enabled);
	struct armvmm_vgic_irq *first;

	choice->irq = ap->first;
	choice->n = vgic_ap_first(ap, enabled, max);
	choice->nr_active = vgic_ap_nr_active(ap);
	choice->more = (enabled ? vgic_ap_nr(ap) : choice->nr_active) > choice->n;

	/*
	 * As many active ones as registers: what is pending may preempt them all.
	 * It takes the place of the one that ends last, which comes back before its
	 * end, unless the guest may deactivate in any order (EOImode 1).
	 */
	if (choice->nr_active >= max && max > 1 && enabled && !vgic_cpuif_splits_eoi(vcpu)) {
		first = vgic_ap_first_pending(ap);
		if (first)
			choice->irq[max - 1] = first;
	}
}

/*
 * An SGI that has to end before its next source is shown goes before all of
 * lower priority: those of its group wait with it.
 */
static void lr_fill(struct armvmm_vcpu *vcpu)
{
	struct hyp_vgic *hv = &vcpu->hyp->vgic;
	u32 lr, limit[2] = { ~0u, ~0u };
	struct armvmm_vgic_irq *irq;
	unsigned int i, used = 0, active = 0, pending = 0;
	struct lr_choice choice;
	bool same = READ_ONCE(keep_lrs);

	lr_choose(vcpu, &choice);
	for (i = 0; i < choice.n; i++) {
		irq = choice.irq[i];
		raw_spin_lock(&irq->lock);
		/*
		 * Who changes it takes it off the list when this is done, and has
		 * this vCPU look again.
		 */
		if (vgic_irq_route(irq) == vcpu &&
		    (irq->active || irq->priority <= limit[irq->group1])) {
			if (vgic_irq_is_sgi(irq) && !irq->active && lr_sgi_waits(irq))
				limit[irq->group1] = min_t(u32, limit[irq->group1], irq->priority);
			lr = lr_compose(irq, choice.more);
			active += !!(lr & GICH_LR_ACTIVE);
			pending += !!(lr & GICH_LR_PENDING);
			same = same && lr_may_stay(irq, lr);
			hv->lr[used++] = lr;
		} else {
			same = false;
		}
		raw_spin_unlock(&irq->lock);
	}
	vcpu->vgic.same = same;

	hv->used_lrs = used;
	/* Until HYP mode has read it: an entry may end before the guest ran. */
	hv->elrsr = 0;
	hv->hcr = GICH_HCR_En;
	if (!choice.more)
		return;

	/*
	 * Others wait. Those that are pending come after what is pending here: time
	 * enough when the last of these is taken.
	 */
	if (pending)
		hv->hcr |= GICH_HCR_NPIE;
	if (pending && active == choice.nr_active)
		return;

	/*
	 * Where nothing is pending NPIE would never let the guest run, nor would
	 * UIE with one register in use: the end of an active interrupt is what asks
	 * for maintenance. So it is where active ones wait for their turn to end.
	 */
	if (used > 1)
		hv->hcr |= GICH_HCR_UIE;
	for (i = 0; i < used; i++)
		if ((hv->lr[i] & (GICH_LR_ACTIVE | GICH_LR_HW)) == GICH_LR_ACTIVE)
			hv->lr[i] |= GICH_LR_EOI;
}

/* --- after an exit --- */

/* Takes over what the guest did with the interrupt of a list register. irq->lock held. */
static void lr_fold(struct armvmm_vcpu *vcpu, struct armvmm_vgic_irq *irq, u32 lr)
{
	WRITE_ONCE(irq->in_lr, false);
	irq->acked = (lr & GICH_LR_ACTIVE) && (irq->acked || !irq->active);
	WRITE_ONCE(irq->active, lr & GICH_LR_ACTIVE);

	if (vgic_irq_is_sgi(irq)) {
		if (irq->active)
			WRITE_ONCE(irq->active_source, GICH_LR_CPUID(lr));
		if (lr & GICH_LR_PENDING) {
			WRITE_ONCE(irq->source, irq->source | 1u << GICH_LR_CPUID(lr));
			WRITE_ONCE(irq->pending_latch, true);
		}
	} else if (lr & GICH_LR_PENDING) {
		/* Not taken. A level is still where it was. */
		if (irq->edge)
			WRITE_ONCE(irq->pending_latch, true);
	} else if (irq->lr_pending && !irq->edge) {
		/* Acknowledged: GICD_ISPENDR's pending state ends (IHI 0048B 4.3.7). */
		WRITE_ONCE(irq->pending_latch, false);
	}
	irq->lr_pending = false;

	if (irq->get_level)
		WRITE_ONCE(irq->line_level, irq->get_level(vcpu));
}

/* The guest ended a level-sensitive SPI: irqfds with a resampler want to know. */
static bool lr_ended_level_spi(const struct armvmm_vgic_irq *irq, u32 lr)
{
	return !vgic_irq_is_private(irq) && !irq->edge && !(lr & GICH_LR_STATE);
}

/* Eventfds take sleeping locks where the kernel is preemptible: not from here. */
static void lr_note_ended(struct armvmm_vgic_vcpu *v, unsigned int intid)
{
	if (v->nr_ended < ARRAY_SIZE(v->ended))
		v->ended[v->nr_ended++] = intid;
}

/* Takes back all list registers. Returns a bit for each whose interrupt belongs elsewhere now. */
static u64 lr_fold_all(struct armvmm_vcpu *vcpu)
{
	struct hyp_vgic *hv = &vcpu->hyp->vgic;
	struct armvmm_vgic_vcpu *v = &vcpu->vgic;
	unsigned int n, used = hv->used_lrs;
	struct armvmm_vgic_irq *irq;
	struct armvmm_vcpu *to;
	u64 moves = 0;
	u32 lr;

	for (n = 0; n < used; n++) {
		lr = hv->lr[n];
		irq = vgic_irq_get(vcpu->vm, vcpu, lr & GICH_LR_VIRTUALID);
		if (!irq)
			continue;
		raw_spin_lock(&irq->lock);
		lr_fold(vcpu, irq, lr);
		if (lr_ended_level_spi(irq, lr))
			lr_note_ended(v, irq->intid);
		to = vgic_irq_route(irq);
		if (to == vcpu) {
			vgic_ap_settle(v->ap, irq);
		} else {
			vgic_ap_del(v->ap, irq);
			irq->vcpu = NULL;
			if (to)
				moves |= BIT_ULL(n);
		}
		raw_spin_unlock(&irq->lock);
	}
	hv->hcr = GICH_HCR_En;
	v->same = false;
	/* Pairs with the look without the lock in armvmm_vgic_flush(). */
	smp_store_release(&hv->used_lrs, 0);
	return moves;
}

void vgic_lr_unpark(struct armvmm_vcpu *vcpu)
{
	lockdep_assert_held(&vcpu->vgic.ap_list_lock);
	/* What has to move is what its lock's next holder changed, who moves it. */
	lr_fold_all(vcpu);
	vcpu->vgic.parked = false;
}

/* Nothing changed: neither by the guest nor by anybody else. */
static bool lr_all_same(const struct armvmm_vcpu *vcpu)
{
	const struct hyp_vgic *hv = &vcpu->hyp->vgic;
	unsigned int n;

	if (!vcpu->vgic.same)
		return false;
	for (n = 0; n < hv->used_lrs; n++)
		if ((hv->lr[n] & GICH_LR_STATE) != GICH_LR_PENDING)
			return false;
	return true;
}

void armvmm_vgic_sync(struct armvmm_vcpu *vcpu)
{
	struct hyp_vgic *hv = &vcpu->hyp->vgic;
	struct armvmm_vgic_vcpu *v = &vcpu->vgic;
	struct armvmm_vgic_irq *irq;
	unsigned long flags;
	unsigned int n;
	u64 moves = 0;

	if (!hv->used_lrs)
		return;

	raw_spin_lock(&v->ap_list_lock);
	if (lr_all_same(vcpu))
		v->parked = true;
	else
		moves = lr_fold_all(vcpu);
	raw_spin_unlock(&v->ap_list_lock);

	/* Its target was changed while it was in the list register. */
	while (unlikely(moves)) {
		n = __ffs64(moves);
		moves &= moves - 1;
		irq = vgic_irq_get(vcpu->vm, vcpu, hv->lr[n] & GICH_LR_VIRTUALID);
		raw_spin_lock_irqsave(&irq->lock, flags);
		vgic_irq_update_unlock(irq, flags);
	}
}

/* --- before an entry, what was left in them --- */

void armvmm_vgic_flush(struct armvmm_vcpu *vcpu)
{
	struct hyp_vgic *hv = &vcpu->hyp->vgic;
	struct armvmm_vgic_vcpu *v = &vcpu->vgic;

	/*
	 * Who adds to the list after this look kicks the vCPU. Who took all off it may have emptied
	 * the list registers, too: that is seen by the very word that HYP mode looks at, and what
	 * else HYP mode reads was written before it.
	 */
	if (vgic_ap_is_empty(v->ap) && !smp_load_acquire(&hv->used_lrs))
		return;

	raw_spin_lock(&v->ap_list_lock);
	if (v->parked && v->same) {
		v->parked = false;
		hv->elrsr = 0;
	} else {
		if (v->parked)
			vgic_lr_unpark(vcpu);
		lr_fill(vcpu);
	}
	raw_spin_unlock(&v->ap_list_lock);
}

/* --- in between --- */

bool armvmm_vgic_pending(struct armvmm_vcpu *vcpu)
{
	struct armvmm_vgic_vcpu *v = &vcpu->vgic;
	unsigned long flags;
	u32 best[2];

	if (vgic_ap_is_empty(v->ap) || !READ_ONCE(vcpu->vm->vgic.dist_enabled))
		return false;

	raw_spin_lock_irqsave(&v->ap_list_lock, flags);
	best[0] = vgic_ap_best_pending(v->ap, false);
	best[1] = vgic_ap_best_pending(v->ap, true);
	raw_spin_unlock_irqrestore(&v->ap_list_lock, flags);

	if (best[0] == VGIC_PRIORITY_IDLE && best[1] == VGIC_PRIORITY_IDLE)
		return false;
	return vgic_cpuif_signals(vcpu, best[0], best[1]);
}
