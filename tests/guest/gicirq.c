// SPDX-License-Identifier: GPL-2.0-only
/*
 * Delivery of interrupts: SGIs with their sources, priorities and preemption, edge and level SPIs,
 * active state, split EOI, more pending than list registers (IHI 0048B 3; docs/hazards.md 15).
 */
#include "lib.h"

#define SPI_A	42
#define SPI_B	43
#define NR_MANY	24		/* more than the list registers of any GICv2 (at most 16 in use) */

/* The interrupts that were taken, in order. */
static volatile u32 taken[256], nr_taken, taken_rpr[256];

static void record(u32 iar)
{
	if (nr_taken < ARRAY_SIZE(taken)) {
		taken_rpr[nr_taken] = r32(GICC_RPR);
		taken[nr_taken++] = iar;
	}
}

static void forget(void)
{
	nr_taken = 0;
	irq_spurious = 0;
	irq_handler = record;
	irq_raw = false;
}

/* Enables interrupts long enough for all that can be delivered. */
static void let_in(u32 us)
{
	irq_on();
	delay_us(us);
	irq_off();
}

static void wait_taken(u32 n, u32 us)
{
	u64 end = cntvct() + us_to_ticks(us);

	irq_on();
	while (nr_taken < n && (long long)(cntvct() - end) < 0)
		;
	irq_off();
}

static void check_sgi_self(void)
{
	forget();
	w32(GICD_SGIR, SGI_SELF(3));
	wait_taken(1, 100000);
	report(nr_taken == 1 && taken[0] == 3, "an SGI to self is taken once (IAR %x)", taken[0]);
	let_in(200);
	report(nr_taken == 1 && r32(GICC_IAR) == IRQ_SPURIOUS, "and after it there is none");
	report(r32(GICC_HPPIR) == IRQ_SPURIOUS, "GICC_HPPIR tells of none");

	forget();
	w32(GICD_SGIR, SGI_SELF(7));
	dsb();
	delay_us(100);
	report((r32(GICC_HPPIR) & 0x3ff) == 7, "GICC_HPPIR tells of a pending SGI");
	report(gic_pending(7), "GICD_ISPENDR tells of a pending SGI");
	wait_taken(1, 100000);
	report(!gic_pending(7) && !gic_active(7), "after it is done it is neither pending nor active");
}

static void check_all_sgis(void)
{
	bool order = true;
	u32 seen = 0;

	forget();
	for (u32 i = 0; i < 16; i++)
		w32(GICD_SGIR, SGI_SELF(15 - i));
	wait_taken(16, 200000);
	/* The order of equal priorities is the implementation's choice (IHI 0048B 3.3.1). */
	for (u32 i = 0; i < 16; i++)
		seen |= 1u << taken[i];
	report(nr_taken == 16 && seen == 0xffff, "16 SGIs of one priority are each taken once (%u)",
	       nr_taken);

	forget();
	for (u32 i = 0; i < 16; i++)
		gic_priority(i, 0x80 - 8 * i);
	for (u32 i = 0; i < 16; i++)
		w32(GICD_SGIR, SGI_SELF(i));
	wait_taken(16, 200000);
	order = true;
	for (u32 i = 0; i < 16; i++)
		order &= taken[i] == 15 - i;
	report(nr_taken == 16 && order, "16 SGIs of different priorities are taken by priority");
	for (u32 i = 0; i < 16; i++)
		gic_priority(i, 0xa0);
}

