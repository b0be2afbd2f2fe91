/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A plain model of a GICv2 (IHI 0048B 3, 4), without lists, list registers, or vCPUs that are on
 * another CPU: what its registers say, and which interrupt a CPU may take.
 */
#ifndef TESTS_UNIT_VGIC_GIC_MODEL_H
#define TESTS_UNIT_VGIC_GIC_MODEL_H

#include "arch/gic.h"

#define NR_IRQS		64
#define MODEL_GUEST	false
#define MODEL_CLIENT	true

/* One interrupt, as in chapter 3. */
struct model_irq {
	bool line, latch, active, enabled, edge, group1;
	u8 prio, targets, source, active_source;
	u8 holder;		/* active: where */
	bool by_hand;		/* active: GICD_ISACTIVER made it so */
	bool stale;		/* withdrawn while a CPU may be about to take it */
};

static struct gic_model {
	bool on;
	bool client_groups;	/* the client has said whose state it writes (GICD_IIDR) */
	unsigned int nr_cpus;
	struct model_irq shared[NR_IRQS], private[ARMVMM_MAX_VCPUS][GIC_NR_PRIVATE];
	/* The CPU interfaces: 32 levels of preemption, and what runs on each. */
	struct {
		u32 pmr, ctlr, abpr, apr;
		u32 acked[32];
	} cpu[ARMVMM_MAX_VCPUS];
} gic;

static struct model_irq *model(unsigned int cpu, unsigned int intid)
{
	return intid < GIC_NR_PRIVATE ? &gic.private[cpu][intid] : &gic.shared[intid];
}

static void model_reset(unsigned int nr_cpus)
{
	unsigned int cpu, i;

	memset(&gic, 0, sizeof(gic));
	gic.nr_cpus = nr_cpus;
	for (cpu = 0; cpu < nr_cpus; cpu++) {
		gic.cpu[cpu].pmr = 0xf8;
		gic.cpu[cpu].ctlr = GICC_CTLR_EnableGrp0 | GICC_CTLR_EnableGrp1;
		for (i = 0; i < GIC_NR_SGIS; i++)
			gic.private[cpu][i].enabled = gic.private[cpu][i].edge = true;
	}
}

static bool model_pending(const struct model_irq *m, unsigned int intid)
{
	if (intid < GIC_NR_SGIS)
		return m->source;
	return m->latch || (!m->edge && m->line);
}

static unsigned int model_target(const struct model_irq *m, unsigned int cpu, unsigned int intid)
{
	if (intid < GIC_NR_PRIVATE)
		return cpu;
	return m->targets ? __builtin_ctz(m->targets) : 0;
}

/* It is there for the CPU interface to take, whether that lets it or not. */
static bool model_due(unsigned int cpu, unsigned int intid)
{
	const struct model_irq *m = model(cpu, intid);

	return gic.on && m->enabled && !m->active && model_pending(m, intid) &&
	       model_target(m, cpu, intid) == cpu;
}

static bool model_deliverable(unsigned int cpu, unsigned int intid)
{
	const struct model_irq *m = model(cpu, intid);
	u32 enable = m->group1 ? GICC_CTLR_EnableGrp1 : GICC_CTLR_EnableGrp0;

	return model_due(cpu, intid) && gic.cpu[cpu].ctlr & enable && m->prio < gic.cpu[cpu].pmr;
}

static u32 model_best(unsigned int cpu)
{
	u32 best = VGIC_PRIORITY_IDLE;
	unsigned int i;

	for (i = 0; i < NR_IRQS; i++)
		if (model_deliverable(cpu, i) && model(cpu, i)->prio < best)
			best = model(cpu, i)->prio;
	return best;
}

static u32 model_running(unsigned int cpu)
{
	u32 apr = gic.cpu[cpu].apr;

	return apr ? __ffs(apr) << VGIC_PRIORITY_SHIFT : VGIC_PRIORITY_IDLE;
}

/* Active interrupts of @cpu; @by_hand: only those that GICD_ISACTIVER made so. */
static unsigned int model_nr_active(unsigned int cpu, bool by_hand)
{
	unsigned int i, n = 0;

	for (i = 0; i < NR_IRQS; i++) {
		const struct model_irq *m = model(cpu, i);

		n += m->active && m->holder == cpu && (!by_hand || m->by_hand);
	}
	return n;
}

/*
 * May @cpu get one more active interrupt? A guest that nests them and ends them in order may have
 * any number. Those that were made active by hand never end, and hold registers, of which there
 * must be enough.
 */
