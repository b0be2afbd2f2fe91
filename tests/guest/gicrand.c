// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUs that access the distributor at random, each on interrupts of its own in registers that all
 * share. What those are set to is never delivered, as their priorities are masked, so that a CPU
 * knows what each read has to say; but it is pending, enabled and active as it comes. Meanwhile
 * each CPU calls the others by an SGI and by an SPI, which come exactly once.
 *
 * The client (saver -a) moves the vCPUs, takes CPUs away, saves, restores, and compares what it
 * reads by attributes with what the guest knows.
 */
#include "lib.h"
#include "gicrand.h"

/* GICC_PMR: what is own has lower priorities, what is called has higher ones. */
#define MASK		0x80
#define CALL_PRIORITY	0x40
#define CALL_SGI	15
#define CALL_SPI(cpu)	(32 + (cpu))
#define FIRST_OWN_SPI	40
#define LAST_OWN_SGI	7

static volatile struct gicrand_cpu model[GUEST_MAX_CPUS];
static volatile u32 sgi_taken[GUEST_MAX_CPUS][GUEST_MAX_CPUS];	/* [by][from] */
static volatile u32 spi_taken[GUEST_MAX_CPUS];			/* [from] */
static u32 seed[GUEST_MAX_CPUS];
static struct lock config_lock, spi_lock;

static u32 rnd(u32 cpu, u32 n)
{
	seed[cpu] = seed[cpu] * 1664525 + 1013904223;
	return (seed[cpu] >> 10) % n;
}

/* What went wrong: the register, and the interrupt. */
static void fail(u32 cpu, u32 reg, u32 irq)
{
	w32(SNAP_FAIL, cpu << 16 | ((reg - GICD_BASE) >> 4 & 0xff) << 8 | irq);
}

static void handler(u32 iar)
{
	u32 irq = iar & 0x3ff, cpu = cpu_id();

	if (irq == CALL_SGI)
		sgi_taken[cpu][iar >> 10 & 7]++;
	else if (irq >= CALL_SPI(0) && irq < CALL_SPI(nr_cpus()))
		spi_taken[irq - CALL_SPI(0)]++;
	else
		w32(SNAP_FAIL, cpu << 16 | 0xff00 | irq);
}

static bool is_own(u32 cpu, u32 irq)
{
	return model[cpu].irq[irq].state & GICRAND_OWN;
}

static u32 some_own(u32 cpu)
{
	u32 irq;

	do {
		irq = rnd(cpu, GICRAND_NR_IRQS);
	} while (!is_own(cpu, irq));
	return irq;
}

/* Those of a register's 32. */
static u32 own_of(u32 cpu, u32 first)
{
	u32 own = 0;

	for (u32 i = 0; i < 32; i++)
		own |= (u32)is_own(cpu, first + i) << i;
	return own;
}

/* ---- changes ---- */
static u32 bit_of(u32 irq)
{
	return 1u << irq % 32;
}

static void set_state(u32 cpu, u32 irq, u32 flag, u32 reg, bool on)
{
	volatile struct gicrand_irq *m = &model[cpu].irq[irq];

	w32(reg + irq / 32 * 4, bit_of(irq));
	m->state = on ? m->state | flag : m->state & ~flag;
}

static void set_pending(u32 cpu, u32 irq, bool on)
{
	volatile struct gicrand_irq *m = &model[cpu].irq[irq];
	u32 sources = rnd(cpu, 1u << nr_cpus());

	if (irq >= 16) {
		set_state(cpu, irq, GICRAND_PENDING, on ? GICD_ISPENDR : GICD_ICPENDR, on);
	} else if (on && rnd(cpu, 2)) {
		w32(GICD_SGIR, rnd(cpu, 2) ? SGI_SELF(irq) : SGI_TARGETS(1u << cpu, irq));
		m->sources |= 1u << cpu;
	} else {
		w8((on ? GICD_SPENDSGIR : GICD_CPENDSGIR) + irq, sources);
		m->sources = on ? m->sources | sources : m->sources & ~sources;
	}
}

