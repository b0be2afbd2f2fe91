// SPDX-License-Identifier: GPL-2.0-only
/*
 * The benchmark's guest: each test performs one operation many times between
 * two reads of the virtual counter and prints
 *
 *   BENCH <id> <name> n=<operations> ticks=<ticks> ns/op=<all> net=<without the loop>
 *
 * If one instruction takes one nanosecond (QEMU's -icount shift=0), net is the
 * number of instructions of an operation. Where the result is how late something
 * is, that is net. Ids and names are those of the
 * benchmark that measured KVM/arm 5.4 and Xen.
 */
#include "bench.h"
#include "marks.h"
#include "../guest/lib/gicregs.h"
#include "../guest/lib/psci.h"

typedef unsigned int u32;
typedef unsigned long long u64;

extern volatile struct bench_args args;
extern u32 map[4096];
u32 call(u32 fn, u32 a, u32 b, u32 c);
u32 call_fp(u32 fn, u32 a, u32 b, u32 c);
void second(void);
void map_build(void);
void op_cp15(u32 n);
void bench_main(void);
void bench_second(void);
void bench_lost(u32 lr);
void on_irq(void);
int raise(int sig);

#define REG(a)		(*(volatile u32 *)(a))
#define BYTE(a)		(*(volatile unsigned char *)(a))
#define DEV(off)	REG(DEV_BASE + (off))

#define SGI_TO_SELF	1
#define SGI_PING	2
#define SGI_PONG	3

static inline void wfi(void) { asm volatile("dsb\n\twfi" ::: "memory"); }
static inline void irqs_on(void) { asm volatile("cpsie i" ::: "memory"); }
static inline void irqs_off(void) { asm volatile("cpsid i" ::: "memory"); }
static inline void isb(void) { asm volatile("isb" ::: "memory"); }

static inline u64 now(void)
{
	u64 t;

	asm volatile("isb\n\tmrrc p15, 1, %Q0, %R0, c14" : "=r"(t) :: "memory");
	return t;
}

/* For the emulator: see marks.h. */
#define MARK(what, id)									\
	do {										\
		register u32 r0 asm("r0") = (id);					\
		asm volatile("dbg #%c1" :: "r"(r0), "i"(what) : "memory");		\
	} while (0)

static inline u32 hertz(void)
{
	u32 v;

	asm volatile("mrc p15, 0, %0, c14, c0, 0" : "=r"(v));
	return v;
}

static inline u32 this_cpu(void)
{
	u32 v;

	asm volatile("mrc p15, 0, %0, c0, c0, 5" : "=r"(v));
	return v & 1;
}

static inline void timer_at(u64 t)
{
	asm volatile("mcrr p15, 3, %Q0, %R0, c14\n\tmcr p15, 0, %1, c14, c3, 1\n\tisb"
		     :: "r"(t), "r"(1) : "memory");
}

static inline void timer_off(void)
{
	asm volatile("mcr p15, 0, %0, c14, c3, 1\n\tisb" :: "r"(0) : "memory");
}

/* ---- printing ---- */
static void text(const char *s)
{
	while (*s)
		REG(UART_DR) = (unsigned char)*s++;
}

static void number(u64 v)
{
	char b[24], *p = b + sizeof(b);

	*--p = 0;
	do
		*--p = (char)('0' + v % 10);
	while (v /= 10);
	text(p);
}

static void tenths(u64 v)
{
	number(v / 10);
	text(".");
	number(v % 10);
}

static void __attribute__((noreturn)) end(void)
{
	call(PSCI_SYSTEM_OFF, 0, 0, 0);
	for (;;)
		wfi();
}

void bench_lost(u32 lr)
{
	text("BENCH-LOST exception near ");
	number(lr);
	text("\n");
	end();
}

int raise(int sig)
{
	(void)sig;
	text("BENCH-LOST division by zero\n");
	end();
}

/* ---- the machine ---- */
void map_build(void)
{
	for (u32 mb = 0; mb < 4096; mb++)
		map[mb] = mb << 20 | 0xc02 |	/* a section, full access */
			  (mb >= RAM_BASE >> 20 && mb < 0xc00 ? 0x1100c	/* write-back, shareable */
							      : 0x14);	/* device, never executed */
	asm volatile("dsb" ::: "memory");
}

