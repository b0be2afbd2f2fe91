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

struct armvmm_vm;

struct armvmm_eventfds {
	spinlock_t lock;		/* irqfds: which of them are active */
	struct list_head irqfds;
	struct mutex resample_lock;	/* changes of resample_irqfds and resample_gsis */
	struct list_head resample_irqfds;	/* readers by rcu */
	DECLARE_BITMAP(resample_gsis, VGIC_MAX_IRQS);
	struct list_head ioeventfds;	/* vm->slots_lock */
};

/* SPI n of a VM is its GSI n; the GIC's own number is 32 more. */
static inline unsigned int armvmm_eventfd_intid(unsigned int gsi)
{
	return gsi + VGIC_NR_PRIVATE;
}

int armvmm_irqfd_init(void);
void armvmm_irqfd_exit(void);
/* Detaches all irqfds and waits for their work. */
void armvmm_irqfd_release(struct armvmm_vm *vm);

#endif