static void set_priority(u32 cpu, u32 irq)
{
	u32 priority = MASK + 8 * rnd(cpu, 16);

	w8(GICD_IPRIORITYR + irq, priority);
	model[cpu].irq[irq].priority = priority;
}

static void set_targets(u32 cpu, u32 irq)
{
	u32 targets = rnd(cpu, 1u << nr_cpus());

	if (irq < 32)
		return;
	w8(GICD_ITARGETSR + irq, targets);
	model[cpu].irq[irq].targets = targets;
}

/* Only while it is disabled (IHI 0048B 4.3.13). A register has neighbours that are others'. */
static void set_config(u32 cpu, u32 irq)
{
	volatile struct gicrand_irq *m = &model[cpu].irq[irq];

	if (irq < 32 || m->state & GICRAND_ENABLED)
		return;
	lock_take(&config_lock);
	gic_edge(irq, !(m->state & GICRAND_EDGE));
	lock_drop(&config_lock);
	m->state ^= GICRAND_EDGE;
}

/* Several at once. */
static void set_enabled(u32 cpu, u32 first, bool on)
{
	u32 bits = own_of(cpu, first) & rnd(cpu, 0x10000) * 0x10001u;

	w32((on ? GICD_ISENABLER : GICD_ICENABLER) + first / 8, bits);
	for (u32 i = 0; i < 32; i++) {
		volatile struct gicrand_irq *m = &model[cpu].irq[first + i];

		if (bits >> i & 1)
			m->state = on ? m->state | GICRAND_ENABLED : m->state & ~GICRAND_ENABLED;
	}
}

static void change(u32 cpu)
{
	u32 irq = some_own(cpu), what = rnd(cpu, 12);

	model[cpu].busy = what < 10 ? irq + 1 : GICRAND_BUSY_ALL;
	switch (what) {
	case 0:
	case 1:
		set_state(cpu, irq, GICRAND_ENABLED, what ? GICD_ISENABLER : GICD_ICENABLER, what);
		break;
	case 2:
	case 3:
		set_pending(cpu, irq, what & 1);
		break;
	case 4:
	case 5:
		set_state(cpu, irq, GICRAND_ACTIVE, what & 1 ? GICD_ISACTIVER : GICD_ICACTIVER,
			  what & 1);
		break;
	case 6:
	case 7:
		set_priority(cpu, irq);
		break;
	case 8:
		set_targets(cpu, irq);
		break;
	case 9:
		set_config(cpu, irq);
		break;
	default:
		set_enabled(cpu, irq & ~31u, what & 1);
	}
	model[cpu].busy = 0;
}

/* ---- reads ---- */
static void look_bit(u32 cpu, u32 irq, u32 reg, bool want)
{
	if (!(r32(reg + irq / 32 * 4) & bit_of(irq)) != !want)
		fail(cpu, reg, irq);
}

static void look(u32 cpu)
{
	u32 irq = some_own(cpu), got;
	volatile struct gicrand_irq *m = &model[cpu].irq[irq];
	bool pending = irq < 16 ? m->sources : m->state & GICRAND_PENDING;

	switch (rnd(cpu, 7)) {
	case 0:
		look_bit(cpu, irq, rnd(cpu, 2) ? GICD_ISENABLER : GICD_ICENABLER,
			 m->state & GICRAND_ENABLED);
		break;
	case 1:
		look_bit(cpu, irq, rnd(cpu, 2) ? GICD_ISPENDR : GICD_ICPENDR, pending);
		break;
	case 2:
		look_bit(cpu, irq, rnd(cpu, 2) ? GICD_ISACTIVER : GICD_ICACTIVER,
			 m->state & GICRAND_ACTIVE);
		break;
	case 3:
		if (r8_(GICD_IPRIORITYR + irq) != m->priority)
			fail(cpu, GICD_IPRIORITYR, irq);
		break;
	case 4:
		got = r8_(GICD_ITARGETSR + irq);
		if (got != (irq < 32 ? 1u << cpu : m->targets))
			fail(cpu, GICD_ITARGETSR, irq);
		break;
	case 5:
		got = r32(GICD_ICFGR + irq / 16 * 4) >> irq % 16 * 2 & 2;
		if (irq >= 32 && !got != !(m->state & GICRAND_EDGE))
			fail(cpu, GICD_ICFGR, irq);
		break;
	case 6:
		if (irq < 16 && r8_(GICD_SPENDSGIR + irq) != m->sources)
			fail(cpu, GICD_SPENDSGIR, irq);
		break;
	}
}

