// SPDX-License-Identifier: GPL-2.0-only
/*
 * A trapped instruction whose condition fails does nothing, and one that is
 * skipped moves the PC by its size and the IT state by one (DDI 0406C
 * A2.5.2, B3.13.6; docs/hazards.md 14 and 16).
 */
#include "lib.h"

#define SCRATCH	(DEV_BASE + DEV_SCRATCH)

/*
 * One A32 instruction with a condition that the flags pass or fail: with Z set, eq passes and ne
 * fails. r0 counts the instructions after it.
 */
#define A32(name, insn)								\
u32 name(u32 z, u32 addr);							\
asm(".syntax unified\n\t.arch_extension virt\n\t.arch_extension sec\n\t"	\
	".text\n\t.arm\n\t.global " #name "\n" #name ":\n\t"			\
	"push {r4-r7, lr}\n\tmov r4, r0\n\tmov r5, r1\n\tmov r6, #0\n\t"	\
	"ldr r0, =0x84000063\n\tmov r7, #0x11\n\tcmp r4, #1\n\t"		\
	insn "\n\tadd r6, r6, #1\n\tadd r6, r6, #2\n\t"				\
	"cmp r0, #-1\n\torreq r6, r6, #0x100\n\tcmp r7, #0x11\n\t"		\
	"orrne r6, r6, #0x200\n\tmov r0, r6\n\tpop {r4-r7, pc}\n\t.ltorg\n")

/* HVC has no condition in A32: use a branch around it. */
A32(a_smceq, "smceq #0");
A32(a_mrceq, "mrceq p15, 0, r7, c1, c0, 1");
A32(a_ldreq, "ldreq r7, [r5]");
A32(a_streq, "streq r4, [r5]");
A32(a_wfieq, "wfieq");
A32(a_wfeeq, "wfeeq");
A32(a_mcreq, "mcreq p15, 0, r7, c7, c14, 2");

/* Thumb: an IT block of four, of which the second and fourth trap. */
#define T32(name, insn)								\
u32 name(u32 z, u32 addr);							\
asm(".syntax unified\n\t.arch_extension virt\n\t.arch_extension sec\n\t"	\
	".text\n\t.thumb\n\t.thumb_func\n\t.global " #name "\n\t"		\
	".type " #name ", %function\n" #name ":\n\t"				\
	"push {r4-r7, lr}\n\tmov r4, r0\n\tmov r5, r1\n\tmovs r6, #0\n\t"	\
	"mov r7, #0x11\n\tcmp r4, #1\n\t"					\
	"itete eq\n\t"								\
	"addeq r6, #1\n\t"							\
	insn "\n\t"								\
	"addeq r6, #4\n\t"							\
	"addne r6, #8\n\t"							\
	"adds r6, #16\n\tcmp r7, #0x11\n\tit ne\n\torrne r6, r6, #0x200\n\t"	\
	"mov r0, r6\n\tpop {r4-r7, pc}\n\t.arm\n")

T32(t_ldr16, "ldrne r7, [r5]");
T32(t_ldr32, "ldrne.w r7, [r5]");
T32(t_str16, "strne r4, [r5]");
T32(t_str32, "strne.w r4, [r5]");
T32(t_mrc, "mrcne p15, 0, r7, c1, c0, 1");
T32(t_wfi, "wfine");
T32(t_wfe, "wfene.w");
T32(t_ldrb, "ldrbne r7, [r5]");

/* hvc in an IT block is UNPREDICTABLE, but smc may be its last instruction. */
u32 t_smc(u32 z, u32 addr);
asm(".syntax unified\n\t.arch_extension sec\n\t.text\n\t.thumb\n\t.thumb_func\n\t"
	".global t_smc\n\t.type t_smc, %function\nt_smc:\n\t"
	"push {r4-r7, lr}\n\tmov r4, r0\n\tmovs r6, #0\n\tmov r7, #0\n\t"
	"movw r0, #0x63\n\tmovt r0, #0x8400\n\tcmp r4, #1\n\t"
	"itt ne\n\taddne r6, #1\n\tsmcne #0\n\t"
	"adds r6, #16\n\tcmp r0, #-1\n\tit eq\n\torreq r6, r6, #0x100\n\t"
	"mov r0, r6\n\tpop {r4-r7, pc}\n\t.arm\n");