static void check_many_spis(void)
{
	bool order = true;
	u32 first = 64, n = NR_MANY;

	for (u32 i = 0; i < n; i++) {
		gic_edge(first + i, true);
		gic_priority(first + i, 0xc0 - 8 * (i * 5 % n));
		gic_target(first + i, 1);
		gic_enable(first + i);
	}
	forget();
	for (u32 i = 0; i < n; i++)
		gic_pend(first + i);
	wait_taken(n, 500000);
	for (u32 i = 1; i < nr_taken && i < n; i++)
		order &= r8_(GICD_IPRIORITYR + taken[i - 1]) <= r8_(GICD_IPRIORITYR + taken[i]);
	report(nr_taken == n, "%u pending SPIs are all taken (%u)", n, nr_taken);
	report(order, "and in the order of their priorities");
	let_in(500);
	report(nr_taken == n, "and each once");

	/* Active interrupts also fill the list registers. */
	forget();
	for (u32 i = 0; i < n; i++)
		w32(GICD_ISACTIVER + (first + i) / 32 * 4, 1u << (first + i) % 32);
	for (u32 i = 0; i < n; i++)
		gic_pend(first + i);
	w32(GICD_SGIR, SGI_SELF(1));
	wait_taken(1, 100000);
	let_in(500);
	report(nr_taken == 1 && taken[0] == 1, "with %u active, an SGI is delivered, they are not (%u)",
	       n, nr_taken);
	report(!gic_active(1) && !gic_pending(1), "and its end is not lost among them");
	for (u32 i = 0; i < n; i++)
		w32(GICD_ICACTIVER + (first + i) / 32 * 4, 1u << (first + i) % 32);
	wait_taken(n + 1, 500000);
	report(nr_taken == n + 1, "deactivated by the distributor, they are (%u)", nr_taken);
	for (u32 i = 0; i < n; i++) {
		gic_disable(first + i);
		gic_unpend(first + i);
		gic_edge(first + i, false);
	}
}

static void check_disable(void)
{
	forget();
	gic_edge(SPI_A, true);
	gic_pend(SPI_A);
	let_in(300);
	report(!nr_taken && gic_pending(SPI_A), "a disabled SPI stays pending and is not taken");
	gic_enable(SPI_A);
	wait_taken(1, 100000);
	report(nr_taken == 1, "enabled, it is taken");

	forget();
	gic_pend(SPI_A);
	dsb();
	gic_disable(SPI_A);
	let_in(300);
	report(!nr_taken, "disabled while pending, it is not taken");
	gic_unpend(SPI_A);
	gic_enable(SPI_A);
	let_in(300);
	report(!nr_taken, "its pending state can be cleared");

	w32(GICD_CTLR, 0);
	gic_pend(SPI_A);
	w32(GICD_SGIR, SGI_SELF(2));
	let_in(300);
	report(!nr_taken, "nothing is delivered with the distributor disabled");
	w32(GICD_CTLR, 1);
	wait_taken(2, 100000);
	report(nr_taken == 2, "what was pending comes when it is enabled (%u)", nr_taken);

	forget();
	w32(GICC_CTLR, 0);
	w32(GICD_SGIR, SGI_SELF(2));
	let_in(300);
	report(!nr_taken, "nothing is signalled with the CPU interface disabled");
	w32(GICC_CTLR, 1);
	wait_taken(1, 100000);
	report(nr_taken == 1, "and it comes when it is enabled");
}

static void check_mask(void)
{
	forget();
	gic_priority(4, 0x80);
	gic_priority(5, 0x40);
	w32(GICC_PMR, 0x80);
	w32(GICD_SGIR, SGI_SELF(4));
	w32(GICD_SGIR, SGI_SELF(5));
	let_in(300);
	report(nr_taken == 1 && taken[0] == 5, "GICC_PMR holds back priorities not above it (%u)",
	       nr_taken);
	w32(GICC_PMR, 0xf8);
	wait_taken(2, 100000);
	report(nr_taken == 2 && taken[1] == 4, "and lets them in when raised");
	gic_priority(4, 0xa0);
	gic_priority(5, 0xa0);
}

/* Nesting: an interrupt of higher priority comes while another one is handled. */
static u32 nest_sgi, nested;

static void nest(u32 iar)
{
	u32 at = nr_taken;

	record(iar);
	if (at)
		return;
	w32(GICD_SGIR, SGI_SELF(nest_sgi));
	dsb();
	/*
	 * Nesting overwrites LR_svc of this function's caller, but the vector has saved that, and
	 * the frame is complete.
	 */
	irq_on();
	delay_us(300);
	irq_off();
	nested = nr_taken;
}

