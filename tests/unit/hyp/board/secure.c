// SPDX-License-Identifier: GPL-2.0-only
/*
 * driver/hyp/vectors.S under firmware that sets SCR.EA (rom.S), on an emulated board without Linux.
 * Then external aborts are the firmware's, and no exception sets CPSR.A in HYP mode (DDI 0406C
 * B1.9): if the guest's is clear, a data abort of HYP's own, such as an alignment fault, comes with
 * SPSR.A clear. It has to be told from the asynchronous abort for which hyp_serror_take() clears
 * CPSR.A. Prints KTAP.
 */
#include "hyp/offsets.h"

typedef unsigned int u32;

#include "rom.h"
#include "say.h"
#include "vectors.h"

#define CPSR_A		0x100

u32 board_abort(u32 addr);
u32 board_guest(u32 *regs);
void board_main(void);
void hyp_serror_take(void);

u32 board_cpu[64], board_sp, guest_psr = 0xd3;	/* SVC, I and F set, A clear */
u32 board_httbr[8] __attribute__((aligned(32)));
u32 *guest_regs;
static u32 guest_vcpu[256], panics, in_trap, in_panic, spsr;
static int faults;

static u32 psr_a(void)
{
	u32 psr;

	asm volatile("mrs %0, cpsr" : "=r" (psr));
	return psr & CPSR_A;
}

/* --- what the vectors call --- */

void hyp_panic(void *cpu);
void hyp_panic(void *cpu)
{
	panics++;
	in_panic = psr_a();
	asm volatile("mrs %0, SPSR" : "=r" (spsr));
	GO_ON_AT(board_panicked);
}

u32 hyp_fastpath(void *cpu, u32 *vcpu);
u32 hyp_fastpath(void *cpu, u32 *vcpu)
{
	in_trap = psr_a();
	/* LDM has to be aligned, whatever HSCTLR.A is (A3.2.1). */
	if (faults)
		asm volatile("ldm %0, {r2, r3}" : : "r" ((char *)vcpu + 1) : "r2", "r3", "memory");
	return board_resume();
}

/* --- the firmware --- */

static u32 rom(u32 call, u32 arg)
{
	register u32 r0 asm("r0") = call;
	register u32 r1 asm("r1") = arg;

	asm volatile(".arch_extension sec\n\tsmc #0" : "+r" (r0) : "r" (r1) :
		     "r2", "r3", "r12", "memory");
	return r0;
}

/* --- cases --- */

/* A guest's trap; with @faulty, during which HYP mode has a data abort of its own. */
static u32 guest(const char *vectors, int faulty)
{
	static u32 regs[13];
	u32 ret;

	write(vectors, "4, %0, c12, c0, 0");
	isb();
	guest_regs = regs;
	board_cpu[CPU_VCPU / 4] = (u32)guest_vcpu;
	board_cpu[CPU_SERROR / 4] = 0;
	board_cpu[CPU_PANIC_VECTOR / 4] = ~0u;
	panics = 0;
	in_trap = in_panic = spsr = ~0u;
	faults = faulty;
	ret = board_guest(regs);
	board_cpu[CPU_VCPU / 4] = 0;
	return ret;
}

static void test_trap(u32 a, const char *what)
{
	guest(hyp_vectors, 0);
	report(!panics && in_trap == a, what);
}

static void test_fault(const char *vectors, u32 a, const char *what)
{
	guest(vectors, 1);
	report(panics == 1 && in_trap == a && in_panic == a && (spsr & CPSR_A) == a &&
	       board_cpu[CPU_PANIC_VECTOR / 4] == 4 && !board_cpu[CPU_SERROR / 4], what);
}

static void test_faults(u32 a)
{
	test_fault(hyp_vectors, a, "a fault of HYP mode's in a trap is one (plain)");
	test_fault(hyp_vectors_bpiall, a, "a fault of HYP mode's in a trap is one (bpiall)");
	test_fault(hyp_vectors_iciallu, a, "a fault of HYP mode's in a trap is one (iciallu)");
	test_fault(hyp_vectors_loop8, a, "a fault of HYP mode's in a trap is one (loop8)");
}

/* The emulator brings an external abort of HYP's to HYP mode, whatever SCR.EA is. */
static void test_external(const char *what)
{
	u32 before = rom(ROM_ABORTS, 0);

	panics = 0;
	board_abort(NOTHING);	/* A is clear */
	expect(panics + rom(ROM_ABORTS, 0) - before, 1, what);
}

static void test_window(const char *what)
{
	panics = board_cpu[CPU_SERROR / 4] = 0;
	hyp_serror_take();
	report(!panics && !board_cpu[CPU_SERROR / 4], what);
}

void board_main(void)
{
	put("TAP version 13\n1..14\n");
	rom(ROM_SET_EA, 0);
	test_trap(CPSR_A, "with SCR.EA clear, a trap masks asynchronous aborts");
	test_faults(CPSR_A);
	test_external("an external abort of HYP mode's is a fault");
	test_window("the window for an asynchronous abort passes where there is none");
	rom(ROM_SET_EA, 1);
	test_trap(0, "with SCR.EA set, a trap does not");
	test_faults(0);
	test_external("an external abort of HYP mode's is the firmware's, or a fault");
	test_window("the window for an asynchronous abort passes where there is none");
	finish();
}
