// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual timer's interrupt in HYP mode. Where the guest's timer has expired, its interrupt is
 * shown by a list register, and the guest goes on with no world switch. Nothing is acknowledged:
 * the host's PPI is made active at the distributor, by its number, as the host itself does before
 * an entry (armvmm_timer_host_set()). So no other interrupt can be taken by mistake, and what else
 * is pending stays so, and ends the guest's turn. docs/distributor.md tells what is shared.
 */
#include "hyp/cpu.h"
#include "hyp/gich.h"
#include "hyp/gicirq.h"
#include "hyp/sysreg.h"

#ifdef __arm__
asm(".arch_extension virt");
#endif

/* How often ISR is looked at */
#define TIMER_TRIES	4

/* The line is high: it stays so until the guest runs, for the timer is its own. */
__hyp_inline bool timer_has_expired(void)
{
	return (sysreg_read(SYS_CNTV_CTL) & (CNT_CTL_ENABLE | CNT_CTL_IMASK | CNT_CTL_ISTATUS)) ==
	       (CNT_CTL_ENABLE | CNT_CTL_ISTATUS);
}

/*
 * Would the interrupt be shown, if it were the host's to say? No lock: the vCPU's own thread
 * configures it, HYP mode in its name, or a client while the vCPU stands still. A client's step
 * that takes no interrupt (debug.irq_blocked) has its breakpoints loaded.
 */
__hyp_inline bool timer_may_be_shown(const struct hyp_vcpu *vcpu,
				     const struct armvmm_vgic_irq *irq)
{
	return READ_ONCE(vcpu->dist.vm->ctlr) && irq->enabled && !irq->pending_latch &&
	       !vcpu->vgic.full && vcpu->debug.mode != HYP_DEBUG_LOAD;
}

/*
 * Keeps the host's PPI from interrupting this CPU, until the guest's deactivation. The active state
 * is in place when the guest goes on, or the guest may end its interrupt before that (the read, and
 * the DSB that waits for it; docs/silicon.md S9). False: the GIC did not take it.
 */
__hyp_inline bool timer_hold(struct hyp_cpu *cpu, struct hyp_vcpu *vcpu, u32 hwintid)
{
	unsigned long gicd = (unsigned long)cpu->gicd;
	u32 bit = 1u << hwintid;

	gich_write(gicd, GICD_ISACTIVER, bit);
	if (!(gich_read(gicd, GICD_ISACTIVER) & bit))
		return false;
	vcpu->cntv_held = 1;
	hyp_dsb();
	return true;
}

/*
 * Is another interrupt pending, or an abort? Or the GIC has not lowered its signal yet: it has a
 * little time for that, which is less than an exit takes (docs/silicon.md S10).
 */
__hyp_inline bool timer_not_alone(void)
{
	u32 i = TIMER_TRIES, isr;

	do {
		hyp_isb();
		isr = sysreg_read(SYS_ISR) & (ISR_A | ISR_I | ISR_F);
	} while (--i && isr && !(isr & ISR_A));
	return isr;
}

/*
 * An interrupt of the host's, while the guest ran. HYP_RESUME: it was the guest's timer alone, and
 * the guest has it. HYP_EXIT_IRQ: the host is to look; where the timer had expired as well, it may
 * have been shown.
 */
u32 __hyp_text hyp_irq(struct hyp_cpu *cpu, struct hyp_vcpu *vcpu)
{
	struct armvmm_vgic_irq *irq = vcpu->cntv_irq;
	unsigned long gich = (unsigned long)cpu->gich;
	struct hyp_vgic *hv = &vcpu->vgic;
	u32 used = hv->used_lrs, lr, n;
	bool again = false;

	if (!irq || !timer_has_expired())
		return HYP_EXIT_IRQ;
	for (n = 0; n < used; n++)
		if ((hv->lr[n] & GICH_LR_VIRTUALID) == irq->intid)
			break;
	if (n < used) {
		/* The guest's accesses to GICV are complete before the state is read. */
		hyp_dsb();
		lr = gich_read(gich, GICH_LR(n));
		if (lr & GICH_LR_STATE)
			goto hold;
		/* The host tells what the guest took by an empty list register in between. */
		if (irq->active && !irq->acked)
			return HYP_EXIT_IRQ;
		lr = (hv->lr[n] & ~GICH_LR_STATE) | GICH_LR_PENDING;
	} else {
		if (!hyp_lr_free(vcpu, irq))
			return HYP_EXIT_IRQ;
		lr = vgic_irq_lr(irq) | GICH_LR_HW | GICH_LR_PENDING |
		     (u32)irq->hwintid << GICH_LR_PHYSID_SHIFT;
	}
	if (!timer_may_be_shown(vcpu, irq) || !timer_hold(cpu, vcpu, irq->hwintid))
		return HYP_EXIT_IRQ;
	if (n < used) {
		gich_write(gich, GICH_LR(n), lr);
		vcpu->cntv_taken = 1;
	} else {
		hyp_lr_add(cpu, vcpu, lr);
	}
	goto out;

hold:
	again = true;
	/*
	 * The guest has it, so the PPI ought to be active. It may not be: the deactivation of the
	 * last one came late, when HYP mode, here for another interrupt, had shown the next.
	 */
	if (!timer_hold(cpu, vcpu, irq->hwintid))
		return HYP_EXIT_IRQ;
out:
	if (timer_not_alone())
		return HYP_EXIT_IRQ;
	vcpu->stat.hyp_timer += !again;
	return HYP_RESUME;
}