static void check_preemption(void)
{
	u32 inside;

	forget();
	irq_handler = nest;
	nest_sgi = 9;
	gic_priority(8, 0x80);
	gic_priority(9, 0x40);
	w32(GICD_SGIR, SGI_SELF(8));
	wait_taken(2, 200000);
	report(nr_taken == 2 && taken[1] == 9 && nested == 2, "a higher priority preempts");
	report(taken_rpr[0] == 0x80 && taken_rpr[1] == 0x40,
	       "GICC_RPR follows (%x, %x)", taken_rpr[0], taken_rpr[1]);
	report(r32(GICC_RPR) == 0xff, "GICC_RPR is idle afterwards (%x)", r32(GICC_RPR));

	/* BPR 7: no bits of the priority count for preemption. */
	forget();
	irq_handler = nest;
	w32(GICC_BPR, 7);
	inside = r32(GICC_BPR);
	w32(GICD_SGIR, SGI_SELF(8));
	wait_taken(2, 200000);
	report(inside == 7, "GICC_BPR keeps its value (%u)", inside);
	report(nr_taken == 2 && taken[0] == 8 && taken[1] == 9 && nested == 1,
	       "with GICC_BPR at 7 the second waits for the first");
	w32(GICC_BPR, 0);

	forget();
	irq_handler = nest;
	nest_sgi = 10;
	gic_priority(10, 0xc0);
	w32(GICD_SGIR, SGI_SELF(8));
	wait_taken(2, 200000);
	report(nr_taken == 2 && taken_rpr[1] == 0xc0 && nested == 1, "a lower priority does not preempt");
	for (u32 i = 8; i < 11; i++)
		gic_priority(i, 0xa0);
}

/* EOImode 1: EOIR drops the priority, DIR deactivates (IHI 0048B 3.2.1). */
static void check_split_eoi(void)
{
	u32 iar, again;

	forget();
	w32(GICC_CTLR, 1 | 1u << 9);
	if (!(r32(GICC_CTLR) >> 9 & 1)) {
		report(false, "GICC_CTLR.EOImode can be set (IHI 0048B 4.4.1)");
		w32(GICC_CTLR, 1);
		return;
	}
	gic_edge(SPI_A, true);
	gic_enable(SPI_A);
	gic_pend(SPI_A);
	dsb();
	delay_us(200);
	iar = r32(GICC_IAR);
	w32(GICC_EOIR, iar);
	dsb();
	report(iar == SPI_A && r32(GICC_RPR) == 0xff, "EOIR drops the priority (IAR %u)", iar);
	report(gic_active(SPI_A), "EOIR alone leaves it active");
	gic_pend(SPI_A);
	dsb();
	delay_us(200);
	again = r32(GICC_IAR);
	report(again == IRQ_SPURIOUS, "active, it is not delivered again (%u)", again);
	w32(GICD_SGIR, SGI_SELF(1));
	dsb();
	delay_us(200);
	again = r32(GICC_IAR);
	report(again == 1, "another of the same priority is (%u)", again);
	w32(GICC_EOIR, again);
	w32(GICC_DIR, again);
	w32(GICC_DIR, SPI_A);
	dsb();
	delay_us(200);
	iar = r32(GICC_IAR);
	report(iar == SPI_A, "DIR deactivates it and it comes again (%u)", iar);
	w32(GICC_EOIR, iar);
	w32(GICC_DIR, iar);
	dsb();
	delay_us(100);
	report(!gic_active(SPI_A) && !gic_pending(SPI_A), "and is done");
	w32(GICC_CTLR, 1);
}

static void lower_a(u32 iar)
{
	record(iar);
	if (nr_taken == 3)
		w32(DEV_BASE + DEV_LOWER, SPI_A);
}

