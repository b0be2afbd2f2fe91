// SPDX-License-Identifier: GPL-2.0-only
/*
 * The performance monitors (DDI 0406C C12): cycle counter, software increments, overflows and their
 * interrupt, filters, PL0's rights, and that only the guest's work is counted. All CPUs and the
 * emulator have event 0x11, cycles.
 */
#include "lib.h"

#define E	1u
#define P	2u
#define C	4u
#define D	8u

#define CYCLE		31
#define CYCLES		0x11
#define NOT_PL1		(1u << 31)
#define NOT_PL0		(1u << 30)

#define pmcr()		CP15_READ(0, c9, c12, 0)
#define set_pmcr(v)	do { CP15_WRITE(0, c9, c12, 0, v); isb(); } while (0)
#define enabled()	CP15_READ(0, c9, c12, 1)
#define enable(v)	do { CP15_WRITE(0, c9, c12, 1, v); isb(); } while (0)
#define disable(v)	do { isb(); CP15_WRITE(0, c9, c12, 2, v); isb(); } while (0)
#define flags()		CP15_READ(0, c9, c12, 3)
#define clear_flags(v)	do { CP15_WRITE(0, c9, c12, 3, v); isb(); } while (0)
#define increment(v)	do { CP15_WRITE(0, c9, c12, 4, v); isb(); } while (0)
#define cycles()	({ isb(); CP15_READ(0, c9, c13, 0); })
#define set_cycles(v)	do { CP15_WRITE(0, c9, c13, 0, v); isb(); } while (0)
#define set_userenr(v)	do { CP15_WRITE(0, c9, c14, 0, v); isb(); } while (0)
#define inten()		CP15_READ(0, c9, c14, 1)
#define set_inten(v)	do { CP15_WRITE(0, c9, c14, 1, v); isb(); } while (0)
#define clear_inten(v)	do { CP15_WRITE(0, c9, c14, 2, v); isb(); } while (0)

static u32 nr;			/* event counters */

static void choose(u32 n) { CP15_WRITE(0, c9, c12, 5, n); isb(); }
static u32 type(u32 n) { choose(n); return CP15_READ(0, c9, c13, 1); }
static void set_type(u32 n, u32 v) { choose(n); CP15_WRITE(0, c9, c13, 1, v); isb(); }
static u32 count(u32 n) { choose(n); return CP15_READ(0, c9, c13, 2); }
static void set_count(u32 n, u32 v) { choose(n); CP15_WRITE(0, c9, c13, 2, v); isb(); }

static void pmu_off(void)
{
	set_pmcr(0);
	disable(~0u);
	clear_inten(~0u);
	clear_flags(~0u);
	set_userenr(0);
	for (u32 i = 0; i < nr; i++) {
		set_type(i, 0);
		set_count(i, 0);
	}
	set_type(CYCLE, 0);
	set_cycles(0);
}

/* Spends some time in the guest, without an exit that the guest asks for. */
static void spin(u32 n)
{
	asm volatile("1: subs %0, %0, #1\n\tbne 1b" : "+r"(n) :: "cc");
}

/*
 * The emulator's cycles are the build machine's time, and the emulator may lose its processor
 * during a measurement: one good measurement of ten is enough.
 */
#define MEASURES 10

static void check_absent(void)
{
	trap_begin();
	set_pmcr(E);
	enable(~0u);
	set_inten(~0u);
	set_cycles(5);
	set_type(0, CYCLES);
	spin(10000);
	report(!pmcr() && !enabled() && !inten() && !cycles() && !flags() && !type(0) && !count(0),
	       "without a PMU all reads as zero");
	report(!trap_end(), "and nothing is undefined");
}