/*
 * Makes @n SPIs enabled and pending, with a priority that GICC_PMR masks. Group 1 stays disabled at
 * the CPU interface.
 */
static void spis_pend(u32 n)
{
	if (args.flags & ARGS_GROUPS)
		REG(GICD_CTLR) = 3;
	for (u32 i = 1019; n && i >= 32; i--) {
		if (i == BENCH_SPI || i == BENCH_LINE)
			continue;
		if (args.flags & ARGS_GROUPS && i % 2)
			REG(GICD_IGROUPR + i / 32 * 4) |= 1u << i % 32;
		BYTE(GICD_IPRIORITYR + i) = 0xf8;
		REG(GICD_ISENABLER + i / 32 * 4) = 1u << i % 32;
		REG(GICD_ISPENDR + i / 32 * 4) = 1u << i % 32;
		n--;
	}
}

static void gic_on(void)
{
	if (!this_cpu()) {
		REG(GICD_CTLR) = 1;
		REG(GICD_ICFGR + BENCH_SPI / 16 * 4) = 2u << BENCH_SPI % 16 * 2;	/* edge */
		BYTE(GICD_ITARGETSR + BENCH_SPI) = 1;
		BYTE(GICD_IPRIORITYR + BENCH_SPI) = 0x80;
		REG(GICD_ISENABLER + BENCH_SPI / 32 * 4) = 1u << BENCH_SPI % 32;
		/* BENCH_LINE stays level-sensitive. */
		BYTE(GICD_ITARGETSR + BENCH_LINE) = 1;
		BYTE(GICD_IPRIORITYR + BENCH_LINE) = 0x80;
		REG(GICD_ISENABLER + BENCH_LINE / 32 * 4) = 1u << BENCH_LINE % 32;
	}
	for (u32 i = 0; i < 32; i += 4)
		REG(GICD_IPRIORITYR + i) = 0x80808080;
	if (!this_cpu() && args.pending)
		spis_pend(args.pending);
	REG(GICD_ISENABLER) = 1u << IRQ_VTIMER | 0xffff;
	REG(GICC_PMR) = 0xf0;
	REG(GICC_CTLR) = 1;
	asm volatile("dsb" ::: "memory");
}

static volatile u32 taken[2], strays, spin_second, second_up;
static volatile u64 fired;

void on_irq(void)
{
	u32 iar = REG(GICC_IAR);

	switch (iar & 0x3ff) {
	case IRQ_VTIMER:
		fired = now();
		MARK(MARK_OPERATION, 0);
		timer_off();
		break;
	case SGI_PING:
		REG(GICD_SGIR) = SGI_TARGETS(1u << 0, SGI_PONG);
		break;
	case SGI_TO_SELF:
	case SGI_PONG:
	case BENCH_SPI:
	case BENCH_LINE:
		break;
	case IRQ_SPURIOUS:
		strays++;
		return;
	default:
		strays++;
	}
	REG(GICC_EOIR) = iar;
	taken[this_cpu()]++;
}

static void spin_for(u32 was)
{
	while (taken[0] == was)
		;
}

static void sleep_for(u32 was)
{
	irqs_off();
	while (taken[0] == was) {
		wfi();
		irqs_on();
		isb();
		irqs_off();
	}
	irqs_on();
}

void bench_second(void)
{
	gic_on();
	second_up = 1;
	irqs_on();
	for (;;) {
		while (spin_second)
			;
		irqs_off();
		wfi();
		irqs_on();
		isb();
	}
}

/* ---- a function for each test, which does n operations ---- */
static u64 late;

static void op_loop(u32 n)
{
	while (n--)
		asm volatile("" ::: "memory");
}

static void op_hvc(u32 n)
{
	while (n--)
		call(PSCI_VERSION, 0, 0, 0);
}

static void op_hvc_fp(u32 n)
{
	while (n--)
		call_fp(PSCI_VERSION, 0, 0, 0);
}

