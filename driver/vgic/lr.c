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
MODULE_PARM_DESC(keep_lrs, "pending SPIs that a guest did not take are shown again as they were, and list registers stay as they are while the host runs");

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
 * the request of an SGI. @pend: it is forwarded; @crowded: others wait. irq->lock held.
 */
static noinline u32 lr_compose(struct armvmm_vgic_irq *irq, bool pend, bool crowded)
{
	u32 lr = vgic_irq_lr(irq);

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

	/*
	 * Active here, and pending again: for another vCPU, or while interrupts wait for a list
	 * register. It is shown as active alone. Its end asks for maintenance, and only then is it
	 * pending, where it belongs.
	 */
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

/* Takes over what the guest did with the interrupt of a list register. irq->lock held. */
static __always_inline void lr_fold(struct armvmm_vcpu *vcpu, struct armvmm_vgic_irq *irq, u32 lr)
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

/* Takes a list register back. True where its interrupt belongs elsewhere now. */
static bool lr_take_back(struct armvmm_vcpu *vcpu, struct armvmm_vgic_irq *irq, u32 lr)
{
	struct armvmm_vgic_vcpu *v = &vcpu->vgic;
	struct armvmm_vcpu *to;

	raw_spin_lock(&irq->lock);
	lr_fold(vcpu, irq, lr);
	if (unlikely(lr_ended_level_spi(irq, lr)))
		lr_note_ended(v, irq->intid);
	to = vgic_irq_route(irq);
	if (to == vcpu) {
		vgic_ap_settle(v->ap, irq);
		to = NULL;
	} else {
		vgic_ap_del(v->ap, irq);
		WRITE_ONCE(irq->vcpu, NULL);
	}
	raw_spin_unlock(&irq->lock);
	return to;
}

/* --- before an entry --- */

/*
 * What is pending and does not get taken looks the same at the next entry: SPIs, of which this
 * structure knows all that there is.
 */
static bool lr_may_stay(const struct armvmm_vgic_irq *irq, u32 lr)
{
	return (lr & (GICH_LR_STATE | GICH_LR_HW)) == GICH_LR_PENDING && !vgic_irq_is_private(irq);
}

/*
 * The guest may have disabled a group at its CPU interface: what is pending there must not keep the
 * other group from it. So the groups that are enabled go first.
 */
static noinline unsigned int lr_choose_open(struct armvmm_vcpu *vcpu, unsigned int max)
{
	struct armvmm_vgic_ap *ap = vcpu->vgic.ap;
	unsigned int open = vgic_cpuif_groups(vcpu), n;

	ap->open = open;
	n = vgic_ap_first(ap, open, max);
	ap->nr_first = n < max ? vgic_ap_first_more(ap, VGIC_AP_GROUPS & ~open, n, max) : n;
	return open ?: VGIC_AP_GROUPS;
}

static noinline void lr_choose(struct armvmm_vcpu *vcpu, bool enabled)
{
	unsigned int max = armvmm_vgic_host.nr_lr, groups = enabled ? VGIC_AP_GROUPS : 0;
	struct armvmm_vgic_ap *ap = vcpu->vgic.ap;
	struct armvmm_vgic_irq *first;

	ap->more = (enabled ? vgic_ap_nr(ap) : vgic_ap_nr_active(ap)) > max;
	ap->mixed = ap->more && enabled && vgic_ap_used(ap, VGIC_AP_GROUP(0)) &&
		    vgic_ap_used(ap, VGIC_AP_GROUP(1));
	if (unlikely(ap->mixed))
		groups = lr_choose_open(vcpu, max);
	else
		ap->nr_first = vgic_ap_first(ap, groups, max);

	/*
	 * As many active ones as registers: what is pending may preempt them all.
	 * It takes the place of the one that ends last, which comes back before its
	 * end, unless the guest may deactivate in any order (EOImode 1).
	 */
	if (vgic_ap_nr_active(ap) >= max && max > 1 && enabled && !vgic_cpuif_splits_eoi(vcpu)) {
		first = vgic_ap_first_pending(ap, groups);
		if (first)
			ap->first[max - 1] = first;
	}
}

/* Takes back those of @go, bit n being list register n, which stayed in them. */
static noinline void lr_release(struct armvmm_vcpu *vcpu, unsigned long go)
{
	const struct armvmm_vgic_ap *ap = vcpu->vgic.ap;
	unsigned int i;

	for (; go; go &= go - 1) {
		i = __ffs(go);
		lr_take_back(vcpu, ap->shown[i], ap->shown[i]->lr);
	}
}

/* It waits with what an SGI that has to end before its next source holds up. */
static bool lr_is_beyond(const struct armvmm_vgic_ap *ap, u32 lr)
{
	return GICH_LR_PRIORITY(lr) << VGIC_PRIORITY_SHIFT > ap->limit[!!(lr & GICH_LR_GRP1)];
}

/* Where the CPU's list registers hold what they are to hold already, the entry writes none. */
static __always_inline void lr_put(struct hyp_vgic *hv, unsigned int n, u32 lr)
{
	if (hv->lr[n] != lr)
		hv->held &= ~BIT(n % BITS_PER_LONG);
	hv->lr[n] = lr;
}

/* Asks for maintenance when there is room, and more than the last to be taken may make it. */
static noinline void lr_ask(struct hyp_vgic *hv)
{
	unsigned int i, used = hv->used_lrs;

	/*
	 * Where nothing is pending NPIE would never let the guest run, nor would
	 * UIE with one register in use: the end of an active interrupt is what asks
	 * for maintenance. So it is where active ones wait for their turn to end.
	 */
	if (used > 1)
		hv->hcr |= GICH_HCR_UIE;
	for (i = 0; i < used; i++)
		if ((hv->lr[i] & (GICH_LR_ACTIVE | GICH_LR_HW)) == GICH_LR_ACTIVE)
			lr_put(hv, i, hv->lr[i] | GICH_LR_EOI);
}

/* Asks for maintenance when the guest enables or disables a group, for which others were chosen. */
static u32 lr_ask_groups(unsigned int open)
{
	return (open & VGIC_AP_GROUP(0) ? GICH_HCR_VGrpDIE(0) : GICH_HCR_VGrpEIE(0)) |
	       (open & VGIC_AP_GROUP(1) ? GICH_HCR_VGrpDIE(1) : GICH_HCR_VGrpEIE(1));
}

/* Shows @irq by list register @n, as it is. irq->lock held. */
static __always_inline u32 lr_show(struct armvmm_vcpu *vcpu, struct armvmm_vgic_irq *irq,
				   unsigned int n, bool enabled, bool crowded)
{
	u32 lr = lr_compose(irq, enabled && (!irq->active || vgic_irq_is_due(irq)), crowded);

	irq->lr = lr;
	irq->lr_nr = n;
	lr_put(&vcpu->hyp->vgic, n, lr);
	return lr;
}

/* None is empty until HYP mode has read them: an entry may end before the guest ran. */
static void lr_unread(struct hyp_vgic *hv)
{
	hv->elrsr[0] = 0;
	hv->elrsr[1] = 0;
}

/* The one interrupt that the vCPU has: none waits for it, and it waits for none. */
static void lr_fill_only(struct armvmm_vcpu *vcpu, struct armvmm_vgic_irq *irq)
{
	bool enabled = READ_ONCE(vcpu->vm->vgic.dist->ctlr), keep = READ_ONCE(keep_lrs);
	struct hyp_vgic *hv = &vcpu->hyp->vgic;
	struct armvmm_vgic_vcpu *v = &vcpu->vgic;
	bool same = false, full = false;
	unsigned int used = 0;
	u32 lr;

	raw_spin_lock(&irq->lock);
	/* Whoever changes it takes it off the list afterwards, and has this vCPU look again. */
	if (vgic_irq_route(irq) == vcpu && (enabled || irq->active)) {
		lr = lr_show(vcpu, irq, 0, enabled, false);
		same = keep && lr_may_stay(irq, lr);
		/* It waits for its own next source. */
		full = vgic_irq_is_sgi(irq) && lr & GICH_LR_EOI;
		v->ap->shown[0] = irq;
		used = 1;
	}
	raw_spin_unlock(&irq->lock);
	v->same = same;
	v->kept = same;
	v->ap->mixed = false;
	hv->stays = keep;
	if (!keep)
		hv->held = 0;
	hv->full = full;
	hv->used_lrs = used;
	lr_unread(hv);
	hv->hcr = GICH_HCR_En;
}

/*
 * Shows one more, by list register @n. What is returned is 0 where it is not to be shown.
 *
 * An SGI that has to end before its next source is shown goes before all of
 * lower priority: those of its group wait with it.
 */
static noinline u32 lr_fill_one(struct armvmm_vcpu *vcpu, struct armvmm_vgic_irq *irq,
				unsigned int n, bool enabled)
{
	struct armvmm_vgic_ap *ap = vcpu->vgic.ap;
	u32 lr = 0;

	raw_spin_lock(&irq->lock);
	/* Whoever changes it takes it off the list afterwards, and has this vCPU look again. */
	if (unlikely(vgic_irq_route(irq) != vcpu || !(enabled || irq->active)))
		goto out;
	if (!irq->active) {
		if (unlikely(irq->priority > ap->limit[irq->group1]))
			goto out;
		if (vgic_irq_is_sgi(irq) && unlikely(lr_sgi_waits(irq))) {
			ap->limit[irq->group1] = irq->priority;
			ap->limited = true;
		}
	}
	lr = lr_show(vcpu, irq, n, enabled, ap->more);
out:
	raw_spin_unlock(&irq->lock);
	return lr;
}

/*
 * What stayed in a list register is shown as it was. Whoever changes it meanwhile waits for the
 * list's lock, finds it shown, and has the vCPU take it back.
 */
static noinline void lr_fill(struct armvmm_vcpu *vcpu)
{
	bool enabled = READ_ONCE(vcpu->vm->vgic.dist->ctlr), keep = READ_ONCE(keep_lrs);
	unsigned int i, used = 0, active = 0;
	struct hyp_vgic *hv = &vcpu->hyp->vgic;
	struct armvmm_vgic_vcpu *v = &vcpu->vgic;
	unsigned long stays = 0, kept = 0, bit = keep;
	struct armvmm_vgic_ap *ap = v->ap;
	struct armvmm_vgic_irq **first, *irq;
	bool same = true, pending = false, limited = false;
	u32 lr, hcr = GICH_HCR_En;
	unsigned int nr_first;

	lr_choose(vcpu, enabled);
	first = ap->first;
	nr_first = ap->nr_first;
	ap->limit[0] = VGIC_PRIORITY_IDLE;
	ap->limit[1] = VGIC_PRIORITY_IDLE;
	ap->limited = false;
	/* Past the last bit of kept, bit is zero, and nothing stays. */
	for (i = 0; i < nr_first; i++) {
		irq = first[i];
		if (irq->in_lr) {
			lr = irq->lr;
			if (unlikely(limited) && lr_is_beyond(ap, lr)) {
				same = false;
				continue;
			}
			stays |= BIT(irq->lr_nr);
			irq->lr_nr = used;
			lr_put(hv, used, lr);
			pending = true;
			kept |= bit;
		} else {
			lr = lr_fill_one(vcpu, irq, used, enabled);
			limited = ap->limited;
			if (unlikely(!lr)) {
				same = false;
				continue;
			}
			active += !!(lr & GICH_LR_ACTIVE);
			pending |= lr & GICH_LR_PENDING;
			if (lr_may_stay(irq, lr))
				kept |= bit;
			else
				same = false;
		}
		bit <<= 1;
		first[used++] = irq;
	}
	/* What stayed in a list register and does not any more. */
	if (v->kept & ~stays)
		lr_release(vcpu, v->kept & ~stays);
	ap->first = ap->shown;
	ap->shown = first;
	v->kept = kept;
	v->same = same && keep;
	hv->stays = keep;
	if (!keep)
		hv->held = 0;

	/* One more would go before what waits, for a register or for an SGI's next source. */
	hv->full = ap->more || limited;
	hv->used_lrs = used;
	lr_unread(hv);
	/*
	 * Some interrupts found no list register. Pending ones have a lower priority
	 * than those that are loaded: HYP mode asks again when no loaded one is pending.
	 */
	if (unlikely(ap->mixed))
		hcr |= lr_ask_groups(ap->open);
	if (ap->more && pending)
		hcr |= GICH_HCR_NPIE;
	hv->hcr = hcr;
	if (unlikely(ap->more) && (!pending || active != vgic_ap_nr_active(ap)))
		lr_ask(hv);
}

/* Others than those that are shown are to go first now. */
static bool lr_groups_changed(struct armvmm_vcpu *vcpu)
{
	const struct armvmm_vgic_ap *ap = vcpu->vgic.ap;

	return unlikely(ap->mixed) && vgic_cpuif_groups(vcpu) != ap->open;
}

void vgic_lr_flush(struct armvmm_vcpu *vcpu)
{
	struct armvmm_vgic_vcpu *v = &vcpu->vgic;

	raw_spin_lock(&v->ap_list_lock);
	if (v->parked && v->same && !lr_groups_changed(vcpu))
		lr_unread(&vcpu->hyp->vgic);
	else if (v->ap->only && !v->kept)
		lr_fill_only(vcpu, v->ap->only);
	else
		lr_fill(vcpu);
	v->parked = false;
	raw_spin_unlock(&v->ap_list_lock);
}

/* --- after an exit --- */

void vgic_lr_unpark(struct armvmm_vcpu *vcpu)
{
	struct armvmm_vgic_vcpu *v = &vcpu->vgic;

	lockdep_assert_held(&v->ap_list_lock);
	/* What has to move is what its lock's next holder changed, who moves it. */
	lr_release(vcpu, v->kept);
	v->kept = 0;
	v->same = false;
	v->parked = false;
	vcpu->hyp->vgic.hcr = GICH_HCR_En;
	vcpu->hyp->vgic.full = false;
	/* Pairs with the look without the lock in armvmm_vgic_flush(). */
	smp_store_release(&vcpu->hyp->vgic.used_lrs, 0);
}

/* The target of one or more was changed while they were in @used list registers. */
static noinline void lr_move(struct armvmm_vcpu *vcpu, unsigned int used)
{
	struct armvmm_vgic_irq *irq;
	unsigned long flags;

	while (used--) {
		irq = vcpu->vgic.ap->shown[used];
		raw_spin_lock_irqsave(&irq->lock, flags);
		vgic_irq_update_unlock(irq, flags);
	}
}

/*
 * Takes back a private interrupt that HYP mode showed by itself: an SGI, or the timer's. Of that
 * the structure knows nothing; others may have made the SGI pending there meanwhile, or the timer
 * its line high, so that it is on the list.
 */
static void lr_adopt(struct armvmm_vcpu *vcpu, u32 lr)
{
	struct armvmm_vgic_irq *irq = &vcpu->vgic.private[lr & (GIC_NR_PRIVATE - 1)];
	struct armvmm_vgic_ap *ap = vcpu->vgic.ap;

	if (!(lr & GICH_LR_STATE))
		return;
	raw_spin_lock(&irq->lock);
	lr_fold(vcpu, irq, lr);
	/* Not so if it is pending, and its line is low again. */
	if (irq->vcpu) {
		vgic_ap_settle(ap, irq);
	} else if (vgic_irq_route(irq)) {
		vgic_ap_add(ap, irq);
		WRITE_ONCE(irq->vcpu, vcpu);
	}
	raw_spin_unlock(&irq->lock);
	vcpu->vgic.same = false;
}

static noinline void lr_adopt_all(struct armvmm_vcpu *vcpu)
{
	struct hyp_vgic *hv = &vcpu->hyp->vgic;

	for (; hv->own; hv->own--)
		lr_adopt(vcpu, hv->lr[--hv->used_lrs]);
}

void vgic_lr_sync(struct armvmm_vcpu *vcpu)
{
	struct hyp_vgic *hv = &vcpu->hyp->vgic;
	struct armvmm_vgic_vcpu *v = &vcpu->vgic;
	unsigned long kept, bit = 1;
	unsigned int n, used;
	bool moves = false;

	raw_spin_lock(&v->ap_list_lock);
	if (unlikely(hv->own))
		lr_adopt_all(vcpu);
	used = hv->used_lrs;
	kept = v->kept;
	/* Past the last bit of kept, bit is zero. */
	for (n = 0; n < used; n++, bit <<= 1) {
		if (kept & bit) {
			if ((hv->lr[n] & GICH_LR_STATE) == GICH_LR_PENDING)
				continue;
			kept &= ~bit;
		}
		v->same = false;
		moves |= lr_take_back(vcpu, v->ap->shown[n], hv->lr[n]);
	}
	v->kept = kept;
	v->parked = kept;
	if (!kept) {
		hv->full = false;
		WRITE_ONCE(hv->used_lrs, 0);
	}
	raw_spin_unlock(&v->ap_list_lock);

	if (unlikely(moves))
		lr_move(vcpu, used);
}

/* --- in between --- */

bool armvmm_vgic_pending(struct armvmm_vcpu *vcpu)
{
	struct armvmm_vgic_vcpu *v = &vcpu->vgic;
	unsigned long flags;
	u32 best[2];

	vgic_sgi_take(vcpu);
	if (vgic_ap_is_empty(v->ap) || !READ_ONCE(vcpu->vm->vgic.dist->ctlr))
		return false;

	raw_spin_lock_irqsave(&v->ap_list_lock, flags);
	best[0] = vgic_ap_best_pending(v->ap, false);
	best[1] = vgic_ap_best_pending(v->ap, true);
	raw_spin_unlock_irqrestore(&v->ap_list_lock, flags);

	if (best[0] == VGIC_PRIORITY_IDLE && best[1] == VGIC_PRIORITY_IDLE)
		return false;
	return vgic_cpuif_signals(vcpu, best[0], best[1]);
}