static bool model_room(unsigned int cpu, bool by_hand, unsigned int nr_lr)
{
	unsigned int n = model_nr_active(cpu, false);

	if (nr_lr > 1 && !by_hand && !model_nr_active(cpu, true))
		return true;
	return n + 1 < nr_lr || (nr_lr == 1 && !by_hand && !n);
}

/* A guest has taken it, and is going to end it, whatever has become of it meanwhile. */
static bool model_on_a_stack(unsigned int cpu, unsigned int intid)
{
	unsigned int c, l;

	for (c = 0; c < gic.nr_cpus; c++)
		for (l = 0; l < 32; l++)
			if (gic.cpu[c].apr & (1u << l) &&
			    (gic.cpu[c].acked[l] & 0x3ff) == intid &&
			    (intid >= GIC_NR_PRIVATE || c == cpu))
				return true;
	return false;
}

/* --- lines, and the CPU interface --- */

static void model_line(unsigned int cpu, unsigned int intid, bool level)
{
	struct model_irq *m = model(cpu, intid);

	/* A level that falls may still be taken if it is in a list register. */
	if (!m->edge && m->line && !level)
		m->stale = true;
	m->line = level;
	if (m->edge && level)
		m->latch = true;
}

/* What GICC_IAR gave @cpu: whether it may, and what follows. */
static bool model_ack(unsigned int cpu, u32 iar)
{
	unsigned int intid = iar & 0x3ff, source = iar >> 10, level;
	struct model_irq *m = model(cpu, intid);
	bool right;

	right = !m->active &&
		(m->stale || (model_deliverable(cpu, intid) && m->prio == model_best(cpu))) &&
		(intid >= GIC_NR_SGIS || m->source & 1u << source);
	if (intid < GIC_NR_SGIS) {
		m->source &= ~(1u << source);
		m->active_source = source;
	}
	m->latch = false;
	m->active = true;
	m->by_hand = false;
	m->holder = cpu;
	level = m->prio >> VGIC_PRIORITY_SHIFT;
	gic.cpu[cpu].apr |= 1u << level;
	gic.cpu[cpu].acked[level] = iar;
	return right;
}

/* The guest's end of what runs: is it one? */
static bool model_eoi(unsigned int cpu, u32 iar)
{
	struct model_irq *m = model(cpu, iar & 0x3ff);
	bool ends = m->active && !m->by_hand && m->holder == cpu &&
		    ((iar & 0x3ff) >= GIC_NR_SGIS || m->active_source == iar >> 10);

	gic.cpu[cpu].apr &= gic.cpu[cpu].apr - 1;
	if (ends)
		m->active = false;
	return ends;
}

/* --- registers of the distributor --- */

/* Where the registers of one kind begin, and how many bits there are of each interrupt. */
static u32 model_base(u32 offset, unsigned int *bits)
{
	*bits = 1;
	if (offset >= ARMVMM_GICD_HOLDER)
		return ARMVMM_GICD_HOLDER;
	if (offset >= ARMVMM_GICD_LATCH && offset < ARMVMM_GICD_LATCH + 0x80)
		return ARMVMM_GICD_LATCH;
	if (offset >= GICD_IGROUPR && offset < GICD_IPRIORITYR)
		return offset & ~0x7fu;
	if (offset >= GICD_ICFGR && offset < GICD_ICFGR + 0x100) {
		*bits = 2;
		return GICD_ICFGR;
	}
	*bits = 8;
	if (offset >= GICD_IPRIORITYR && offset < GICD_ICFGR)
		return offset & ~0x3ffu;
	if (offset - ARMVMM_GICD_SGI_ACTIVE < GIC_NR_SGIS ||
	    offset - GICD_CPENDSGIR < GIC_NR_SGIS || offset - GICD_SPENDSGIR < GIC_NR_SGIS)
		return offset & ~0xfu;
	*bits = 0;
	return offset;
}

