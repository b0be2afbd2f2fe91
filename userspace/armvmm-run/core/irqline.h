/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One interrupt line from a device to the guest's GIC.
 *
 * The line remembers its level and tells the sink only of changes (but see irqline_edge()). It
 * belongs to one device, which calls irqline_set() under its own lock, from any
 * thread. The machine connects the sink to KVM_IRQ_LINE; a unit test connects
 * its own. Before the VM exists, and while it is being reset, levels reach
 * nobody; after a reset all lines are low.
 */
#ifndef ARMVMM_RUN_IRQLINE_H
#define ARMVMM_RUN_IRQLINE_H

#include <stdbool.h>

struct irqline {
	unsigned int spi;	/* SPI number: 0 is INTID 32 (IHI 0048B 2.2.1) */
	bool level;		/* last level set */
	void (*sink)(void *opaque, unsigned int spi, bool level);
	void *opaque;
};

/* Raises (true) or lowers (false) the line. Any thread, the device's lock held. */
void irqline_set(struct irqline *line, bool level);

/*
 * Raises the line, and makes an edge even if it is high: its lowering was left out. For a guest
 * that takes levels, a line that stays high is the same. Any thread, the device's lock held.
 */
void irqline_edge(struct irqline *line);

/*
 * An interrupt that is an event. The guest has to take its edge: each high is one to KVM, so that
 * no low has to follow, which would cost as much again. Any thread, without a lock.
 */
static inline void irqline_event(const struct irqline *line)
{
	line->sink(line->opaque, line->spi, true);
}

/* The level of a saved line. The sink learns it later, from the machine (machine_raise_lines()). */
static inline void irqline_restore(struct irqline *line, bool level)
{
	line->level = level;
}

#endif /* ARMVMM_RUN_IRQLINE_H */
