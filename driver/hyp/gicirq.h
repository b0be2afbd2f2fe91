/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The model of the virtual distributor, which HYP mode and the host share (docs/distributor.md):
 * one interrupt, the words of a VM, and what both sides do with them in the same way.
 */
#ifndef ARMVMM_HYP_GICIRQ_H
#define ARMVMM_HYP_GICIRQ_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "arch/gic.h"
#include "hyp/hyp.h"
#ifdef ARMVMM_HYP
#include "hyp/exclusive.h"
#endif

struct armvmm_vcpu;

/*
 * The state of one virtual interrupt; vgic/irq.h tells how it comes to a vCPU.
 *
 * The bytes that GICD_* read, and that injection looks at, are read without the
 * lock too: they are written by WRITE_ONCE() and, without it, read by READ_ONCE().
 */
struct armvmm_vgic_irq {
	raw_spinlock_t lock;		/* innermost; taken with IRQs disabled, in HYP mode tried */
	struct list_head ap_link;	/* also under irq->vcpu's ap_list_lock */
	struct armvmm_vcpu *vcpu;	/* on whose list, or NULL; both locks to change */
	struct armvmm_vcpu *target;	/* where it goes; NULL in a VM without vCPUs */
	struct armvmm_vcpu *holder;	/* active: to be moved to this one, whatever the target */
	const void *owner;		/* the in-kernel device that drives the line */
	bool (*get_level)(struct armvmm_vcpu *vcpu);	/* samples the line, or NULL */

	u16 intid;
	u16 hwintid;		/* physical ID, where hw */
	u8 priority;		/* bits 7-3 */
	u8 targets;		/* GICD_ITARGETSR byte: bit n, vm->vcpus[n] */
	u8 source;		/* SGI: vCPUs whose request is pending */
	u8 active_source;	/* SGI: whose request is active */
	u8 ap_slot;		/* which list of ap, while on one; both locks to change */

	bool enabled;		/* also a bit of a word of enable bits */
	bool group1;
	bool edge;		/* GICD_ICFGR: edge-triggered; SGIs are */
	bool hw;		/* the list register has HW set */
	bool line_level;	/* the line is high (PPIs and SPIs) */
	bool pending_latch;	/* made pending by an edge, GICD_ISPENDR or an SGI */
	bool active;
	bool acked;		/* active because the guest took it, not by GICD_ISACTIVER */
	bool in_lr;		/* a list register of irq->vcpu holds it */
	bool lr_pending;	/* and was written as pending */
	u8 lr_nr;		/* which one, */
	u32 lr;			/* and what it shows: where vgic->kept has that bit */
};

/* What HYP mode knows of a VM's distributor. Constant from init on, but for ctlr, iidr, enabled. */
struct hyp_dist {
	union {
		struct {
			u32 ctlr;	/* GICD_CTLR; any vCPU's thread writes it, no lock */
			u32 typer;	/* GICD_TYPER */
			/* GICD_IIDR: VGIC_IIDR(2), or what a restored VM had; no vCPU runs */
			u32 iidr;
		};
		u32 constant[4];	/* as they stand in the distributor */
	};
	u32 end;		/* the first INTID that the VM has not */
	u32 nr_lr;		/* list registers of the host */
	u32 nr_vcpus;
	struct armvmm_vgic_irq *spis;
	struct hyp_vcpu *hyp[HYP_MAX_VCPUS];
	struct armvmm_vcpu *vcpu[HYP_MAX_VCPUS];	/* HYP mode does not look behind these */
	u32 enabled[GIC_MAX_IRQS / 32];	/* GICD_ISENABLER of SPIs; atomically, irq->lock held */
};

static __always_inline bool vgic_irq_is_sgi(const struct armvmm_vgic_irq *irq)
{
	return irq->intid < GIC_NR_SGIS;
}

static __always_inline bool vgic_irq_is_private(const struct armvmm_vgic_irq *irq)
{
	return irq->intid < GIC_NR_PRIVATE;
}

static __always_inline bool vgic_irq_is_pending(const struct armvmm_vgic_irq *irq)
{
	return READ_ONCE(irq->pending_latch) ||
	       (!READ_ONCE(irq->edge) && READ_ONCE(irq->line_level));
}

/* It would be forwarded to irq->target if the distributor were enabled. irq->lock held. */
static __always_inline bool vgic_irq_is_due(const struct armvmm_vgic_irq *irq)
{
	return irq->enabled && vgic_irq_is_pending(irq) && irq->target;
}

/* --- words that several CPUs change --- */

