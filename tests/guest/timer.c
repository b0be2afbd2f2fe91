// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic timers: the virtual one is the hardware's, the physical one is emulated. Rate, order
 * of reads across CPUs, comparators, masks, levels, and wake-up from WFI (DDI 0406C B8).
 */
#include "lib.h"

#define ENABLE	1u
#define IMASK	2u
#define ISTATUS	4u

/* One description serves both timers. */
struct timer {
	const char *name;
	u32 irq;
	u64 (*count)(void);
	void (*set)(u64 cval, u32 ctl);
	u32 (*ctl)(void);
	void (*set_tval)(u32 tval);
	u32 (*tval)(void);
	u64 (*cval)(void);
};

static void v_set(u64 cval, u32 ctl) { vtimer_set(cval, ctl); }
static u32 v_ctl(void) { return vtimer_ctl(); }
static void v_set_tval(u32 v) { CP15_WRITE(0, c14, c3, 0, v); isb(); }
static u32 v_tval(void) { isb(); return CP15_READ(0, c14, c3, 0); }
static u64 v_cval(void) { return CP15_READ64(3, c14); }
static u64 v_count(void) { return cntvct(); }
static void p_set(u64 cval, u32 ctl) { ptimer_set(cval, ctl); }
static u32 p_ctl(void) { return ptimer_ctl(); }
static void p_set_tval(u32 v) { CP15_WRITE(0, c14, c2, 0, v); isb(); }
static u32 p_tval(void) { isb(); return CP15_READ(0, c14, c2, 0); }
static u64 p_cval(void) { return CP15_READ64(2, c14); }
static u64 p_count(void) { return cntpct(); }

static const struct timer timers[] = {
	{ "virtual", IRQ_VTIMER, v_count, v_set, v_ctl, v_set_tval, v_tval, v_cval },
	{ "physical", IRQ_PTIMER, p_count, p_set, p_ctl, p_set_tval, p_tval, p_cval },
};

static const struct timer *now;
static volatile u32 fired[GUEST_MAX_CPUS], other;
static volatile u64 fired_at[GUEST_MAX_CPUS];

static void on_timer(u32 iar)
{
	u32 cpu = cpu_id();

	if ((iar & 0x3ff) != now->irq) {
		other++;
		return;
	}
	fired_at[cpu] = now->count();
	now->set(0, 0);
	fired[cpu]++;
}

/*
 * The emulator may stand still for seconds at any time. So a deadline that must not pass is as far
 * ahead as TVAL can express, about half a minute; and for an event that must come the test waits.
 */
#define FAR	2000000000u
#define PATIENCE	us_to_ticks(15000000)

static bool becomes_pending(u32 irq, bool pending)
{
	u64 end = cntvct() + PATIENCE;

	while (gic_pending(irq) != pending)
		if (cntvct() >= end)
			return false;
	return true;
}

static void check_registers(const struct timer *t)
{
	u64 c = t->count();
	u32 tv;

	t->set(c + FAR, ENABLE | IMASK);
	report(t->cval() == c + FAR, "%s timer: CVAL reads back", t->name);
	report((t->ctl() & 7) == (ENABLE | IMASK), "%s timer: a future CVAL has no ISTATUS", t->name);
	tv = t->tval();
	report(tv > 0 && tv <= FAR, "%s timer: TVAL is what is left [%u]", t->name, tv);
	t->set(t->count(), ENABLE | IMASK);
	delay_us(10);
	report(t->ctl() & ISTATUS, "%s timer: a past CVAL has ISTATUS", t->name);
	tv = t->tval();
	report((int)tv < 0, "%s timer: TVAL runs on below zero [%d]", t->name, (int)tv);
	t->set_tval(0xfffffff0);
	report((long long)(t->cval() - t->count()) < 0, "%s timer: TVAL is signed", t->name);
	t->set_tval(FAR);
	c = t->cval() - t->count();
	report(c <= FAR && c > 0, "%s timer: TVAL sets CVAL", t->name);
	t->set(0, 0);
	report((t->ctl() & ENABLE) == 0, "%s timer: can be disabled", t->name);
	t->set(0, 0xfffffff8);
	report((t->ctl() & (ENABLE | IMASK)) == 0, "%s timer: reserved bits of CTL do nothing",
	       t->name);
}

