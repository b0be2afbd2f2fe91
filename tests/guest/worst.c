// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that does one thing for a while, on all its CPUs, of those that cost the host most.
 * share.sh runs it beside another guest.
 *   worst KIND [milliseconds]
 */
#include "lib.h"

#define ENABLE	1u

static u64 end;
static volatile u32 irqs;
static void (*burst)(u32 cpu);

static void on_irq(u32 iar)
{
	(void)iar;
	irqs++;
}

/* Its share of the CPU is fair, by definition. */
static void spin(u32 cpu)
{
	(void)cpu;
	for (u32 i = 0; i < 1000; i++)
		asm volatile("nop");
}

static void calls(u32 cpu)
{
	(void)cpu;
	for (u32 i = 0; i < 50; i++)
		hvc(PSCI_VERSION, 0, 0, 0);
}

static void exits(u32 cpu)
{
	(void)cpu;
	for (u32 i = 0; i < 10; i++)
		(void)r32(DEV_BASE + DEV_COUNTER);
}

static void distributor(u32 cpu)
{
	for (u32 i = 32; i < 64; i++) {
		w8(GICD_ITARGETSR + i, 1 << cpu);
		w8(GICD_IPRIORITYR + i, i * 8);
	}
	w32(GICD_CTLR, 0);
	w32(GICD_CTLR, 1);
}

static void sgis(u32 cpu)
{
	(void)cpu;
	for (u32 i = 0; i < 20; i++) {
		w32(GICD_SGIR, SGI_OTHERS(i % 16));
		w32(GICD_SGIR, SGI_SELF(i % 16));
	}
}

/* An interrupt is pending, and masked by the CPU: WFI does not wait. */
static void sleeps(u32 cpu)
{
	(void)cpu;
	irq_off();
	w32(GICD_SGIR, SGI_SELF(0));
	for (u32 i = 0; i < 20; i++)
		wfi();
	irq_on();
}

/* The timer has expired at each look. */
static void timers(u32 cpu)
{
	(void)cpu;
	vtimer_set(0, ENABLE);
	ptimer_set(0, ENABLE);
	for (u32 i = 0; i < 100; i++)
		asm volatile("nop");
}

/* All interrupts there are, pending for good. */
static void pending(u32 cpu)
{
	for (u32 i = 32; i < gic_nr_irqs(); i += 32) {
		w32(GICD_ISENABLER + i / 8, ~0u);
		w32(GICD_ISPENDR + i / 8, ~0u);
	}
	exits(cpu);
}

/* A walk that finds its tables in a device: each access aborts. */
static void walks(u32 cpu)
{
	u32 ttbr = CP15_READ(0, c2, c0, 0);

	irq_off();
	trap_begin();
	/* TTBR1 for the upper half; this code is in the lower one. */
	CP15_WRITE(0, c2, c0, 1, HOLE_BASE | 0x4a);
	CP15_WRITE(0, c2, c0, 2, 1);
	isb();
	CP15_WRITE(0, c8, c7, 0, 0);
	dsb();
	isb();
	for (u32 i = 0; i < 10; i++)
		(void)r32(0xc0000000 + (cpu << 24) + (i << 20));
	CP15_WRITE(0, c2, c0, 2, 0);
	CP15_WRITE(0, c2, c0, 0, ttbr);
	isb();
	(void)trap_end();
	irq_on();
}

/* Pages come and go. */
static void pages(u32 cpu)
{
	for (u32 i = 0; i < 8; i++) {
		u32 page = FRESH_BASE + (cpu << 20) + i * 4096;

		w32(page, i);
		w32(DEV_BASE + DEV_DONTNEED, page);
	}
}

static void maintenance(u32 cpu)
{
	for (u32 i = 0; i < 50; i++) {
		CP15_WRITE(0, c8, c3, 0, 0);	/* TLBIALLIS */
		CP15_WRITE(0, c7, c1, 0, 0);	/* ICIALLUIS */
		CP15_WRITE(0, c7, c14, 2, i << 6 | cpu << 30);	/* DCCISW */
		dsb();
	}
}

/* Interrupts that the client raises and lowers. */
static void pulses(u32 cpu)
{
	(void)cpu;
	for (u32 i = 32; i < 48; i++)
		w32(DEV_BASE + DEV_PULSE, i);
}

/* Undefined instructions and accesses that the host answers by an exception. */
static void traps(u32 cpu)
{
	(void)cpu;
	trap_begin();
	for (u32 i = 0; i < 20; i++) {
		asm volatile("mrc p15, 7, r0, c15, c15, 7" ::: "r0");
		asm volatile("mrc p14, 7, r0, c0, c0, 0" ::: "r0");
		(void)CP15_READ(0, c1, c0, 1);
		CP15_WRITE(0, c1, c0, 0, CP15_READ(0, c1, c0, 0));
	}
	(void)trap_end();
}

/* All counters there are count cycles, and each is about to overflow. */
static void counters(u32 cpu)
{
	u32 nr = CP15_READ(0, c9, c12, 0) >> 11 & 0x1f;

	(void)cpu;
	if (!nr)
		guest_bail("there is no PMU");
	for (u32 i = 0; i < nr; i++) {
		CP15_WRITE(0, c9, c12, 5, i);
		isb();
		CP15_WRITE(0, c9, c13, 1, 0x11);
		CP15_WRITE(0, c9, c13, 2, -500u);
	}
	CP15_WRITE(0, c9, c13, 0, -500u);
	CP15_WRITE(0, c9, c14, 1, ~0u);
	CP15_WRITE(0, c9, c12, 1, ~0u);
	CP15_WRITE(0, c9, c12, 0, 1);
	isb();
	for (u32 i = 0; i < 1000; i++)
		asm volatile("nop");
	CP15_WRITE(0, c9, c12, 3, ~0u);
}

static const struct {
	const char *name;
	void (*burst)(u32 cpu);
} kinds[] = {
	{ "spin", spin }, { "calls", calls }, { "exits", exits }, { "distributor", distributor },
	{ "sgis", sgis }, { "sleeps", sleeps }, { "timers", timers }, { "pending", pending },
	{ "walks", walks }, { "pages", pages }, { "maintenance", maintenance },
	{ "pulses", pulses }, { "traps", traps }, { "counters", counters },
};

static void run(u32 cpu)
{
	gic_init_cpu();
	gic_enable(IRQ_VTIMER);
	gic_enable(IRQ_PTIMER);
	irq_on();
	do {
		burst(cpu);
	} while (cntvct() < end);
	irq_off();
	vtimer_set(0, 0);
	ptimer_set(0, 0);
}

void guest_main(void)
{
	u32 kind = param.arg[0], ms = param.arg[1] ? param.arg[1] : 100;

	if (kind >= ARRAY_SIZE(kinds))
		guest_bail("there is no kind %u", kind);
	if (!on_vm())
		guest_bail("needs a client");
	burst = kinds[kind].burst;
	mmu_on();
	gic_init_dist();
	irq_handler = on_irq;
	smp_start();
	end = cntvct() + us_to_ticks(ms * 1000);
	note("begins: %s", kinds[kind].name);
	smp_run(run);
	report(true, "%s for %u ms, %u interrupts", kinds[kind].name, ms, irqs);
	guest_exit();
}