static void check_registers(void)
{
	u32 mask = 1u << CYCLE | ((1u << nr) - 1);
	u32 id = CP15_READ(0, c0, c1, 2) >> 24 & 0xf;

	report(nr && nr < 32, "PMCR.N is %u", nr);
	report(id == 2, "ID_DFR0.PerfMon is %u", id);
	report(!(pmcr() & 0x3f), "PMCR is %08x at reset", pmcr());
	report(!enabled() && !inten() && !flags(), "all is off at reset");
	enable(~0u);
	report(enabled() == mask, "PMCNTENSET has a bit for each counter (%08x)", enabled());
	disable(1);
	report(enabled() == (mask & ~1u), "PMCNTENCLR clears one");
	report(CP15_READ(0, c9, c12, 2) == (mask & ~1u), "and reads as PMCNTENSET");
	set_inten(~0u);
	report(inten() == mask, "PMINTENSET has them too (%08x)", inten());
	clear_inten(1u << CYCLE);
	report(inten() == (mask & 0x7fffffff), "PMINTENCLR clears");
	pmu_off();
	CP15_WRITE(0, c9, c14, 3, ~0u);
	isb();
	report(flags() == mask, "PMOVSSET sets every flag there is (%08x)", flags());
	clear_flags(2);
	report(flags() == (mask & ~2u), "PMOVSR clears by ones");
	set_type(0, 0xffffffff);
	report(type(0) == 0xf00000ff, "PMXEVTYPER holds filter and event (%08x)", type(0));
	set_type(CYCLE, 0xffffffff);
	report((type(CYCLE) & 0xf0000000) == 0xf0000000, "the cycle counter has a filter (%08x)",
	       type(CYCLE));
	report(type(0) == 0xf00000ff, "and that is another");
	choose(nr);
	trap_begin();
	CP15_WRITE(0, c9, c13, 2, 5);
	(void)CP15_READ(0, c9, c13, 1);
	report(!trap_end(), "a counter that is not there does nothing");
	pmu_off();
	trap_begin();
	(void)CP15_READ(0, c9, c12, 4);
	report(trap_end() == 1, "PMSWINC cannot be read");
}

static void check_cycles(void)
{
	u32 a, b, c;

	set_pmcr(E);
	a = cycles();
	spin(20000);
	report(cycles() == a, "the cycle counter stands still until it is enabled");
	enable(1u << CYCLE);
	for (u32 i = 0; i < MEASURES; i++) {
		a = cycles();
		spin(20000);
		b = cycles();
		spin(400000);
		c = cycles();
		if (c - b > b - a)
			break;
	}
	report(b - a > 1000 && c - b > b - a, "it counts [%u, then %u]", b - a, c - b);
	disable(1u << CYCLE);
	a = cycles();
	spin(20000);
	report(cycles() == a && a >= c, "it stops, and keeps its value");
	enable(1u << CYCLE);
	spin(20000);
	b = cycles();
	report(b > a, "it goes on from there");
	set_pmcr(0);
	a = cycles();
	spin(20000);
	report(cycles() == a, "it stops with PMCR.E");
	for (u32 i = 0; i < MEASURES; i++) {
		set_cycles(a);
		set_pmcr(E | C);
		b = cycles();
		if (b < a)
			break;
	}
	report(b < a, "PMCR.C resets it [%u]", b);
	for (u32 i = 0; i < MEASURES; i++) {
		set_cycles(1u << 30);
		spin(20000);
		a = cycles();
		if (a > 1u << 30 && a < 5u << 28)
			break;
	}
	report(a > 1u << 30 && a < 5u << 28, "it counts on from what is written [%08x]", a);

	/*
	 * The same time as before with 64 times fewer steps, and room for other work of the host.
	 */
	for (u32 i = 0; i < MEASURES; i++) {
		set_pmcr(E | C);
		spin(2000000);
		a = cycles();
		set_pmcr(E | C | D);
		spin(2000000);
		b = cycles();
		if (b < a / 8)
			break;
	}
	report(b && b < a / 8, "PMCR.D divides it [%u, %u]", a, b);
	pmu_off();
}

static void check_increments(void)
{
	bool each = true, none = true;

	set_pmcr(E);
	for (u32 i = 0; i < nr; i++) {
		enable(1u << i);
		for (u32 k = 0; k <= i; k++)
			increment(1u << i);
	}
	for (u32 i = 0; i < nr; i++)
		each = each && count(i) == i + 1;
	report(each, "each counter counts its software increments, exactly");
	increment(~0u);
	for (u32 i = 0; i < nr; i++)
		each = each && count(i) == i + 2;
	report(each, "one write increments all");
	disable(1);
	increment(1);
	report(count(0) == 2, "but none that is disabled");
	enable(1);
	set_type(0, NOT_PL1);
	increment(1);
	report(count(0) == 2, "nor one whose filter says so");
	set_pmcr(0);
	set_type(0, 0);
	increment(1);
	report(count(0) == 2, "nor any without PMCR.E");
	set_cycles(1234);
	set_pmcr(P);
	for (u32 i = 0; i < nr; i++)
		none = none && !count(i);
	report(none && cycles() == 1234, "PMCR.P resets all but the cycle counter");
	pmu_off();
}

