/* SPDX-License-Identifier: GPL-2.0-only */
/* The eventfds of a VM: what irqfd.c and ioeventfd.c share. */
#ifndef ARMVMM_EVENTFD_PRIVATE_H
#define ARMVMM_EVENTFD_PRIVATE_H

#include <linux/bitmap.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "vgic/vgic.h"

struct armvmm_irqroutes;
struct armvmm_vm;

struct armvmm_eventfds {
	spinlock_t lock;		/* irqfds: which of them are active */
	struct list_head irqfds;
	struct armvmm_irqroutes __rcu *routes;	/* NULL: GSI n is pin n; vm->lock */
	struct mutex resample_lock;	/* changes of resample_irqfds and resample_pins */
	struct list_head resample_irqfds;	/* readers by rcu */
	DECLARE_BITMAP(resample_pins, VGIC_MAX_IRQS);	/* where one may hold the line up */
	struct list_head ioeventfds;	/* vm->slots_lock */
	unsigned int nr_ioeventfds;
};

/* Pin n of the chip is SPI n: the GIC's own number is 32 more. */
static inline unsigned int armvmm_eventfd_intid(unsigned int pin)
{
	return pin + VGIC_NR_PRIVATE;
}

int armvmm_irqfd_init(void);
void armvmm_irqfd_exit(void);
/*
 * The routes changed, and nobody uses the old ones: lets go of lines that no resampling irqfd holds
 * up any more. Caller holds resample_lock.
 */
void armvmm_irqfd_rerouted(struct armvmm_vm *vm);
/* Detaches all irqfds and waits for their work. */
void armvmm_irqfd_release(struct armvmm_vm *vm);

#endif
