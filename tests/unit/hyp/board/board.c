// SPDX-License-Identifier: GPL-2.0-only
/*
 * driver/hyp/vectors.S and entry.S on a board of their own: an emulated Cortex-A15 that starts in
 * HYP mode, without Linux, so that faults of HYP mode can be caused and examined. Prints KTAP.
 */
#include "hyp/offsets.h"

typedef unsigned int u32;
typedef unsigned long long u64;

#include "say.h"
#include "vectors.h"

u64 hyp_translate(u32 va);
u32 board_abort(u32 addr);
u32 board_guest(u32 *regs);
u32 board_takeover(u32 vttbr_hi, const char *vectors, u32 vtcr);
void board_main(void);

u32 board_cpu[64], board_sp, guest_psr = 0x1d3;	/* SVC, A, I and F set */
u64 board_httbr[4] __attribute__((aligned(32)));
u32 *guest_regs;
static u32 guest_vcpu[256], panics, traps;
static u32 table[4096] __attribute__((aligned(16384)));
static unsigned int lost;

/* The guest's value of register @i. */
#define PATTERN(i)	(0x5a5a0f0fu * ((i) + 1))

/* --- what the vectors call --- */

void hyp_panic(void *cpu);
void hyp_panic(void *cpu)
{
	panics++;
	GO_ON_AT(board_panicked);
}

u32 hyp_fastpath(void *cpu, u32 *vcpu);
u32 hyp_fastpath(void *cpu, u32 *vcpu)
{
	for (unsigned int i = 0; !traps && i < 13; i++)
		lost |= vcpu[i] != PATTERN(i);
	traps++;
	return board_resume();
}

/* --- cases --- */

static void use(const char *vectors)
{
	write(vectors, "4, %0, c12, c0, 0");
	isb();
}

/* The guest's tables are at @ttbr; a MiB at 0x100000 maps 0x40000000. */
static u64 translate(u32 ttbr, u32 va)
{
	u32 sctlr;
	u64 par;

	table[1] = 0x40000000 | 3 << 10 | 2;
	write(ttbr, "0, %0, c2, c0, 0");
	write(0, "0, %0, c2, c0, 2");
	write(1, "0, %0, c3, c0, 0");
	read(sctlr, "0, %0, c1, c0, 0");
	write(sctlr | 1, "0, %0, c1, c0, 0");
	isb();
	par = hyp_translate(va);
	write(sctlr & ~1u, "0, %0, c1, c0, 0");
	isb();
	return par;
}

static void test_translate(void)
{
	expect((u32)translate((u32)table, 0x123456) & 0xfffff001, 0x40023000,
	       "an address is translated");
	expect((u32)translate((u32)table, 0x200000) & 1, 1, "one that nothing maps is not");
	/* B3.14: an external abort on the walk is a data abort in HYP mode, which survives it. */
	expect((u32)translate(NOTHING, 0x123456), 1, "an external abort on the walk is answered");
	expect(panics, 0, "and is no fault of HYP's");
}

/* SPSR.A does not show that an abort was let in: with SCR.EA set it may be clear (secure.c). */
static void test_fault(const char *vectors, const char *what)
{
	use(vectors);
	panics = 0;
	board_cpu[CPU_SERROR / 4] = 0;
	report(board_abort(NOTHING) == 1 && panics == 1 && !board_cpu[CPU_SERROR / 4], what);
}

/*
 * No value passes through a register that a core may not store fully (HMAIR1, with reserved
 * attributes).
 */
static void test_trap(const char *vectors, const char *what)
{
	u32 regs[13], hmair;

	use(vectors);
	for (unsigned int i = 0; i < 13; i++)
		regs[i] = PATTERN(i);
	guest_regs = regs;
	board_cpu[CPU_VCPU / 4] = (u32)guest_vcpu;
	write(0x44444444, "4, %0, c10, c2, 1");
	traps = lost = 0;
	board_guest(regs);
	board_cpu[CPU_VCPU / 4] = 0;
	for (unsigned int i = 0; i < 13; i++)
		lost |= regs[i] != PATTERN(i);
	read(hmair, "4, %0, c10, c2, 1");
	report(!lost && traps == 2 && hmair == 0x44444444, what);
}

/* The VTTBR after a take-over with @hi, on a CPU that had VMID 0x5a and a table. */
static u64 takeover_vttbr(u32 hi, u32 vtcr)
{
	u64 v = 0x5aull << 48 | 0x40000000;
	u32 hvbar;

	/*
	 * One GiB each, mapped flat: the devices; and memory, which may hold code and cannot be
	 * written.
	 */
	board_httbr[0] = 0x00000701 | 1 << 2;
	board_httbr[1] = 0x40000701 | 3 << 2 | 1 << 7;
	asm volatile("mcrr p15, 6, %Q0, %R0, c2" : : "r" (v));
	read(hvbar, "4, %0, c12, c0, 0");
	report(board_takeover(hi, hyp_vectors, vtcr) == hvbar, "a take-over returns the stub's vectors");
	asm volatile("mrrc p15, 6, %Q0, %R0, c2" : "=r" (v));
	return v;
}

/* B4.1.160: VMID is UNKNOWN at reset. B3.10.5: broadcasts go by it. */
static void test_takeover(void)
{
	u64 v = takeover_vttbr(HYP_VMID_KEEP, 0x80003000);
	u32 htcr;

	report(v == 0x5aull << 48, "the first CPU keeps its VMID, and no table");
	read(htcr, "4, %0, c2, c0, 2");
	report(htcr == 0x80803500, "where memory is shared, HYP's walks are inner shareable");
	v = takeover_vttbr(0x00110000, 0x80000000);
	report(v == 0x11ull << 48, "another takes the first one's");
	read(htcr, "4, %0, c2, c0, 2");
	report(htcr == 0x80800500, "where it is not, they are not shareable");
}

void board_main(void)
{
	put("TAP version 13\n1..18\n");
	use(hyp_vectors);
	test_translate();
	test_fault(hyp_vectors, "a fault with A clear is one (plain)");
	test_fault(hyp_vectors_bpiall, "a fault with A clear is one (bpiall)");
	test_fault(hyp_vectors_iciallu, "a fault with A clear is one (iciallu)");
	test_fault(hyp_vectors_loop8, "a fault with A clear is one (loop8)");
	test_trap(hyp_vectors, "a trap keeps all registers (plain)");
	test_trap(hyp_vectors_bpiall, "a trap keeps all registers (bpiall)");
	test_trap(hyp_vectors_iciallu, "a trap keeps all registers (iciallu)");
	test_trap(hyp_vectors_loop8, "a trap keeps all registers (loop8)");
	test_takeover();
	finish();
}
