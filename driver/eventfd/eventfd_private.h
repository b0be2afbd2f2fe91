/* SPDX-License-Identifier: GPL-2.0-only */
/* The eventfds of a VM: what irqfd.c and ioeventfd.c share. */
#ifndef ARMVMM_EVENTFD_PRIVATE_H
#define ARMVMM_EVENTFD_PRIVATE_H

#include <linux/bitmap.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "arch/gic.h"
#include "core/state.h"
#include "vgic/vgic.h"

struct armvmm_vm;

/* Pin n of the chip is SPI n, whose INTID is n + 32. */
static inline unsigned int armvmm_eventfd_intid(unsigned int pin)
{
	return pin + GIC_NR_PRIVATE;
}

void armvmm_ioeventfd_vm_init(struct armvmm_eventfds *e);
/* No vCPU is left. */
void armvmm_ioeventfd_vm_destroy(struct armvmm_vm *vm);

int armvmm_irqfd_init(void);
void armvmm_irqfd_exit(void);
/*
 * The routes have changed, and nobody uses the old ones any more. Lowers the lines that no
 * resampling irqfd holds up now. Caller holds resample_lock.
 */
void armvmm_irqfd_rerouted(struct armvmm_vm *vm);
/* Detaches all irqfds and waits for their work. */
void armvmm_irqfd_release(struct armvmm_vm *vm);

#endif
