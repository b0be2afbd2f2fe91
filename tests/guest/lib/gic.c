// SPDX-License-Identifier: GPL-2.0-only
/* The guest's own GICv2 driver: one function for each thing that a test does. */
#include "lib.h"

u32 gic_nr_irqs(void)
{
	u32 n = ((r32(GICD_TYPER) & 31) + 1) * 32;

	return n > 1020 ? 1020 : n;
}

void gic_init_dist(void)
{
	u32 n = gic_nr_irqs();

	w32(GICD_CTLR, 0);
	for (u32 i = 32; i < n; i += 32) {
		w32(GICD_ICENABLER + i / 8, ~0u);
		w32(GICD_ICPENDR + i / 8, ~0u);
		w32(GICD_ICACTIVER + i / 8, ~0u);
	}
	for (u32 i = 32; i < n; i += 4) {
		w32(GICD_IPRIORITYR + i, 0xa0a0a0a0);
		w32(GICD_ITARGETSR + i, 0x01010101);
	}
	w32(GICD_CTLR, 1);
}

void gic_init_cpu(void)
{
	w32(GICD_ICACTIVER, ~0u);
	w32(GICD_ICPENDR, ~0u);
	w32(GICD_ICENABLER, 0xffff0000);
	w32(GICD_ISENABLER, 0xffff);
	for (u32 i = 0; i < 32; i += 4)
		w32(GICD_IPRIORITYR + i, 0xa0a0a0a0);
	w32(GICC_PMR, 0xf8);
	w32(GICC_BPR, 0);
	w32(GICC_CTLR, 1);
	dsb();
}

static void set_bit(u32 array, u32 irq)
{
	w32(array + irq / 32 * 4, 1u << irq % 32);
	dsb();
}

static bool get_bit(u32 array, u32 irq)
{
	return r32(array + irq / 32 * 4) >> irq % 32 & 1;
}

void gic_enable(u32 irq)
{
	set_bit(GICD_ISENABLER, irq);
}

void gic_disable(u32 irq)
{
	set_bit(GICD_ICENABLER, irq);
}

bool gic_enabled(u32 irq)
{
	return get_bit(GICD_ISENABLER, irq);
}

void gic_pend(u32 irq)
{
	set_bit(GICD_ISPENDR, irq);
}

void gic_unpend(u32 irq)
{
	set_bit(GICD_ICPENDR, irq);
}

bool gic_pending(u32 irq)
{
	return get_bit(GICD_ISPENDR, irq);
}

bool gic_active(u32 irq)
{
	return get_bit(GICD_ISACTIVER, irq);
}

void gic_priority(u32 irq, u32 prio)
{
	w8(GICD_IPRIORITYR + irq, prio);
}

void gic_target(u32 irq, u32 mask)
{
	w8(GICD_ITARGETSR + irq, mask);
}

void gic_edge(u32 irq, bool edge)
{
	u32 a = GICD_ICFGR + irq / 16 * 4, bit = 2u << irq % 16 * 2;
	u32 v = r32(a);

	w32(a, edge ? v | bit : v & ~bit);
}