static void check_fire(const struct timer *t)
{
	u32 early = 0, worst = 0;

	now = t;
	fired[0] = 0;
	other = 0;
	irq_handler = on_timer;
	gic_enable(t->irq);
	irq_on();
	for (u32 i = 0; i < 20; i++) {
		u64 at = t->count() + us_to_ticks(50 + 100 * i);

		t->set(at, ENABLE);
		for (u64 end = at + PATIENCE; fired[0] == i && t->count() < end;)
			;
		early += fired_at[0] < at;
		if ((u32)(fired_at[0] - at) > worst)
			worst = (u32)(fired_at[0] - at);
	}
	irq_off();
	report(fired[0] == 20 && !other, "%s timer: fires each time it is set (%u)", t->name,
	       fired[0]);
	report(!early, "%s timer: never fires early", t->name);
	note("%s timer: worst overshoot %u ticks", t->name, worst);

	fired[0] = 0;
	t->set(t->count(), ENABLE | IMASK);
	irq_on();
	delay_us(500);
	irq_off();
	report(!fired[0], "%s timer: IMASK holds it back", t->name);
	t->set(t->count(), ENABLE);
	irq_on();
	for (u64 end = cntvct() + PATIENCE; !fired[0] && cntvct() < end;)
		;
	irq_off();
	report(fired[0] == 1, "%s timer: unmasked, it fires", t->name);

	/*
	 * Centuries ahead, but not the last tick: with an offset QEMU 7.2 computes a deadline in
	 * the past, and the whole machine hangs.
	 */
	fired[0] = 0;
	t->set(1ull << 56, ENABLE);
	irq_on();
	delay_us(2000);
	irq_off();
	report(!fired[0] && !(t->ctl() & ISTATUS), "%s timer: a CVAL centuries ahead is not reached", t->name);
	t->set(0, 0);
	gic_disable(t->irq);
}

/* The timer's line is a level: it stays until CTL or CVAL lowers it. */
static u32 level_n;

static void on_level(u32 iar)
{
	if ((iar & 0x3ff) == now->irq && ++level_n == 3)
		now->set(0, 0);
}

static void check_level(const struct timer *t)
{
	now = t;
	level_n = 0;
	irq_handler = on_level;
	gic_enable(t->irq);
	t->set(t->count(), ENABLE);
	irq_on();
	for (u64 end = cntvct() + PATIENCE; level_n < 3 && cntvct() < end;)
		;
	delay_us(500);
	irq_off();
	report(level_n == 3, "%s timer: taken after every EOI until it is turned off (%u)", t->name,
	       level_n);
	t->set(t->count(), ENABLE);
	report(becomes_pending(t->irq, true), "%s timer: its interrupt is pending while expired", t->name);
	t->set(t->count() + FAR, ENABLE);
	report(becomes_pending(t->irq, false), "%s timer: and is not once CVAL moved on", t->name);
	t->set(0, 0);
	gic_disable(t->irq);
}

static void check_wfi(const struct timer *t)
{
	u32 early = 0, late = 0;

	now = t;
	fired[0] = 0;
	irq_handler = on_timer;
	gic_enable(t->irq);
	for (u32 i = 0; i < 10; i++) {
		u32 wait = us_to_ticks(i & 1 ? 15000 : 300);
		u64 t0 = t->count();

		t->set(t0 + wait, ENABLE);
		while (fired[0] == i) {
			irq_off();
			if (fired[0] == i)
				wfi();
			irq_on();
		}
		irq_off();
		early += fired_at[0] - t0 < wait;
		late += fired_at[0] - t0 > wait + us_to_ticks(on_vm() ? 500000 : 100000);
	}
	report(!early, "%s timer: WFI does not end early", t->name);
	/* The emulator's host may be busy: the runner repeats a test that says so. */
	if (late)
		note("timing: %u of 10 sleeps were late", late);
	report(!late, "%s timer: wakes from WFI in time", t->name);
	gic_disable(t->irq);
}

/*
 * The counter runs as fast as the client's clock, in one of three tries: the client may have to
 * wait between the two reads, but a wrong rate is wrong in all tries.
 */
static void check_rate(void)
{
	u64 n0, n1, c0, c1, us_guest = 0, us_client = 0;
	bool good = false;

	if (!on_vm())
		return;
	for (int i = 0; i < 3 && !good; i++) {
		n0 = client_ns();
		c0 = cntvct();
		delay_us(300000);
		n1 = client_ns();
		c1 = cntvct();
		us_guest = (c1 - c0) * 1000000 / cntfrq();
		us_client = (n1 - n0) / 1000;
		good = us_guest * 100 > us_client * 95 && us_guest * 100 < us_client * 105;
	}
	if (!good)
		note("timing: %llu us, %llu us", us_guest, us_client);
	report(good, "the counter keeps time with the client [%llu us, %llu us]", us_guest, us_client);
	c1 = cntvct();
	report(cntpct() >= c1, "the virtual counter is behind the physical one");
	report(cntvct() / cntfrq() < 600, "the virtual counter began with the VM");
}