static void op_iidr(u32 n)
{
	while (n--)
		(void)REG(GICD_IIDR);
}

static void op_isenabler(u32 n)
{
	while (n--)
		(void)REG(GICD_ISENABLER);
}

static void op_hppir(u32 n)
{
	while (n--)
		(void)REG(GICC_HPPIR);
}

/* Twice each, so that the distributor is on as before. */
static void op_ctlr(u32 n)
{
	u32 was = REG(GICD_CTLR);

	while (n--) {
		REG(GICD_CTLR) = 0;
		REG(GICD_CTLR) = was;
	}
}

static void op_read(u32 n)
{
	while (n--)
		(void)DEV(DEV_WORD);
}

static void op_write(u32 n)
{
	while (n--)
		DEV(DEV_WORD) = n;
}

static void op_event(u32 n)
{
	while (n--)
		DEV(DEV_EVENT) = n;
}

static void op_sgi(u32 n)
{
	while (n--) {
		u32 was = taken[0];

		REG(GICD_SGIR) = SGI_SELF(SGI_TO_SELF);
		spin_for(was);
	}
}

static void op_spi(u32 n)
{
	while (n--) {
		u32 was = taken[0];

		DEV(DEV_SPI) = 1;
		spin_for(was);
	}
}

static void op_pulse(u32 n)
{
	while (n--) {
		u32 was = taken[0];

		DEV(DEV_PULSE) = 1;
		spin_for(was);
	}
}

static void op_irqfd(u32 n)
{
	while (n--) {
		u32 was = taken[0];

		DEV(DEV_IRQFD) = 1;
		spin_for(was);
	}
}

static void op_line(u32 n)
{
	while (n--) {
		u32 was = taken[0];

		DEV(DEV_LINE) = 1;
		spin_for(was);
	}
}

static void op_zap(u32 n)
{
	while (n--)
		DEV(DEV_ZAP) = n;
}

static void op_timer(u32 n)
{
	while (n--) {
		u32 was = taken[0];

		timer_at(0);
		spin_for(was);
	}
}

static void op_late(u32 n, void (*wait)(u32 was))
{
	u32 delay = hertz() / 20000;	/* 50 us */

	late = 0;
	while (n--) {
		u32 was = taken[0];
		u64 t = now() + delay;

		timer_at(t);
		wait(was);
		late += fired - t;
	}
}

static void op_late_spin(u32 n)
{
	op_late(n, spin_for);
}

static void op_late_wfi(u32 n)
{
	op_late(n, sleep_for);
}

static void op_wfi_pending(u32 n)
{
	u32 was = taken[0];

	irqs_off();
	REG(GICD_SGIR) = SGI_SELF(SGI_TO_SELF);
	while (n--)
		wfi();
	irqs_on();
	spin_for(was);
}

static void op_touch(u32 n)
{
	for (volatile u32 *p = (volatile u32 *)TOUCH_BASE; n--; p += 1024)
		*p = n;
}

static void ping_pong(u32 n, void (*wait)(u32 was))
{
	while (n--) {
		u32 was = taken[0];

		REG(GICD_SGIR) = SGI_TARGETS(1u << 1, SGI_PING);
		wait(was);
	}
}

static void op_ping_wfi(u32 n)
{
	ping_pong(n, sleep_for);
}

static void op_ping_spin(u32 n)
{
	spin_second = 1;
	ping_pong(1, spin_for);		/* wakes it from WFI */
	ping_pong(n, spin_for);
	spin_second = 0;
}

#define LATENESS	1	/* the result is the mean time past the deadline */
#define ONCE		2	/* no warm-up, which would falsify the result */
#define CLIENT		4	/* needs the client's device */
#define EVENT		8	/* needs the ioeventfd */
#define TWO		16	/* needs two vCPUs */
#define LINE		32	/* needs the irqfd with a resampler */
#define IRQFD		64	/* needs the irqfd of BENCH_SPI */

