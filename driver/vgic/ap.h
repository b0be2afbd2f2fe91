/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The interrupts that are pending or active at a vCPU, sorted as list registers are given to them:
 * one list for each rank, and a bit that says whether it is empty. Adding one, taking one off, and
 * finding the first few cost the same however many there are, for a guest chooses how many.
 *
 * Nothing here takes a lock: the vCPU's ap_list_lock and the interrupt's are the caller's.
 */
#ifndef ARMVMM_VGIC_AP_H
#define ARMVMM_VGIC_AP_H

#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/types.h>

#include "arch/gic.h"
#include "vgic/irq.h"
#include "vgic/vgic.h"

/*
 * Ranks: the class, then the priority; among equals the first come. Active ones come first, for
 * the guest is going to end them and the hardware must know which; the one of highest priority is
 * the next to end. Those that GICD_ISACTIVER made active come after what the guest took: it may
 * never end them.
 */
enum vgic_ap_class {
	VGIC_AP_TAKEN,
	VGIC_AP_SET_ACTIVE,
	VGIC_AP_PENDING,	/* group 0, then group 1 */
};

/* Where the interrupt belongs by its state. irq->lock held. */
static inline u8 vgic_ap_slot(const struct armvmm_vgic_irq *irq)
{
	unsigned int class;

	if (irq->active)
		class = irq->acked ? VGIC_AP_TAKEN : VGIC_AP_SET_ACTIVE;
	else
		class = VGIC_AP_PENDING + irq->group1;
	return class * VGIC_AP_PRIORITIES + (irq->priority >> VGIC_PRIORITY_SHIFT);
}

void vgic_ap_init(struct armvmm_vgic_ap *ap);
/* At the end of its list. */
void vgic_ap_add(struct armvmm_vgic_ap *ap, struct armvmm_vgic_irq *irq);
void vgic_ap_del(struct armvmm_vgic_ap *ap, struct armvmm_vgic_irq *irq);

/* To where its state says now, if that is another list than the one that it is on. */
static inline void vgic_ap_settle(struct armvmm_vgic_ap *ap, struct armvmm_vgic_irq *irq)
{
	if (irq->ap_slot == vgic_ap_slot(irq))
		return;
	vgic_ap_del(ap, irq);
	vgic_ap_add(ap, irq);
}

/* No lock: whoever adds one tells the vCPU to look again. */
static inline bool vgic_ap_is_empty(const struct armvmm_vgic_ap *ap)
{
	return !READ_ONCE(ap->nr);
}

static inline unsigned int vgic_ap_nr(const struct armvmm_vgic_ap *ap)
{
	return ap->nr;
}

static inline unsigned int vgic_ap_nr_active(const struct armvmm_vgic_ap *ap)
{
	return ap->nr_active;
}

/* A set of groups; as GICC_CTLR has their enable bits. */
#define VGIC_AP_GROUP(g)	(1u << (g))
#define VGIC_AP_GROUPS		(VGIC_AP_GROUP(0) | VGIC_AP_GROUP(1))

/* The priorities at which there are interrupts of @groups that are only pending. */
static inline u32 vgic_ap_used(const struct armvmm_vgic_ap *ap, unsigned int groups)
{
	return (groups & VGIC_AP_GROUP(0) ? ap->used[VGIC_AP_PENDING] : 0) |
	       (groups & VGIC_AP_GROUP(1) ? ap->used[VGIC_AP_PENDING + 1] : 0);
}

/*
 * The first active ones, by rank, @max at most, to ap->first (a stack would be cleared first, each
 * time). Returns how many.
 */
unsigned int vgic_ap_first_active(struct armvmm_vgic_ap *ap, unsigned int max);
/*
 * Those of @groups that are only pending, behind the first @n of ap->first: up to @max with these.
 * Returns how many there are then.
 */
unsigned int vgic_ap_first_more(struct armvmm_vgic_ap *ap, unsigned int groups, unsigned int n,
				unsigned int max);

/* The first of both, and of those that are only pending the ones of @groups alone. */
static inline unsigned int vgic_ap_first(struct armvmm_vgic_ap *ap, unsigned int groups,
					 unsigned int max)
{
	unsigned int n = unlikely(ap->nr_active) ? vgic_ap_first_active(ap, max) : 0;

	return groups && n < max ? vgic_ap_first_more(ap, groups, n, max) : n;
}

/* The first of @groups that is only pending, or NULL. */
struct armvmm_vgic_irq *vgic_ap_first_pending(const struct armvmm_vgic_ap *ap,
					      unsigned int groups);
/* The highest priority that is pending in a group, VGIC_PRIORITY_IDLE where none is. */
u32 vgic_ap_best_pending(const struct armvmm_vgic_ap *ap, bool group1);

#endif