/* An interrupt's bits in the register. */
static u32 model_get(unsigned int cpu, unsigned int intid, u32 base)
{
	const struct model_irq *m = model(cpu, intid);

	switch (base) {
	case GICD_IGROUPR:
		return m->group1;
	case GICD_ISENABLER:
	case GICD_ICENABLER:
		return m->enabled;
	case GICD_ISPENDR:
	case GICD_ICPENDR:
		return model_pending(m, intid);
	case GICD_ISACTIVER:
	case GICD_ICACTIVER:
		return m->active;
	case GICD_IPRIORITYR:
		return m->prio;
	case GICD_ITARGETSR:
		return intid < GIC_NR_PRIVATE ? 1u << cpu : m->targets;
	case GICD_ICFGR:
		return m->edge << 1;
	case GICD_CPENDSGIR:
	case GICD_SPENDSGIR:
		return m->source;
	case ARMVMM_GICD_LATCH:
		return intid >= GIC_NR_SGIS && m->latch;
	case ARMVMM_GICD_SGI_ACTIVE:
		return m->active_source;
	default:		/* ARMVMM_GICD_HOLDER */
		return m->active && m->holder == cpu;
	}
}

static u32 model_read(unsigned int cpu, u32 offset, unsigned int len)
{
	unsigned int bits, i, first;
	u32 base = model_base(offset, &bits), val = 0;

	if (offset == GICD_CTLR)
		return gic.on;
	if (!bits)
		return 0;
	first = (offset - base) * 8 / bits;
	for (i = 0; i < 8 * len / bits; i++)
		val |= model_get(cpu, first + i, base) << i * bits;
	return val;
}

static void model_set_active(unsigned int cpu, unsigned int intid)
{
	struct model_irq *m = model(cpu, intid);

	if (m->active)
		return;
	m->active = true;
	m->by_hand = true;
	m->holder = model_target(m, cpu, intid);
	m->active_source = cpu;
}

static void model_set(unsigned int cpu, unsigned int intid, u32 base, u32 val, bool client)
{
	u32 cpus = (1u << gic.nr_cpus) - 1;
	struct model_irq *m = model(cpu, intid);

	switch (base) {
	case GICD_IGROUPR:
		if (!client || gic.client_groups)
			m->group1 = val;
		break;
	case GICD_ISENABLER:
	case GICD_ICENABLER:
		if (val)
			m->enabled = base == GICD_ISENABLER;
		break;
	case GICD_ISPENDR:
	case GICD_ICPENDR:
		if (val && intid >= GIC_NR_SGIS)
			m->latch = base == GICD_ISPENDR;
		break;
	case GICD_ISACTIVER:
		if (val)
			model_set_active(cpu, intid);
		break;
	case GICD_ICACTIVER:
		if (val)
			m->active = false;
		break;
	case GICD_IPRIORITYR:
		m->prio = val & VGIC_PRIORITY_MASK;
		break;
	case GICD_ITARGETSR:
		if (intid >= GIC_NR_PRIVATE)
			m->targets = val & cpus;
		break;
	case GICD_ICFGR:
		if (intid >= GIC_NR_PRIVATE)
			m->edge = val & 2;
		break;
	case GICD_CPENDSGIR:
		m->source &= ~(val & cpus);
		break;
	case GICD_SPENDSGIR:
		m->source |= val & cpus;
		break;
	case ARMVMM_GICD_LATCH:
		if (intid >= GIC_NR_SGIS)
			m->latch = val;
		break;
	case ARMVMM_GICD_SGI_ACTIVE:
		m->active_source = val & 7;
		break;
	case ARMVMM_GICD_HOLDER:
		if (val && intid >= GIC_NR_PRIVATE && m->active)
			m->holder = cpu;
		break;
	}
}

static void model_write_sgir(unsigned int cpu, u32 val)
{
	unsigned int filter = val >> 24 & 3, list = val >> 16 & 0xff, c;

	if (filter == 3)
		return;
	if (filter == 1)
		list = ~(1u << cpu);
	else if (filter == 2)
		list = 1u << cpu;
	for (c = 0; c < gic.nr_cpus; c++)
		if (list & (1u << c))
			gic.private[c][val & 0xf].source |= 1u << cpu;
}

/* By vCPU @cpu, or by an attribute that names it. */
static void model_write(unsigned int cpu, u32 offset, unsigned int len, u32 val, bool client)
{
	unsigned int bits, i, first;
	u32 base = model_base(offset, &bits);

	if (offset == GICD_CTLR)
		gic.on = val & 1;
	else if (offset == GICD_IIDR && client)
		gic.client_groups = true;
	else if (offset == GICD_SGIR)
		model_write_sgir(cpu, val);
	if (!bits)
		return;
	first = (offset - base) * 8 / bits;
	for (i = 0; i < 8 * len / bits; i++, val = bits < 32 ? val >> bits : 0)
		model_set(cpu, first + i, base, val & ((1u << bits) - 1), client);
}

#endif
