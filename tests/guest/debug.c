// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest debugs itself: breakpoints and watchpoints of its own, in PL1 and PL0, on one CPU and on
 * several that share the hardware's (DDI 0406C C3.3, C3.4, C11.11; docs/hazards.md 23).
 */
#include "lib.h"

#define DSCR_MDBGEN	(1u << 15)
#define OSLAR_KEY	0xc5acce55u
#define CR_PL0		(2u << 1 | 1)
#define CR_PL1		(1u << 1 | 1)
#define CR_ALL		(3u << 1 | 1)
#define BCR(who)	(0xfu << 5 | (who))
#define WCR(bas, lsc, who)	((bas) << 5 | (lsc) << 3 | (who))
#define LOADS		1u
#define STORES		2u
#define MOE_BREAKPOINT	1u
#define MOE_BKPT	3u
#define MOE_WATCHPOINT	10u
#define LOOPS		12u

#define DBG_READ(crn, crm, op2)								\
({											\
	u32 val_;									\
	asm volatile("mrc p14, 0, %0, " #crn ", " #crm ", " #op2 : "=r"(val_) :: "memory"); \
	val_;										\
})
#define DBG_WRITE(crn, crm, op2, v)							\
	asm volatile("mcr p14, 0, %0, " #crn ", " #crm ", " #op2 :: "r"(v) : "memory")

#define FOR_16(X)									\
	X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

static void set_bp(u32 n, u32 bvr, u32 bcr)
{
	switch (n) {
#define SET_BP(n)									\
	case n:										\
		DBG_WRITE(c0, c##n, 5, 0);						\
		DBG_WRITE(c0, c##n, 4, bvr);						\
		DBG_WRITE(c0, c##n, 5, bcr);						\
		break;
	FOR_16(SET_BP)
	}
	isb();
}

static void set_wp(u32 n, u32 wvr, u32 wcr)
{
	switch (n) {
#define SET_WP(n)									\
	case n:										\
		DBG_WRITE(c0, c##n, 7, 0);						\
		DBG_WRITE(c0, c##n, 6, wvr);						\
		DBG_WRITE(c0, c##n, 7, wcr);						\
		break;
	FOR_16(SET_WP)
	}
	isb();
}

static u32 nr_brp, nr_wrp, nr_ctx;

/* u32 spots(u32 x): uses no stack, and each instruction adds its own digit. */
u32 spots(u32 x);
u32 spots_thumb(u32 x);
asm(".text\n\t.arm\n\t.balign 32\n\t.global spots\nspots:\n\t"
    "add r0, r0, #1\n\tadd r0, r0, #0x10\n\tadd r0, r0, #0x100\n\tadd r0, r0, #0x1000\n\t"
    "add r0, r0, #0x10000\n\tadd r0, r0, #0x100000\n\tadd r0, r0, #0x1000000\n\t"
    "add r0, r0, #0x10000000\n\tbx lr\n\t"
    ".syntax unified\n\t.thumb\n\t.thumb_func\n\t.balign 4\n\t.global spots_thumb\nspots_thumb:\n\t"
    "adds r0, #1\n\tadds r0, #0x10\n\tadds r0, #2\n\tadds r0, #0x20\n\tbx lr\n\t.arm\n");
#define SPOT(i)		((u32)spots + 4 * (i))
#define ALL_SPOTS	0x11111111u
#define WITHOUT(i)	(ALL_SPOTS - (1u << 4 * (i)))

/* u32 accesses(u32 *p): a load and a store of each of two words, a byte and a doubleword. */
u32 accesses(u32 p);
asm(".text\n\t.global accesses\naccesses:\n\tmov r1, #0x77\n\tldr r2, [r0]\n\tstr r1, [r0]\n\t"
    "ldr r2, [r0, #4]\n\tstr r1, [r0, #4]\n\tstrb r1, [r0, #10]\n\tldrd r2, r3, [r0, #16]\n\t"
    "bx lr\n");
#define LOAD(word)	((u32)accesses + 4 + 8 * (word))
#define STORE(word)	((u32)accesses + 8 + 8 * (word))
#define STORE_BYTE	((u32)accesses + 20)
#define LOAD_DOUBLE	((u32)accesses + 24)

static u32 words[GUEST_MAX_CPUS][8] __attribute__((aligned(64)));

/* After a debug event, goes on behind the instruction that it stopped, in any mode. */
static bool pass(enum vec vec, struct frame *f)
{
	if (vec != VEC_PABT)
		return false;
	f->pc += f->cpsr & 1u << 5 ? 2 : 4;
	return true;
}

static u32 moe(void)
{
	return DBG_READ(c0, c1, 0) >> 2 & 15;
}

/* Did this CPU hit a breakpoint at @pc, once? The emulator itself reports no reason. */
static bool hit_bp(u32 pc)
{
	struct trap *t = &trap[cpu_id()];

	return trap_end() == 1 && t->vec == VEC_PABT && t->pc == pc && (t->fsr & 0x40f) == 2 &&
	       (!on_vm() || moe() == MOE_BREAKPOINT);
}

static bool hit_wp(u32 pc, u32 far, bool write)
{
	struct trap *t = &trap[cpu_id()];

	return trap_end() == 1 && t->vec == VEC_DABT && t->pc == pc && t->far == far &&
	       (t->fsr & 0xc0f) == (write ? 0x802 : 2) && (!on_vm() || moe() == MOE_WATCHPOINT);
}

static void debug_on(void)
{
	DBG_WRITE(c1, c0, 4, 0);
	DBG_WRITE(c0, c2, 2, DSCR_MDBGEN);
	isb();
}

static void check_breakpoints(void)
{
	u32 bad = 0, x;

	for (u32 n = 0; n < nr_brp; n++) {
		u32 at = n % 8;

		set_bp(n, SPOT(at), BCR(CR_ALL));
		trap_begin();
		x = spots(0);
		bad += !hit_bp(SPOT(at)) || x != WITHOUT(at);
		trap_begin();
		x = call_in_mode(MODE_SYS, spots, 0);
		bad += !hit_bp(SPOT(at)) || x != WITHOUT(at);
		set_bp(n, 0, 0);
	}
	report(!bad, "each of %u breakpoints hits alone, and stops what it names (%u)", nr_brp, bad);
	for (u32 n = 0; n < nr_brp && n < 8; n++)
		set_bp(n, SPOT(n), BCR(CR_PL1));
	trap_begin();
	x = spots(0);
	report(trap_end() == (nr_brp < 8 ? nr_brp : 8), "all of them hit (%x)", x);
	for (u32 n = 0; n < nr_brp; n++)
		set_bp(n, 0, 0);
	trap_begin();
	x = spots(0);
	report(!trap_end() && x == ALL_SPOTS, "and none that is off (%x)", x);
}

static void check_thumb(void)
{
	u32 start = (u32)spots_thumb & ~1u, bad = 0;

	for (u32 i = 0; i < 4; i++) {
		static const u32 adds[] = { 1, 0x10, 2, 0x20 };
		u32 x;

		set_bp(1, start + (i & ~1u) * 2, (i & 1 ? 0xcu : 3u) << 5 | CR_ALL);
		trap_begin();
		x = spots_thumb(0);
		bad += !hit_bp(start + i * 2) || x != 0x33 - adds[i];
	}
	set_bp(1, 0, 0);
	report(!bad, "a breakpoint names a half of a word in Thumb (%u)", bad);
}

/* A breakpoint can be for PL0 or for PL1 only. */
static void check_modes(void)
{
	u32 x, y, n;

	set_bp(0, SPOT(2), BCR(CR_PL0));
	set_bp(1, SPOT(5), BCR(CR_PL1));
	trap_begin();
	x = spots(0);
	n = hit_bp(SPOT(5)) && x == WITHOUT(5);
	trap_begin();
	y = call_in_mode(MODE_USR, spots, 0);
	report(n && hit_bp(SPOT(2)) && y == WITHOUT(2) && (trap[0].cpsr & CPSR_MODE) == MODE_USR,
	       "PL0 has its breakpoint and PL1 its own (%x, %x)", x, y);
	set_bp(0, 0, 0);
	set_bp(1, 0, 0);
	set_wp(0, (u32)&words[0][1], WCR(0xfu, LOADS | STORES, CR_PL0));
	trap_begin();
	accesses((u32)words[0]);
	n = trap_end();
	trap_begin();
	call_in_mode(MODE_USR, accesses, (u32)words[0]);
	report(!n && trap_end() == 2 && trap[0].far == (u32)&words[0][1] &&
	       (trap[0].cpsr & CPSR_MODE) == MODE_USR, "so have watchpoints");
	set_wp(0, 0, 0);
}

/* A breakpoint of another context does not hit (linked breakpoints). */
static void check_context(void)
{
	u32 ctx = nr_brp - nr_ctx, was = CP15_READ(0, c13, c0, 1), other, x;

	set_bp(ctx, 0x1234500, 3u << 20 | 0xfu << 5 | CR_ALL);
	set_bp(0, SPOT(1), BCR(CR_ALL) | 1u << 20 | ctx << 16);
	CP15_WRITE(0, c13, c0, 1, 0x1234400);
	isb();
	trap_begin();
	spots(0);
	other = trap_end();
	CP15_WRITE(0, c13, c0, 1, 0x1234500);
	isb();
	trap_begin();
	x = spots(0);
	report(!other && hit_bp(SPOT(1)) && x == WITHOUT(1),
	       "a linked breakpoint hits in its context alone (%u, %x)", other, x);
	CP15_WRITE(0, c13, c0, 1, was);
	isb();
	set_bp(0, 0, 0);
	set_bp(ctx, 0, 0);
}

static void check_watchpoints(void)
{
	u32 *w = words[0], bad = 0;

	for (u32 n = 0; n < nr_wrp; n++) {
		w[0] = 0x55;
		set_wp(n, (u32)w, WCR(0xfu, STORES, CR_ALL));
		trap_begin();
		accesses((u32)w);
		bad += !hit_wp(STORE(0), (u32)w, true) || w[0] != 0x55;
		set_wp(n, (u32)w, WCR(0xfu, LOADS, CR_PL1));
		trap_begin();
		accesses((u32)w);
		bad += !hit_wp(LOAD(0), (u32)w, false);
		set_wp(n, 0, 0);
		bad += w[0] != 0x77;
	}
	report(!bad, "each of %u watchpoints hits before the access is made (%u)", nr_wrp, bad);
	w[2] = 0;
	set_wp(0, (u32)&w[2], WCR(4u, STORES, CR_ALL));
	trap_begin();
	accesses((u32)w);
	report(hit_wp(STORE_BYTE, (u32)&w[2] + 2, true) && !w[2], "a byte can be watched");
	set_wp(0, (u32)w, WCR(0xffu, LOADS, CR_ALL) | 4u << 24);
	trap_begin();
	accesses((u32)w);
	report(trap_end() == 2, "and a range");
	set_wp(0, (u32)&w[4], WCR(0xffu, LOADS, CR_ALL));
	trap_begin();
	accesses((u32)w);
	report(hit_wp(LOAD_DOUBLE, (u32)&w[4], false), "and a doubleword");
	set_wp(0, 0, 0);
	trap_begin();
	accesses((u32)w);
	report(!trap_end(), "until it is off");
}

void bkpt_fn(void);
asm(".text\n\t.global bkpt_fn\nbkpt_fn:\n\tbkpt #0\n\tbx lr\n");

/* Without monitor mode, or with the OS Lock, only BKPT stops. */
static void check_off(void)
{
	u32 off, locked, on;

	set_bp(0, SPOT(3), BCR(CR_ALL));
	DBG_WRITE(c0, c2, 2, 0);
	isb();
	trap_begin();
	spots(0);
	off = trap_end();
	debug_on();
	DBG_WRITE(c1, c0, 4, OSLAR_KEY);
	isb();
	trap_begin();
	spots(0);
	locked = trap_end();
	DBG_WRITE(c1, c0, 4, 0);
	isb();
	trap_begin();
	spots(0);
	on = trap_end();
	/* QEMU's own OS Lock (on the bare board) does not behave so. */
	report(!off && (!locked || !on_vm()) && on == 1,
	       "neither without monitor mode nor with the OS Lock (%u, %u, %u)", off, locked, on);
	set_bp(0, 0, 0);
	trap_begin();
	bkpt_fn();
	report(trap_end() == 1 && trap[0].vec == VEC_PABT && (!on_vm() || moe() == MOE_BKPT),
	       "BKPT has a reason of its own (%u)", moe());
}

/* All CPUs at once, each with its own breakpoint; one may be at the next CPU's address. */
static u32 wrong[GUEST_MAX_CPUS];

static void own(u32 cpu)
{
	u32 at = cpu % 8;

	debug_on();
	for (u32 i = 0; i < LOOPS; i++) {
		u32 n = i % nr_brp, m = i % nr_wrp, x;

		set_bp(n, SPOT(at), BCR(CR_ALL));
		set_wp(m, (u32)&words[cpu][1], WCR(0xfu, STORES, CR_ALL));
		for (u32 j = 0; j < 2; j++) {
			trap_begin();
			x = spots(0);
			wrong[cpu] += !hit_bp(SPOT(at)) || x != WITHOUT(at);
			trap_begin();
			accesses((u32)words[cpu]);
			wrong[cpu] += !hit_wp(STORE(1), (u32)&words[cpu][1], true);
			trap_begin();
			accesses((u32)words[(cpu + 1) % GUEST_MAX_CPUS]);
			wrong[cpu] += trap_end() != 0;
		}
		set_bp(n, 0, 0);
		set_wp(m, 0, 0);
	}
}

static void check_all(void)
{
	u32 bad = 0;

	smp_run(own);
	for (u32 i = 0; i < nr_cpus(); i++)
		bad += wrong[i];
	report(!bad, "each of %u CPUs meets what is its own (%u)", nr_cpus(), bad);
}

void guest_main(void)
{
	u32 didr;

	mmu_on();
	gic_init_dist();
	trap_begin();
	didr = DBG_READ(c0, c0, 0);
	if (trap_end() || (didr >> 16 & 15) != 5) {
		report_skip("no debug architecture v7.1", "debug registers (%x)", didr);
		guest_exit();
	}
	nr_brp = (didr >> 24 & 15) + 1;
	nr_wrp = (didr >> 28) + 1;
	nr_ctx = (didr >> 20 & 15) + 1;
	note("%u breakpoints, %u of contexts, %u watchpoints", nr_brp, nr_ctx, nr_wrp);
	trap_hook = pass;
	debug_on();
	check_breakpoints();
	check_thumb();
	check_modes();
	check_context();
	check_watchpoints();
	check_off();
	smp_start();
	check_all();
	guest_exit();
}