static __always_inline u32 vgic_cmpxchg(u32 *word, u32 old, u32 new)
{
#ifdef ARMVMM_HYP
	return hyp_cmpxchg(word, old, new);
#else
	return cmpxchg_relaxed(word, old, new);
#endif
}

static __always_inline void vgic_word_change(u32 *word, u32 clear, u32 set)
{
	u32 seen = READ_ONCE(*word), old;

	do {
		old = seen;
		seen = vgic_cmpxchg(word, old, (old & ~clear) | set);
	} while (seen != old);
}

/*
 * The word of enable bits that has @intid's, as the vCPU sees it. Whatever @intid is, the array has
 * such a word.
 */
static __always_inline u32 *vgic_enable_word(struct hyp_dist_vcpu *own, unsigned int intid)
{
	return intid < GIC_NR_PRIVATE ? &own->enabled :
					&own->vm->enabled[intid / 32 % (GIC_MAX_IRQS / 32)];
}

/* irq->lock held. */
static __always_inline void vgic_irq_set_enabled(struct hyp_dist_vcpu *own,
						 struct armvmm_vgic_irq *irq, bool enable)
{
	u32 bit = 1u << irq->intid % 32;

	WRITE_ONCE(irq->enabled, enable);
	vgic_word_change(vgic_enable_word(own, irq->intid), bit, enable ? bit : 0);
}

/* irq->lock held. Any one of the targets may be chosen (3.2.3): the lowest; of none, the first. */
static __always_inline void vgic_irq_set_targets(const struct hyp_dist *dist,
						 struct armvmm_vgic_irq *irq, u8 targets)
{
	WRITE_ONCE(irq->targets, targets);
	irq->target = dist->vcpu[targets ? __builtin_ctz(targets) : 0];
}

/* --- registers that are read without a lock: @n interrupts --- */

static __always_inline u32 vgic_irqs_group(const struct armvmm_vgic_irq *irqs, unsigned int n)
{
	u32 val = 0;

	while (n--)
		val = val << 1 | READ_ONCE(irqs[n].group1);
	return val;
}

static __always_inline u32 vgic_irqs_priority(const struct armvmm_vgic_irq *irqs, unsigned int n)
{
	u32 val = 0;

	while (n--)
		val = val << 8 | READ_ONCE(irqs[n].priority);
	return val;
}

static __always_inline u32 vgic_irqs_edge(const struct armvmm_vgic_irq *irqs, unsigned int n)
{
	u32 val = 0;

	while (n--)
		val = val << 2 | (u32)READ_ONCE(irqs[n].edge) << 1;
	return val;
}

/* A CPU reads its own number for its private interrupts (4.3.12). */
static __always_inline u32 vgic_irqs_targets(const struct armvmm_vgic_irq *irqs, unsigned int n,
				    unsigned int index)
{
	u32 val = 0;

	while (n--)
		val = val << 8 | (vgic_irq_is_private(&irqs[n]) ? 1u << index :
								  READ_ONCE(irqs[n].targets));
	return val;
}

/* --- list registers and SGIs --- */

/* What a list register shows of an interrupt in any state (5.3.8). */
static __always_inline u32 vgic_irq_lr(const struct armvmm_vgic_irq *irq)
{
	u32 lr = irq->intid | (u32)(irq->priority >> VGIC_PRIORITY_SHIFT) << GICH_LR_PRIORITY_SHIFT;

	return irq->group1 ? lr | GICH_LR_GRP1 : lr;
}

/* The vCPUs, bit n being that of index n, that vCPU @self sends to (4.3.15). */
static __always_inline u32 vgic_sgi_targets(u32 sgir, unsigned int self, unsigned int nr_vcpus)
{
	u32 all = (1u << nr_vcpus) - 1;

	switch (GICD_SGIR_FILTER(sgir)) {
	case GICD_SGIR_FILTER_LIST:
		return GICD_SGIR_TARGETS(sgir) & all;
	case GICD_SGIR_FILTER_OTHERS:
		return all & ~(1u << self);
	case GICD_SGIR_FILTER_SELF:
		return 1u << self;
	}
	return 0;		/* reserved */
}

/*
 * Puts an SGI into the receiver's letter box. Its source is there before the receiver is told to
 * look for it: vgic_sgi_collect() takes them in the other order.
 */
static __always_inline void vgic_sgi_post(struct hyp_dist_vcpu *to, unsigned int intid,
					  unsigned int source)
{
	vgic_word_change(&to->sources[intid / 4], 0, 1u << (intid % 4 * 8 + source));
	smp_wmb();
	vgic_word_change(&to->posted, 0, 1u << intid);
}

#endif