/* ---- what is delivered ---- */
static void call_by_sgi(u32 cpu)
{
	u32 to = rnd(cpu, nr_cpus()), before = sgi_taken[to][cpu];

	w32(GICD_SGIR, SGI_TARGETS(1u << to, CALL_SGI));
	/* One that is lost makes the client wait for ever, which does not. */
	while (sgi_taken[to][cpu] == before)
		;
	if (sgi_taken[to][cpu] != before + 1)
		fail(cpu, GICD_SGIR, CALL_SGI);
}

/*
 * The caller's own SPI, to any CPU. It is pending no more when it is taken; it may still be active
 * when it is sent again, and comes then.
 */
static void call_by_spi(u32 cpu)
{
	u32 spi = CALL_SPI(cpu), before = spi_taken[cpu];

	w8(GICD_ITARGETSR + spi, 1u << rnd(cpu, nr_cpus()));
	/* Who takes it next sees the count of who took it last. */
	dsb();
	w32(GICD_ISPENDR + spi / 32 * 4, bit_of(spi));
	while (spi_taken[cpu] == before)
		;
	if (spi_taken[cpu] != before + 1)
		fail(cpu, GICD_ISPENDR, spi);
	look_bit(cpu, spi, GICD_ISPENDR, false);
}

/* ---- */
static void own_init(u32 cpu)
{
	for (u32 irq = 0; irq < GICRAND_NR_IRQS; irq++) {
		volatile struct gicrand_irq *m = &model[cpu].irq[irq];
		bool spi = irq >= FIRST_OWN_SPI && irq % nr_cpus() == cpu;

		/* The last PPIs are timers'. */
		if (!(irq <= LAST_OWN_SGI || (irq >= 16 && irq < 26) || spi))
			continue;
		m->state = GICRAND_OWN | (irq < 16 ? GICRAND_ENABLED : 0);
		m->priority = 0xa0;
		m->targets = spi ? 1 : 0;
	}
}

static void work(u32 cpu)
{
	gic_init_cpu();
	w32(GICC_PMR, MASK);
	gic_priority(CALL_SGI, CALL_PRIORITY);
	own_init(cpu);
	seed[cpu] = cpu + 1;
	lock_take(&spi_lock);
	gic_edge(CALL_SPI(cpu), true);
	gic_priority(CALL_SPI(cpu), CALL_PRIORITY);
	gic_enable(CALL_SPI(cpu));
	lock_drop(&spi_lock);
	irq_on();
	smp_barrier();
	if (!cpu)
		w32(SNAP_MODEL, (u32)model);
	for (u32 i = 0;; i++) {
		change(cpu);
		look(cpu);
		if (i % 8 == 3)
			call_by_sgi(cpu);
		if (i % 8 == 7)
			call_by_spi(cpu);
		if (i % 16 == 0)
			w32(SNAP_ALIVE + 4 * cpu, i);
	}
}

void guest_main(void)
{
	mmu_on();
	gic_init_dist();
	irq_handler = handler;
	smp_start();
	smp_run(work);
}