static const struct {
	const char *name;
	void (*op)(u32 n);
	u32 kind;
} tests[] = {
	{ "loop", op_loop, 0 },
	{ "hvc_psci_version", op_hvc, 0 },
	{ "hvc_then_vfp", op_hvc_fp, 0 },
	{ "cp15_actlr_read", op_cp15, 0 },
	{ "gicd_iidr_read", op_iidr, 0 },
	{ "gicd_isenabler_read", op_isenabler, 0 },
	{ "gicc_hppir_read", op_hppir, 0 },
	{ "mmio_user_read", op_read, CLIENT },
	{ "mmio_user_write", op_write, CLIENT },
	{ "ioeventfd_write", op_event, EVENT },
	{ "sgi_self", op_sgi, 0 },
	{ "irq_line_spi", op_spi, CLIENT },
	{ "vtimer_fire", op_timer, 0 },
	{ "vtimer_late_spin", op_late_spin, LATENESS },
	{ "vtimer_late_wfi", op_late_wfi, LATENESS },
	{ "wfi_pending", op_wfi_pending, 0 },
	{ "page_first_touch", op_touch, ONCE },
	{ "page_second_touch", op_touch, ONCE },
	{ "ipi_pingpong_wfi", op_ping_wfi, TWO },
	{ "ipi_pingpong_spin", op_ping_spin, TWO },
	{ "irqfd_level_spi", op_line, LINE },
	{ "page_given_back", op_zap, CLIENT },
	{ "irq_line_edge", op_pulse, CLIENT },
	{ "irqfd_edge", op_irqfd, IRQFD },
	{ "gicd_ctlr_write", op_ctlr, 0 },
};

static u64 loop_cost;	/* tenths of ns */

static void measure(u32 id)
{
	u32 n = args.count, most = (args.ram_mb - ((TOUCH_BASE - RAM_BASE) >> 20)) * 256;
	u32 kind = tests[id].kind;
	u64 t, cost, net;

	if (tests[id].op == op_touch && n > most)
		n = most;
	if (!(kind & ONCE))
		tests[id].op(16);
	if (args.flags & ARGS_CLIENT)
		DEV(DEV_MARK) = 0x100 | id;
	MARK(MARK_BEGIN, kind & LATENESS ? id | MARK_SLEEPS : id);
	t = now();
	tests[id].op(n);
	t = now() - t;
	MARK(MARK_END, id);
	if (args.flags & ARGS_CLIENT)
		DEV(DEV_MARK) = 0x200 | id;
	cost = t * 10000000000ull / hertz() / n;
	if (!id)
		loop_cost = cost;
	if (kind & LATENESS)
		net = late * 10000000000ull / hertz() / n;
	else
		net = cost < loop_cost ? cost : cost - loop_cost;
	text("BENCH ");
	number(id);
	text(" ");
	text(tests[id].name);
	text(" n=");
	number(n);
	text(" ticks=");
	number(t);
	text(" ns/op=");
	tenths(cost);
	text(" net=");
	tenths(net);
	text("\n");
}

static int can(u32 id)
{
	u32 kind = tests[id].kind;

	return (!id || args.tests >> id & 1) &&
	       (!(kind & CLIENT) || args.flags & ARGS_CLIENT) &&
	       (!(kind & EVENT) || args.flags & ARGS_EVENT) &&
	       (!(kind & LINE) || args.flags & ARGS_LINE) &&
	       (!(kind & IRQFD) || args.flags & ARGS_IRQFD) &&
	       (!(kind & TWO) || args.cpus > 1);
}

void bench_main(void)
{
	MARK(MARK_ARM, 0);
	gic_on();
	text("BENCH-START iters=");
	number(args.count);
	text(" cntfrq=");
	number(hertz());
	text(" ncpus=");
	number(args.cpus);
	text("\n");
	irqs_on();
	if (args.cpus > 1) {
		call(PSCI_CPU_ON, 1, (u32)second, 0);
		while (!second_up)
			;
	}
	for (u32 id = 0; id < sizeof(tests) / sizeof(tests[0]); id++)
		for (u32 round = 0; can(id) && (!round || (id && round < args.rounds)); round++)
			measure(id);
	text("BENCH-END unexpected_irqs=");
	number(strays);
	text("\n");
	end();
}