static void check_client_lines(void)
{
	if (!on_vm())
		return;
	/* Edge: one pulse, one interrupt. */
	forget();
	gic_edge(SPI_A, true);
	gic_enable(SPI_A);
	w32(DEV_BASE + DEV_PULSE, SPI_A);
	wait_taken(1, 100000);
	report(nr_taken == 1 && taken[0] == SPI_A, "edge: a pulse of the client is one interrupt");
	w32(DEV_BASE + DEV_RAISE, SPI_A);
	wait_taken(2, 100000);
	let_in(300);
	report(nr_taken == 2, "edge: a line that stays high is one interrupt (%u)", nr_taken);
	w32(DEV_BASE + DEV_LOWER, SPI_A);
	let_in(300);
	report(nr_taken == 2, "edge: its fall is none");

	/* Level: the interrupt comes again until the line falls. */
	forget();
	gic_edge(SPI_A, false);
	irq_handler = lower_a;
	w32(DEV_BASE + DEV_RAISE, SPI_A);
	wait_taken(4, 50000);
	report(nr_taken == 3, "level: taken again after each EOI until the line falls (%u)", nr_taken);
	report(!gic_pending(SPI_A), "level: not pending with the line low");

	forget();
	gic_disable(SPI_A);
	w32(DEV_BASE + DEV_RAISE, SPI_A);
	report(gic_pending(SPI_A), "level: pending while the line is high, though disabled");
	gic_unpend(SPI_A);
	report(gic_pending(SPI_A), "level: ICPENDR does not clear what the line holds");
	w32(DEV_BASE + DEV_LOWER, SPI_A);
	report(!gic_pending(SPI_A), "level: the line falls before it was taken: gone");
	gic_enable(SPI_A);
	let_in(300);
	report(!nr_taken, "level: and is not delivered");

	/*
	 * An interrupt that was made pending by a write stays so, although the line never rose (IHI
	 * 0048B 4.3.7).
	 */
	gic_pend(SPI_A);
	wait_taken(1, 100000);
	let_in(300);
	report(nr_taken == 1, "level: made pending by software it is taken once (%u)", nr_taken);
}

/* Another thread of the client raises the interrupt while this vCPU is in WFI. */
static void check_wake(void)
{
	u64 t0;

	if (!on_vm())
		return;
	forget();
	gic_edge(SPI_B, true);
	gic_enable(SPI_B);
	gic_target(SPI_B, 1);
	w32(DEV_BASE + DEV_LATER, 20 << 16 | SPI_B);
	t0 = cntvct();
	while (!gic_pending(SPI_B) && cntvct() - t0 < us_to_ticks(30000000))
		wfi();
	let_in(100);
	report(nr_taken == 1 && taken[0] == SPI_B, "an SPI raised later ends WFI");
	w32(DEV_BASE + DEV_LOWER, SPI_B);
}

/* ---- several CPUs ---- */
static volatile u32 from[GUEST_MAX_CPUS][GUEST_MAX_CPUS];	/* [target][source] */
static volatile u32 spi_on[GUEST_MAX_CPUS];

static void count_source(u32 iar)
{
	u32 cpu = cpu_id();

	if ((iar & 0x3ff) == 6)
		from[cpu][iar >> 10 & 7]++;
	if ((iar & 0x3ff) == SPI_A)
		spi_on[cpu]++;
}

static void init_secondary(u32 cpu)
{
	if (cpu)
		gic_init_cpu();
}

static void all_send(u32 cpu)
{
	u64 end;

	/*
	 * All send to all others with interrupts off, so that SGIs of several sources are pending.
	 */
	smp_barrier();
	w32(GICD_SGIR, SGI_OTHERS(6));
	smp_barrier();
	irq_on();
	end = cntvct() + us_to_ticks(10000000);
	while ((long long)(cntvct() - end) < 0) {
		u32 n = 0;

		for (u32 i = 0; i < nr_cpus(); i++)
			n += i == cpu || from[cpu][i] == 1;
		if (n == nr_cpus())
			break;
	}
	delay_us(500);
	irq_off();
	smp_barrier();
}

static volatile u32 stop_idle;

static void idle_with_irqs(u32 cpu)
{
	(void)cpu;
	while (!stop_idle) {
		irq_off();
		if (!stop_idle)
			wfi();
		irq_on();
	}
	irq_off();
}