/* ---- overflow ---- */
static volatile u32 irqs[GUEST_MAX_CPUS], irq_flags[GUEST_MAX_CPUS], others;
static volatile u32 again[GUEST_MAX_CPUS];	/* times that the cycle counter is set anew */
static volatile u32 before;			/* how long before its overflow */

static void on_overflow(u32 iar)
{
	u32 cpu = cpu_id();

	if ((iar & 0x3ff) != PMU_IRQ) {
		others++;
		return;
	}
	irq_flags[cpu] = flags();
	clear_flags(irq_flags[cpu]);
	irqs[cpu]++;
	if (again[cpu]) {
		again[cpu]--;
		set_cycles(0u - before);
	}
}

static bool overflows(u32 n)
{
	u32 cpu = cpu_id();
	u64 end = cntvct() + us_to_ticks(30000000);

	while (irqs[cpu] < n && cntvct() < end)
		spin(2000);
	return irqs[cpu] == n;
}

static void check_overflow(void)
{
	u32 a = 0, b = 0, n = 0;
	bool came = false;

	irq_handler = on_overflow;
	gic_enable(PMU_IRQ);
	set_pmcr(E);
	enable(1);
	set_count(0, ~0u);
	increment(1);
	report(!count(0) && flags() == 1, "a software increment overflows (%08x)", flags());
	delay_us(200);
	report(!gic_pending(PMU_IRQ), "without PMINTENSET there is no interrupt");
	set_inten(1);
	delay_us(200);
	report(gic_pending(PMU_IRQ), "with it there is");
	set_pmcr(0);
	delay_us(200);
	report(!gic_pending(PMU_IRQ), "and none without PMCR.E");
	set_pmcr(E);
	clear_flags(2);
	delay_us(200);
	report(gic_pending(PMU_IRQ), "a flag that is not its own does not lower it");
	irqs[0] = 0;
	irq_on();
	report(overflows(1) && irq_flags[0] == 1, "it is taken (%u, %08x)", irqs[0], irq_flags[0]);
	delay_us(1000);
	irq_off();
	report(irqs[0] == 1 && !gic_pending(PMU_IRQ), "once");
	disable(1);

	/* The overflow of the hardware's counter. */
	set_inten(1u << CYCLE);
	irq_on();
	for (u32 i = 0; i < MEASURES; i++) {
		irqs[0] = 0;
		set_cycles(0u - 300000);
		enable(1u << CYCLE);
		came = overflows(1) && irq_flags[0] == 1u << CYCLE;
		a = cycles();
		spin(300000);
		b = cycles();
		n = irqs[0];
		if (!n || (came && a < 0x80000000 && b > a && n == 1))
			break;
		disable(1u << CYCLE);
	}
	report(came, "the cycle counter overflows (%u, %08x)", irqs[0], irq_flags[0]);
	report(a < 0x80000000, "and counts on from zero [%u]", a);
	report(b > a && n == 1, "a whole turn lies before the next");

	again[0] = 19;
	before = 50000;
	irqs[0] = 0;
	set_cycles(0u - before);
	report(overflows(20), "set anew 19 times by the handler, it comes 20 times (%u)", irqs[0]);
	irq_off();
	set_cycles(~0u);
	spin(20000);
	report(flags() == 1u << CYCLE, "one step before its overflow is not too late (%08x)", flags());
	clear_flags(~0u);
	disable(1u << CYCLE);

	set_inten(2);
	set_type(1, CYCLES);
	set_count(1, 0u - 300000);
	irqs[0] = 0;
	irq_on();
	enable(2);
	report(overflows(1) && irq_flags[0] == 2, "an event counter overflows (%u, %08x)", irqs[0],
	       irq_flags[0]);
	irq_off();
	report(!others, "no other interrupt came");
	pmu_off();
	gic_disable(PMU_IRQ);
}

/* All counters need the hardware at once. */
static void check_all(void)
{
	u32 a[32], still = 0;

	for (u32 i = 0; i < nr; i++)
		set_type(i, CYCLES);
	set_pmcr(E);
	enable(~0u);
	spin(200000);
	for (u32 i = 0; i < nr; i++)
		a[i] = count(i);
	a[CYCLE] = cycles();
	spin(200000);
	for (u32 i = 0; i < nr; i++)
		still += count(i) - a[i] < 1000 || !a[i];
	report(!still, "%u event counters count at once (%u stand still)", nr, still);
	report(a[CYCLE] && cycles() - a[CYCLE] > 1000, "and the cycle counter with them");
	pmu_off();
}

static u32 user_spin(u32 n) { spin(n); return 0; }

