// SPDX-License-Identifier: GPL-2.0-only
/* The interrupts that are pending or active at a vCPU, sorted. */
#include <linux/bitops.h>
#include <linux/kernel.h>

#include "arch/gic.h"
#include "core/state.h"
#include "vgic/ap.h"
#include "vgic/cpuif.h"
#include "vgic/irq.h"

void vgic_ap_init(struct armvmm_vgic_ap *ap)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ap->list); i++)
		INIT_LIST_HEAD(&ap->list[i]);
	ap->first = ap->halves[0];
	ap->shown = ap->halves[1];
}

static bool ap_slot_is_active(u8 slot)
{
	return slot < VGIC_AP_PENDING * VGIC_AP_PRIORITIES;
}

void vgic_ap_add(struct armvmm_vgic_ap *ap, struct armvmm_vgic_irq *irq)
{
	u8 slot = vgic_ap_slot(irq);

	irq->ap_slot = slot;
	list_add_tail(&irq->ap_link, &ap->list[slot]);
	ap->used[slot / VGIC_AP_PRIORITIES] |= 1u << slot % VGIC_AP_PRIORITIES;
	ap->nr_active += ap_slot_is_active(slot);
	ap->only = ap->nr ? NULL : irq;
	WRITE_ONCE(ap->nr, ap->nr + 1);
}

void vgic_ap_del(struct armvmm_vgic_ap *ap, struct armvmm_vgic_irq *irq)
{
	u8 slot = irq->ap_slot;

	list_del_init(&irq->ap_link);
	if (list_empty(&ap->list[slot]))
		ap->used[slot / VGIC_AP_PRIORITIES] &= ~(1u << slot % VGIC_AP_PRIORITIES);
	ap->nr_active -= ap_slot_is_active(slot);
	ap->only = NULL;
	WRITE_ONCE(ap->nr, ap->nr - 1);
}

static unsigned int ap_first_of(const struct list_head *list, struct armvmm_vgic_irq **irqs,
				unsigned int n, unsigned int max)
{
	struct armvmm_vgic_irq *irq;

	list_for_each_entry(irq, list, ap_link) {
		if (n == max)
			break;
		irqs[n++] = irq;
	}
	return n;
}

/* Those that are only pending, and of @groups, behind the first @n. */
static __always_inline unsigned int ap_first_pending(const struct armvmm_vgic_ap *ap,
						     unsigned int groups,
						     struct armvmm_vgic_irq **irqs,
						     unsigned int n, unsigned int max)
{
	const struct list_head *list = &ap->list[VGIC_AP_PENDING * VGIC_AP_PRIORITIES];
	u32 used = vgic_ap_used(ap, groups);
	unsigned int prio;

	for (; used; used &= used - 1) {
		prio = __ffs(used);
		if (groups & VGIC_AP_GROUP(0))
			n = ap_first_of(&list[prio], irqs, n, max);
		if (groups & VGIC_AP_GROUP(1))
			n = ap_first_of(&list[prio + VGIC_AP_PRIORITIES], irqs, n, max);
		if (n == max)
			break;
	}
	return n;
}

unsigned int vgic_ap_first_active(struct armvmm_vgic_ap *ap, unsigned int max)
{
	const struct list_head *list = ap->list;
	unsigned int class, n = 0;
	u32 used;

	for (class = 0; class < VGIC_AP_PENDING; class++, list += VGIC_AP_PRIORITIES)
		for (used = ap->used[class]; used && n < max; used &= used - 1)
			n = ap_first_of(&list[__ffs(used)], ap->first, n, max);
	return n;
}

unsigned int vgic_ap_first_more(struct armvmm_vgic_ap *ap, unsigned int groups, unsigned int n,
				unsigned int max)
{
	return ap_first_pending(ap, groups, ap->first, n, max);
}

struct armvmm_vgic_irq *vgic_ap_first_pending(const struct armvmm_vgic_ap *ap, unsigned int groups)
{
	struct armvmm_vgic_irq *irq;

	return ap_first_pending(ap, groups, &irq, 0, 1) ? irq : NULL;
}

u32 vgic_ap_best_pending(const struct armvmm_vgic_ap *ap, bool group1)
{
	u32 used = ap->used[VGIC_AP_PENDING + group1];

	return used ? __ffs(used) << VGIC_PRIORITY_SHIFT : VGIC_PRIORITY_IDLE;
}
