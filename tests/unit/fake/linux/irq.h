/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAKE_LINUX_IRQ_H
#define FAKE_LINUX_IRQ_H
#include "../fake_kernel.h"

#define IRQ_TYPE_LEVEL_HIGH	4
#define IRQ_TYPE_LEVEL_LOW	8

struct irq_data {
	unsigned long hwirq;
	struct irq_data *parent_data;
	u32 trigger;
};

struct irq_data *irq_get_irq_data(unsigned int irq);
#define irqd_get_trigger_type(d)	((d)->trigger)
#endif