static void check_filter(void)
{
	u32 pl1, pl0;

	for (u32 i = 0; i < 2; i++)
		set_type(i, CYCLES | (i ? NOT_PL0 : NOT_PL1));
	set_pmcr(E);
	enable(3);
	spin(200000);
	pl1 = count(1);
	pl0 = count(0);
	report(!pl0 && pl1 > 1000, "PL1 is counted where the filter has it so [%u, %u]", pl0, pl1);
	for (u32 i = 0; i < MEASURES; i++) {
		pl1 = count(1);
		pl0 = count(0);
		call_in_mode(MODE_USR, user_spin, 2000000);
		pl0 = count(0) - pl0;
		pl1 = count(1) - pl1;
		if (pl1 < pl0 && pl0 < 1u << 30)
			break;
	}
	report(pl0 > 1000 && pl0 < 1u << 30, "and PL0 likewise [%u]", pl0);
	report(pl1 < pl0, "which counts nothing of PL1 [%u]", pl1);
	/* In Non-secure state NSK and NSU invert P and U (B4.1.126). */
	disable(3);
	set_type(0, CYCLES | NOT_PL1 | 1u << 29);
	set_count(0, 0);
	enable(1);
	spin(200000);
	if (CP15_READ(0, c0, c1, 1) & 0xf0)
		report(count(0) > 1000, "NSK undoes P [%u]", count(0));
	pmu_off();
}

/* ---- PL0 ---- */
static u32 user_cycles(u32 arg) { (void)arg; return CP15_READ(0, c9, c13, 0); }
static u32 user_pmcr(u32 arg) { (void)arg; return CP15_READ(0, c9, c12, 0); }
static u32 user_increment(u32 arg) { CP15_WRITE(0, c9, c12, 4, arg); return 0; }
static u32 user_userenr(u32 arg) { (void)arg; return CP15_READ(0, c9, c14, 0); }
static u32 user_open(u32 arg) { CP15_WRITE(0, c9, c14, 0, arg); return 0; }
static u32 user_inten(u32 arg) { (void)arg; return CP15_READ(0, c9, c14, 1); }

static u32 refused(u32 (*fn)(u32 arg), u32 arg)
{
	trap_begin();
	call_in_mode(MODE_USR, fn, arg);
	return trap_end();
}

static void check_user(void)
{
	u32 a, b;

	set_pmcr(E);
	enable(1u << CYCLE | 1);
	report(refused(user_cycles, 0) == 1 && refused(user_pmcr, 0) == 1 &&
	       refused(user_increment, 1) == 1 && !count(0),
	       "PL0 may do nothing without PMUSERENR.EN");
	report(!refused(user_userenr, 0), "but read PMUSERENR");
	set_userenr(1);
	report(CP15_READ(0, c9, c14, 0) == 1, "EN is kept");
	report(!refused(user_cycles, 0) && !refused(user_pmcr, 0) && !refused(user_increment, 1),
	       "with it PL0 may use the counters");
	a = call_in_mode(MODE_USR, user_cycles, 0);
	b = call_in_mode(MODE_USR, user_cycles, 0);
	report(b > a && count(0) == 1, "and reads what PL1 reads");
	report(call_in_mode(MODE_USR, user_userenr, 0) == 1, "PMUSERENR as well");
	report(refused(user_open, 0) == 1 && CP15_READ(0, c9, c14, 0) == 1,
	       "but it may not write that");
	report(refused(user_inten, 0) == 1, "nor touch the interrupt");
	pmu_off();
	report(refused(user_cycles, 0) == 1, "EN can be taken back");
}

/* The host's work for the guest is not counted, neither sleeps nor exits. */
static void check_exclusion(void)
{
	u32 a, slept, many, ns;
	u64 t;

	set_pmcr(E);
	enable(1u << CYCLE);
	for (u32 i = 0; i < MEASURES; i++) {
		a = cycles();
		w32(DEV_BASE + DEV_SLEEP, 50000);
		slept = cycles() - a;
		if (slept < 5000000)
			break;
	}
	/* 50 ms would be 10 million at 200 MHz. */
	report(slept < 5000000, "a sleep of the client is not counted [%u]", slept);
	for (u32 n = 0; n < MEASURES; n++) {
		a = cycles();
		t = cntvct();
		for (u32 i = 0; i < 500; i++)
			(void)r32(DEV_BASE + DEV_LAST_LEN);
		ns = (u32)((cntvct() - t) * 1000 / (cntfrq() / 1000000));
		many = cycles() - a;
		if (many < ns / 2)
			break;
	}
	/* The emulator has one cycle a nanosecond; almost all of the time goes to exits. */
	report(many < ns / 2, "exits are not counted [%u cycles, %u ns]", many, ns);
	pmu_off();
}