/* Reads of the virtual counter never go back, neither on one CPU nor between CPUs. */
static volatile u64 newest;
static struct lock newest_lock;
static u32 went_back[GUEST_MAX_CPUS];
static u64 offset[GUEST_MAX_CPUS];

static void monotonic(u32 cpu)
{
	for (u32 i = 0; i < 3000; i++) {
		u64 c;

		lock_take(&newest_lock);
		c = cntvct();
		went_back[cpu] += c < newest;
		newest = c;
		lock_drop(&newest_lock);
		if (!(i % 100))
			hvc(PSCI_VERSION, 0, 0, 0);
	}
	/* The smallest of many differences is the one without a delay in between. */
	offset[cpu] = ~0ull;
	for (u32 i = 0; i < 500; i++) {
		u64 v = cntvct(), d = cntpct() - v;

		if (d < offset[cpu])
			offset[cpu] = d;
	}
}

static void each_cpu_fires(u32 cpu)
{
	gic_init_cpu();
	gic_enable(now->irq);
	fired[cpu] = 0;
	irq_on();
	for (u32 i = 0; i < 20; i++) {
		u64 end;

		now->set(now->count() + us_to_ticks(200 + 37 * cpu), ENABLE);
		end = now->count() + PATIENCE;
		/*
		 * Check with interrupts masked: WFI still ends, and no interrupt comes in between.
		 */
		for (;;) {
			irq_off();
			if (fired[cpu] != i || now->count() >= end)
				break;
			wfi();
			irq_on();
		}
		irq_on();
	}
	irq_off();
	report(fired[cpu] == 20, "cpu %u: its own %s timer fires (%u)", cpu, now->name, fired[cpu]);
	gic_disable(now->irq);
}

/* CNTKCTL opens counters and timers to PL0 bit by bit (DDI 0406C B8.1.1). */
static u32 user_cntvct(u32 arg)
{
	u32 lo, hi;

	(void)arg;
	asm volatile("mrrc p15, 1, %0, %1, c14" : "=r"(lo), "=r"(hi));
	return lo;
}

static u32 user_cntpct(u32 arg)
{
	u32 lo, hi;

	(void)arg;
	asm volatile("mrrc p15, 0, %0, %1, c14" : "=r"(lo), "=r"(hi));
	return lo;
}

static void check_user(void)
{
	u32 was = CP15_READ(0, c14, c1, 0);

	CP15_WRITE(0, c14, c1, 0, 0);
	isb();
	trap_begin();
	call_in_mode(MODE_USR, user_cntvct, 0);
	report(trap_end() == 1, "CNTVCT is undefined at PL0 without CNTKCTL.PL0VCTEN");
	trap_begin();
	call_in_mode(MODE_USR, user_cntpct, 0);
	report(trap_end() == 1, "CNTPCT is undefined at PL0 without CNTKCTL.PL0PCTEN");
	CP15_WRITE(0, c14, c1, 0, 3);
	isb();
	trap_begin();
	call_in_mode(MODE_USR, user_cntvct, 0);
	report(!trap_end(), "CNTVCT is readable at PL0 with it");
	/* For CNTPCT at PL0, QEMU 7.2 checks CNTHCTL.PL1PCEN instead of PL1PCTEN: not tried. */
	CP15_WRITE(0, c14, c1, 0, was);
	isb();
}

void guest_main(void)
{
	mmu_on();
	gic_init_dist();
	gic_init_cpu();
	smp_start();
	report(cntfrq() > 0, "CNTFRQ is %u Hz", cntfrq());
	for (u32 i = 0; i < ARRAY_SIZE(timers); i++) {
		check_registers(&timers[i]);
		check_fire(&timers[i]);
		check_level(&timers[i]);
		check_wfi(&timers[i]);
	}
	check_rate();
	check_user();
	smp_run(monotonic);
	for (u32 i = 0; i < nr_cpus(); i++) {
		report(!went_back[i], "cpu %u: the virtual counter never goes back", i);
		report(offset[i] + us_to_ticks(2000) > offset[0] &&
		       offset[i] < offset[0] + us_to_ticks(2000),
		       "cpu %u: CNTVOFF is the VM's [%llx, %llx]", i, offset[i], offset[0]);
	}
	irq_handler = on_timer;
	for (u32 i = 0; i < ARRAY_SIZE(timers); i++) {
		now = &timers[i];
		smp_run(each_cpu_fires);
	}
	guest_exit();
}