static void check_smp(void)
{
	u32 last = nr_cpus() - 1;

	if (!last)
		return;
	forget();
	irq_handler = count_source;
	smp_run(init_secondary);
	smp_run(all_send);
	for (u32 t = 0; t < nr_cpus(); t++) {
		bool ok = !from[t][t];

		for (u32 s = 0; s < nr_cpus(); s++)
			ok &= s == t || from[t][s] == 1;
		report(ok, "cpu %u: the SGI of each other CPU is taken once, with its source", t);
	}

	/* An SGI wakes a sleeping CPU, and so does an SPI that is routed to it. */
	stop_idle = 0;
	irq_handler = count_source;
	for (u32 i = 1; i <= last; i++)
		smp_call(i, idle_with_irqs);
	delay_us(5000);
	from[last][0] = 0;
	w32(GICD_SGIR, SGI_TARGETS(1u << last, 6));
	for (u64 end = cntvct() + us_to_ticks(10000000); !from[last][0] && cntvct() < end;)
		;
	report(from[last][0] == 1, "an SGI wakes a CPU in WFI");
	gic_edge(SPI_A, true);
	gic_enable(SPI_A);
	gic_target(SPI_A, 1u << last);
	gic_pend(SPI_A);
	for (u64 end = cntvct() + us_to_ticks(10000000); !spi_on[last] && cntvct() < end;)
		;
	report(spi_on[last] == 1 && !spi_on[0], "an SPI goes to the CPU that it targets");

	/* The interrupt gets another target while pending. The emulated board does not move it. */
	if (!on_vm())
		goto out;
	w32(GICD_CTLR, 0);
	gic_target(SPI_A, 1u << last);
	gic_pend(SPI_A);
	gic_target(SPI_A, 1);
	w32(GICD_CTLR, 1);
	let_in(2000);
	report(spi_on[0] == 1 && spi_on[last] == 1, "an SPI retargeted while pending goes there");
out:
	gic_disable(SPI_A);
	stop_idle = 1;
	dsb();
	w32(GICD_SGIR, SGI_OTHERS(1));
	for (u32 i = 1; i <= last; i++)
		while (!smp_done(i))
			wfe();
	report(!(r32(GICD_ISPENDR) & 0xffff), "no SGI is left pending here");
}

/*
 * All others ring CPU 0 at once, as fast as they can: by HYP mode, where that sends. Each waits for
 * its own ring to be answered; or, the second time, rings until it is, so that CPU 0 may be made to
 * leave its guest at each entry, and yet gets on.
 */
#define RINGS		50
#define RING_SGI	10
#define RING_PATIENCE	30000000

static volatile u32 rung[GUEST_MAX_CPUS], ringers;
static volatile bool impatient;
static struct lock ringers_lock;

static void count_ring(u32 iar)
{
	if ((iar & 0x3ff) == RING_SGI)
		rung[iar >> 10 & 7]++;
	sev();
}

static bool is_before(u64 end)
{
	return (long long)(cntvct() - end) < 0;
}

static void ring(u32 cpu)
{
	u32 seen;
	u64 end;

	smp_barrier();
	end = cntvct() + us_to_ticks(RING_PATIENCE);
	if (!cpu) {
		irq_on();
		while (ringers && is_before(end))
			;
		/* The last that the impatient sent. */
		delay_us(1000);
		irq_off();
		smp_barrier();
		return;
	}
	for (u32 i = 0; i < RINGS && is_before(end); i++) {
		seen = rung[cpu];
		do {
			w32(GICD_SGIR, SGI_TARGETS(1, RING_SGI));
			while (!impatient && rung[cpu] == seen && is_before(end))
				wfe();
		} while (rung[cpu] == seen && is_before(end));
	}
	lock_take(&ringers_lock);
	ringers--;
	lock_drop(&ringers_lock);
	smp_barrier();
}

static void check_rings(void)
{
	u32 n = nr_cpus();

	if (n == 1)
		return;
	irq_handler = count_ring;
	for (u32 again = 0; again < 2; again++) {
		impatient = again;
		ringers = n - 1;
		for (u32 i = 0; i < n; i++)
			rung[i] = 0;
		smp_run(ring);
		for (u32 i = 1; i < n; i++)
			report(again ? rung[i] >= RINGS : rung[i] == RINGS,
			       "cpu %u: CPU 0 answers %s, whoever else rings [%u of %u]", i,
			       again ? "who rings until it does" : "each ring once", rung[i], RINGS);
		report(!rung[0] && !(r32(GICD_ISPENDR) & 1 << RING_SGI), "and no others");
	}
}

void guest_main(void)
{
	mmu_on();
	gic_init_dist();
	gic_init_cpu();
	smp_start();
	check_sgi_self();
	check_all_sgis();
	check_many_spis();
	check_disable();
	check_mask();
	check_preemption();
	check_split_eoi();
	check_client_lines();
	check_wake();
	check_smp();
	check_rings();
	guest_exit();
}