/* Reads and writes back all registers, as migration does, while counters run. */
static void check_roundtrip(void)
{
	u32 a, b, n = 0;

	irq_handler = on_overflow;
	gic_enable(PMU_IRQ);
	set_pmcr(E);
	enable(1u << CYCLE | 1);
	set_inten(1u << CYCLE);
	set_type(1, 1u << 30 | 0x11);
	set_userenr(1);
	choose(1);
	a = cycles();
	for (u32 i = 0; i < 20; i++) {
		increment(1);
		w32(DEV_BASE + DEV_ROUNDTRIP, 1);
		spin(10000);
		b = cycles();
		n += b <= a || b - a > 1u << 30;
		a = b;
	}
	report(!n, "the cycle counter goes on over a save and a restore");
	report(CP15_READ(0, c9, c13, 1) == (1u << 30 | 0x11), "PMSELR and types are kept");
	report(count(0) == 20 && enabled() == (1u << CYCLE | 1) && inten() == 1u << CYCLE &&
	       (pmcr() & 0x3f) == E && CP15_READ(0, c9, c14, 0) == 1, "and all else");
	/* An overflow that happens while the state is saved. */
	irqs[0] = 0;
	set_cycles(0u - 100000);
	irq_on();
	for (u32 i = 0; i < 40 && !irqs[0]; i++) {
		w32(DEV_BASE + DEV_ROUNDTRIP, 1);
		spin(10000);
	}
	report(overflows(1), "no overflow is lost, or comes twice (%u)", irqs[0]);
	irq_off();
	pmu_off();
	gic_disable(PMU_IRQ);
}

/* On all CPUs at once: each has its own counters and interrupt. */
static u32 went_back[GUEST_MAX_CPUS], sums[GUEST_MAX_CPUS];
static bool came[GUEST_MAX_CPUS];

static void each_cpu(u32 cpu)
{
	u32 a, b;

	gic_init_cpu();
	gic_enable(PMU_IRQ);
	pmu_off();
	irqs[cpu] = 0;
	irq_on();
	set_pmcr(E);
	enable(1u << CYCLE | 1 << (nr - 1));
	set_inten(1u << CYCLE);
	a = cycles();
	for (u32 i = 0; i < 300; i++) {
		increment(1 << (nr - 1));
		spin(3000);
		b = cycles();
		went_back[cpu] += b <= a || b - a > 1u << 30;
		a = b;
	}
	sums[cpu] = count(nr - 1);
	again[cpu] = 9;
	before = 100000;
	set_cycles(0u - before);
	came[cpu] = overflows(10);
	irq_off();
	pmu_off();
	gic_disable(PMU_IRQ);
}

static void check_each_cpu(void)
{
	irq_handler = on_overflow;
	smp_run(each_cpu);
	for (u32 i = 0; i < nr_cpus(); i++) {
		report(!went_back[i], "cpu %u: its cycle counter never goes back (%u)", i,
		       went_back[i]);
		report(sums[i] == 300, "cpu %u: every software increment counts (%u)", i, sums[i]);
		report(came[i], "cpu %u: each overflow interrupts once [%u]", i, irqs[i]);
	}
}

/*
 * While the emulator stood still, a counter may have gone round, which takes 4 s at 1 GHz: after a
 * long time a failure is tried once more.
 */
static void timed(const char *what, void (*check)(void))
{
	u64 start = cntvct();
	u32 failed = param.failed;

	check();
	if (param.failed != failed && cntvct() - start > cntfrq())
		note("timing: %s took %u ms", what,
		     (u32)((cntvct() - start) * 1000 / cntfrq()));
}

void guest_main(void)
{
	mmu_on();
	gic_init_dist();
	gic_init_cpu();
	smp_start();
	nr = pmcr() >> 11 & 0x1f;
	if (!(param.flags & PARAM_PMU)) {
		check_absent();
		guest_exit();
	}
	check_registers();
	timed("cycles", check_cycles);
	check_increments();
	timed("overflow", check_overflow);
	timed("all", check_all);
	timed("filter", check_filter);
	timed("user", check_user);
	timed("exclusion", check_exclusion);
	timed("roundtrip", check_roundtrip);
	timed("each CPU", check_each_cpu);
	guest_exit();
}
