/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the guest that accesses the distributor at random (gicrand.c) keeps for its client
 * (saver/acts.c): what the registers say of the interrupts that each CPU owns.
 */
#ifndef GUEST_GICRAND_H
#define GUEST_GICRAND_H

#include "snapshot.h"

#define GICRAND_NR_IRQS	96

#define GICRAND_OWN	1	/* the CPU's, which alone changes it; the rest is not told here */
#define GICRAND_ENABLED	2
#define GICRAND_PENDING	4	/* PPIs and SPIs */
#define GICRAND_ACTIVE	8
#define GICRAND_EDGE	16

struct gicrand_irq {
	unsigned char state, priority;
	unsigned char targets;	/* SPIs */
	unsigned char sources;	/* SGIs */
};

#define GICRAND_BUSY_ALL	0xffff

struct gicrand_cpu {
	unsigned int busy;	/* INTID + 1 of what is being changed; or GICRAND_BUSY_ALL */
	struct gicrand_irq irq[GICRAND_NR_IRQS];
};

#endif /* GUEST_GICRAND_H */