static void check_a32(void)
{
	static const struct { const char *name; u32 (*fn)(u32, u32); u32 effect; } t[] = {
		{ "SMC", a_smceq, 0x100 }, { "MRC", a_mrceq, 0x200 }, { "LDR", a_ldreq, 0x200 },
		{ "STR", a_streq, 0 }, { "WFI", a_wfieq, 0 }, { "WFE", a_wfeeq, 0 },
		{ "DCCISW", a_mcreq, 0 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(t); i++) {
		u32 pass, fail, n;

		w32(SCRATCH, 0x5a5a5a5a);
		w32(DEV_BASE + DEV_ACCESSES, 0);
		fail = t[i].fn(2, SCRATCH);
		n = r32(DEV_BASE + DEV_ACCESSES);
		report(fail == 3 && !n, "A32 %s with a failed condition does nothing (%x, %u)",
		       t[i].name, fail, n);
		vtimer_set(0, 1);	/* so that WFI does not wait */
		pass = t[i].fn(1, SCRATCH);
		vtimer_set(0, 0);
		n = r32(DEV_BASE + DEV_ACCESSES);
		report(pass == (3 | t[i].effect) && n == (t[i].fn == a_ldreq || t[i].fn == a_streq),
		       "A32 %s with a passed condition acts once (%x, %u)", t[i].name, pass, n);
	}
}

static void check_t32(void)
{
	static const struct { const char *name; u32 (*fn)(u32, u32); u32 effect, accesses; } t[] = {
		{ "16-bit LDR", t_ldr16, 0x200, 1 }, { "32-bit LDR", t_ldr32, 0x200, 1 },
		{ "16-bit STR", t_str16, 0, 1 }, { "32-bit STR", t_str32, 0, 1 },
		{ "16-bit LDRB", t_ldrb, 0x200, 1 },
		{ "MRC", t_mrc, 0x200, 0 }, { "WFI", t_wfi, 0, 0 }, { "WFE", t_wfe, 0, 0 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(t); i++) {
		u32 pass, fail, n;

		w32(SCRATCH, 0x5a5a5a5a);
		w32(DEV_BASE + DEV_ACCESSES, 0);
		fail = t[i].fn(1, SCRATCH);
		n = r32(DEV_BASE + DEV_ACCESSES);
		report(fail == (16 | 4 | 1) && !n,
		       "T32 %s in an IT block, condition failed: nothing, and the block goes on (%x)",
		       t[i].name, fail);
		vtimer_set(0, 1);
		pass = t[i].fn(2, SCRATCH);
		vtimer_set(0, 0);
		n = r32(DEV_BASE + DEV_ACCESSES);
		report(pass == (16 | 8 | t[i].effect) && n == t[i].accesses,
		       "T32 %s in an IT block, condition passed: once, and the block goes on (%x, %u)",
		       t[i].name, pass, n);
	}
	report(t_smc(2, 0) == (16 | 1 | 0x100), "T32 SMC as the last of an IT block (%x)", t_smc(2, 0));
	report(t_smc(1, 0) == 16, "T32 SMC in an IT block that fails (%x)", t_smc(1, 0));
}

/* An undefined instruction that the hypervisor refuses, in an IT block. */
u32 t_undef(u32 z);
asm(".syntax unified\n\t.text\n\t.thumb\n\t.thumb_func\n\t.global t_undef\n\t"
	".type t_undef, %function\nt_undef:\n\t"
	"push {r4-r7, lr}\n\tmovs r6, #0\n\tcmp r0, #1\n\t"
	"ittt eq\n\taddeq r6, #1\n\tmrceq p15, 4, r7, c1, c1, 0\n\taddeq r6, #2\n\t"
	"adds r6, #16\n\tmov r0, r6\n\tpop {r4-r7, pc}\n\t.arm\n");

static void check_undef(void)
{
	u32 r, n;

	trap_begin();
	r = t_undef(2);
	n = trap_end();
	report(!n && r == 16, "a refused access whose condition fails is no exception (%x)", r);
	trap_begin();
	r = t_undef(1);
	n = trap_end();
	report(n == 1 && trap[0].vec == VEC_UND, "a refused access in an IT block is undefined");
	report(trap[0].cpsr >> 5 & 1, "SPSR_und tells of Thumb state (%x)", trap[0].cpsr);
	/* ITSTATE of "ittt eq" at its second instruction: mask 0010, moved on once. */
	report(((trap[0].cpsr >> 8 & 0xfc) | (trap[0].cpsr >> 25 & 3)) == 0x04,
	       "SPSR_und holds the IT state of the instruction (%x)", trap[0].cpsr);
	report(r == (16 | 1 | 2), "and the block goes on after it (%x)", r);
}

void guest_main(void)
{
	mmu_on();
	gic_init_dist();
	gic_init_cpu();
	gic_enable(IRQ_VTIMER);
	if (on_vm()) {
		check_a32();
		check_t32();
	}
	check_undef();
	guest_exit();
}
