/* SPDX-License-Identifier: GPL-2.0-only */
/* Interrupts of the host's, which the test has. */
#ifndef FAKE_LINUX_INTERRUPT_H
#define FAKE_LINUX_INTERRUPT_H
#include "../fake_kernel.h"

typedef enum {
	IRQ_NONE,
	IRQ_HANDLED,
} irqreturn_t;

typedef irqreturn_t (*irq_handler_t)(int irq, void *dev);

enum irqchip_irq_state {
	IRQCHIP_STATE_PENDING,
	IRQCHIP_STATE_ACTIVE,
};

int request_percpu_irq(unsigned int irq, irq_handler_t handler, const char *name, void *dev);
void free_percpu_irq(unsigned int irq, void *dev);
void enable_percpu_irq(unsigned int irq, unsigned int type);
void disable_percpu_irq(unsigned int irq);
int irq_set_vcpu_affinity(unsigned int irq, void *info);
int irq_set_irqchip_state(unsigned int irq, enum irqchip_irq_state which, bool on);
#endif
