// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/arch/exception.c driver/core/exception_entry.c
// cflags: -Itests/unit/fake -Iinclude/uapi -fno-strict-aliasing -Idriver
//
// Exceptions into a guest, banked registers, skipped instructions, conditions:
// DDI 0406C B1.3, B1.8, B1.9, A2.5.2, A8.3.
#include "arch/archregs.h"
#include "arch/exception.h"
#include "hyp/hyp.h"
#include "core/exception_entry.h"
#include "ktap.h"

static struct hyp_vcpu hyp;

#define CPSR	(*(u32 *)&hyp.regs.usr_regs.uregs[16])
#define PC	(*(u32 *)&hyp.regs.usr_regs.uregs[15])

static void reset(u32 cpsr, u32 pc)
{
	memset(&hyp, 0, sizeof(hyp));
	CPSR = cpsr;
	PC = pc;
	hyp.cp15[CP15_VBAR] = 0x60000000;
}

static void test_banks(void)
{
	static const u32 modes[] = { CPSR_M_USR, CPSR_M_SYS, CPSR_M_SVC, CPSR_M_ABT, CPSR_M_UND,
				     CPSR_M_IRQ, CPSR_M_FIQ };
	void *r[7][16];

	for (int m = 0; m < 7; m++) {
		reset(modes[m], 0);
		for (int n = 0; n < 16; n++)
			r[m][n] = armvmm_exception_reg(&hyp.regs, n);
	}
	for (int n = 0; n < 16; n++) {
		KTAP_TRUE(r[0][n] == r[1][n]);
		KTAP_TRUE(r[0][n] == &hyp.regs.usr_regs.uregs[n]);
		for (int m = 2; m < 7; m++) {
			bool banked = n == 13 || n == 14 || (m == 6 && n >= 8 && n <= 12);

			for (int other = 0; other < m; other++)
				if ((r[m][n] != r[other][n]) != banked)
					KTAP_FAIL("R%d of modes %d and %d", n, m, other);
		}
	}
	KTAP_TRUE(r[6][8] == &hyp.regs.fiq_regs[0]);
	KTAP_TRUE(r[6][14] == &hyp.regs.fiq_regs[6]);
	KTAP_TRUE(r[2][13] == &hyp.regs.svc_regs[0]);
	KTAP_TRUE(r[5][14] == &hyp.regs.irq_regs[1]);
}

static void test_spsr(void)
{
	static const struct {
		u32 mode;
		void *where;
	} want[] = {
		{ CPSR_M_USR, NULL },
		{ CPSR_M_SYS, NULL },
		{ CPSR_M_SVC, &hyp.regs.svc_regs[2] },
		{ CPSR_M_ABT, &hyp.regs.abt_regs[2] },
		{ CPSR_M_UND, &hyp.regs.und_regs[2] },
		{ CPSR_M_IRQ, &hyp.regs.irq_regs[2] },
		{ CPSR_M_FIQ, &hyp.regs.fiq_regs[7] },
	};

	for (size_t i = 0; i < 7; i++) {
		reset(want[i].mode, 0);
		KTAP_TRUE((void *)armvmm_exception_spsr(&hyp.regs) == want[i].where);
	}
}

/* HYP (0x1a), MON (0x16) and reserved modes are not modes of a guest. */
static void test_modes(void)
{
	int valid = 0;

	for (u32 m = 0; m < 32; m++)
		valid += armvmm_exception_mode_valid(m | CPSR_I);
	KTAP_EQ(valid, 7);
	KTAP_TRUE(!armvmm_exception_mode_valid(0x1a));
	KTAP_TRUE(!armvmm_exception_mode_valid(0x16));
	KTAP_TRUE(armvmm_exception_mode_valid(CPSR_M_SYS));
}

/* Values that a client may write, but ERET must not meet; a guest's own states stay as they are. */
static void test_cpsr_state(void)
{
	const u32 a32 = CPSR_M_SVC | CPSR_N | CPSR_C | CPSR_E | CPSR_A | CPSR_I | CPSR_F |
			0x080f0000;
	const u32 t32 = a32 | CPSR_T;

	KTAP_EQ(armvmm_exception_cpsr_state(a32), a32);
	KTAP_EQ(armvmm_exception_cpsr_state(t32), t32);
	KTAP_EQ(armvmm_exception_cpsr_state(t32 | CPSR_J), t32 | CPSR_J);
	KTAP_EQ(armvmm_exception_cpsr_state(a32 | CPSR_J), a32);
	KTAP_EQ(armvmm_exception_cpsr_state(a32 | CPSR_IT), a32);
	KTAP_EQ(armvmm_exception_cpsr_state(a32 | CPSR_RES0), a32);
	/* IT[7:0] is 26:25 below 15:10. */
	for (u32 it = 0; it < 256; it++) {
		u32 bits = (it >> 2) << 10 | (it & 3) << 25;

		KTAP_EQ(armvmm_exception_cpsr_state(t32 | bits), it & 15 ? t32 | bits : t32);
	}
	KTAP_EQ(armvmm_exception_cpsr_state(~0u & ~CPSR_T), 0xf80f03dfu);
}

static void test_undef_a32(void)
{
	u32 old = CPSR_M_USR | CPSR_N | CPSR_V | CPSR_E;

	reset(old, 0x8000);
	armvmm_exception_entry_undef(&hyp);
	KTAP_EQ(PC, 0x60000004);
	KTAP_EQ((u32)hyp.regs.und_regs[1], 0x8004);
	KTAP_EQ((u32)hyp.regs.und_regs[2], old);
	/* The flags stay; EE and TE are clear; IRQs are masked, aborts and FIQs are not. */
	KTAP_EQ(CPSR, CPSR_M_UND | CPSR_N | CPSR_V | CPSR_I);
}

static void test_undef_t32(void)
{
	u32 old = CPSR_M_SVC | CPSR_T | 0x0600a400;

	reset(old, 0x8002);
	hyp.cp15[CP15_SCTLR] = SCTLR_TE | SCTLR_EE | SCTLR_V;
	armvmm_exception_entry_undef(&hyp);
	KTAP_EQ(PC, 0xffff0004);
	KTAP_EQ((u32)hyp.regs.und_regs[1], 0x8004);
	KTAP_EQ((u32)hyp.regs.und_regs[2], old);
	KTAP_EQ(CPSR, CPSR_M_UND | CPSR_I | CPSR_T | CPSR_E);
}

static void test_dabt(void)
{
	reset(CPSR_M_SVC | CPSR_F, 0x8000);
	armvmm_exception_entry_dabt(&hyp, 0x1234, true);
	KTAP_EQ(PC, 0x60000010);
	KTAP_EQ((u32)hyp.regs.abt_regs[1], 0x8008);
	KTAP_EQ((u32)hyp.regs.abt_regs[2], CPSR_M_SVC | CPSR_F);
	KTAP_EQ(CPSR, CPSR_M_ABT | CPSR_F | CPSR_I | CPSR_A);
	KTAP_EQ(hyp.cp15[CP15_DFAR], 0x1234);
	/* Synchronous external abort, short descriptors, a write */
	KTAP_EQ(hyp.cp15[CP15_DFSR], 0x808);

	reset(CPSR_M_USR | CPSR_T, 0x8002);
	hyp.cp15[CP15_TTBCR] = TTBCR_BIT_EAE;
	armvmm_exception_entry_dabt(&hyp, 0x1234, false);
	KTAP_EQ((u32)hyp.regs.abt_regs[1], 0x800a);
	KTAP_EQ(hyp.cp15[CP15_DFSR], 0x210);
}

static void test_pabt(void)
{
	reset(CPSR_M_IRQ, 0x8000);
	armvmm_exception_entry_pabt(&hyp, 0x8000);
	KTAP_EQ(PC, 0x6000000c);
	KTAP_EQ((u32)hyp.regs.abt_regs[1], 0x8004);
	KTAP_EQ((u32)hyp.regs.abt_regs[2], CPSR_M_IRQ);
	KTAP_EQ(hyp.cp15[CP15_IFAR], 0x8000);
	KTAP_EQ(hyp.cp15[CP15_IFSR], 0x008);
	KTAP_EQ(hyp.cp15[CP15_DFSR], 0);

	reset(CPSR_M_IRQ, 0x8000);
	hyp.cp15[CP15_TTBCR] = TTBCR_BIT_EAE;
	armvmm_exception_entry_pabt(&hyp, 0x8000);
	KTAP_EQ(hyp.cp15[CP15_IFSR], 0x210);
}

static u32 cpsr_it(u32 it)
{
	return CPSR_M_SVC | CPSR_T | (it >> 2) << 10 | (it & 3) << 25;
}

static void test_skip(void)
{
	reset(CPSR_M_SVC, 0x8000);
	armvmm_exception_skip(&hyp.regs, 4);
	KTAP_EQ(PC, 0x8004);
	KTAP_EQ(CPSR, CPSR_M_SVC);

	/* ITTEE EQ: 0x07 with bits by then and else; four instructions, then none. */
	reset(cpsr_it(0x07), 0x8000);
	armvmm_exception_skip(&hyp.regs, 2);
	KTAP_EQ(PC, 0x8002);
	KTAP_EQ(CPSR, cpsr_it(0x0e));
	armvmm_exception_skip(&hyp.regs, 4);
	KTAP_EQ(PC, 0x8006);
	KTAP_EQ(CPSR, cpsr_it(0x1c));
	armvmm_exception_skip(&hyp.regs, 2);
	KTAP_EQ(CPSR, cpsr_it(0x18));
	armvmm_exception_skip(&hyp.regs, 2);
	KTAP_EQ(CPSR, cpsr_it(0));

	/* The lowest bit of the condition is shifted out of its place (A2.5.2). */
	reset(cpsr_it(0x14), 0);
	armvmm_exception_skip(&hyp.regs, 2);
	KTAP_EQ(CPSR, cpsr_it(0x08));

	/* The upper condition bits stay as they are. */
	reset(cpsr_it(0xe1), 0);
	armvmm_exception_skip(&hyp.regs, 2);
	KTAP_EQ(CPSR, cpsr_it(0xe2));
}

/* A8.3.1, written in another way. */
static bool cond_reference(unsigned int cond, bool n, bool z, bool c, bool v)
{
	switch (cond) {
	case 0: return z;
	case 1: return !z;
	case 2: return c;
	case 3: return !c;
	case 4: return n;
	case 5: return !n;
	case 6: return v;
	case 7: return !v;
	case 8: return c && !z;
	case 9: return !c || z;
	case 10: return n == v;
	case 11: return n != v;
	case 12: return !z && n == v;
	case 13: return z || n != v;
	default: return true;
	}
}

static void test_conditions(void)
{
	for (u32 flags = 0; flags < 16; flags++)
		for (unsigned int cond = 0; cond < 16; cond++)
			if (armvmm_exception_cond_holds(cond, flags << 28) !=
			    cond_reference(cond, flags & 8, flags & 4, flags & 2, flags & 1))
				KTAP_FAIL("condition %u, flags %x", cond, flags);
}

static void test_trap_condition(void)
{
	u32 mrc = 3u << 26;

	/* CV: the condition of an A32 instruction */
	reset(CPSR_M_SVC | CPSR_Z, 0);
	KTAP_TRUE(armvmm_exception_condition(&hyp.regs, mrc | HSR_CV | 0 << 20));
	KTAP_TRUE(!armvmm_exception_condition(&hyp.regs, mrc | HSR_CV | 1 << 20));

	/* No CV: that of the IT block, if there is one */
	reset(cpsr_it(0x04), 0);
	KTAP_TRUE(!armvmm_exception_condition(&hyp.regs, mrc));
	CPSR |= CPSR_Z;
	KTAP_TRUE(armvmm_exception_condition(&hyp.regs, mrc));
	reset(cpsr_it(0), 0);
	KTAP_TRUE(armvmm_exception_condition(&hyp.regs, mrc));
	for (u32 cond = 0; cond < 15; cond++)
		for (u32 flags = 0; flags < 16; flags++) {
			reset(cpsr_it(cond << 4 | 8) | flags << 28, 0);
			KTAP_EQ(armvmm_exception_condition(&hyp.regs, mrc),
				cond_reference(cond, flags & 8, flags & 4, flags & 2, flags & 1));
		}

	/* Aborts, HVC and SMC were executed: bits 24:20 have another meaning there. */
	reset(CPSR_M_SVC, 0);
	KTAP_TRUE(armvmm_exception_condition(&hyp.regs, (u32)HSR_EC_DABT << 26 | HSR_CV | 0));
	KTAP_TRUE(armvmm_exception_condition(&hyp.regs, (u32)HSR_EC_HVC << 26 | HSR_CV | 0));
}

/* Debug events: their own status, in either format; IFAR is UNKNOWN and stays. */
static void test_debug(void)
{
	reset(CPSR_M_USR, 0x8000);
	hyp.cp15[CP15_IFAR] = 0x1234;
	armvmm_exception_entry_debug_pabt(&hyp);
	KTAP_EQ(PC, 0x6000000c);
	KTAP_EQ(CPSR & CPSR_M_MASK, CPSR_M_ABT);
	KTAP_EQ(*(u32 *)&hyp.regs.abt_regs[1], 0x8004);
	KTAP_EQ(*(u32 *)&hyp.regs.abt_regs[2], CPSR_M_USR);
	KTAP_EQ(hyp.cp15[CP15_IFSR], 0x002);
	KTAP_EQ(hyp.cp15[CP15_IFAR], 0x1234);
	reset(CPSR_M_SVC, 0x8000);
	hyp.cp15[CP15_TTBCR] = TTBCR_BIT_EAE;
	armvmm_exception_entry_debug_pabt(&hyp);
	KTAP_EQ(hyp.cp15[CP15_IFSR], 0x222);

	reset(CPSR_M_SVC, 0x8000);
	armvmm_exception_entry_debug_dabt(&hyp, 0x5678, DFSR_WNR);
	KTAP_EQ(PC, 0x60000010);
	KTAP_EQ(*(u32 *)&hyp.regs.abt_regs[1], 0x8008);
	KTAP_EQ(hyp.cp15[CP15_DFAR], 0x5678);
	KTAP_EQ(hyp.cp15[CP15_DFSR], 0x802);
	reset(CPSR_M_SVC, 0x8000);
	hyp.cp15[CP15_TTBCR] = TTBCR_BIT_EAE;
	armvmm_exception_entry_debug_dabt(&hyp, 0x5678, DFSR_CM);
	KTAP_EQ(hyp.cp15[CP15_DFSR], 0x2222);
}

KTAP_MAIN(KTAP_CASE(test_banks), KTAP_CASE(test_spsr), KTAP_CASE(test_modes),
	  KTAP_CASE(test_cpsr_state),
	  KTAP_CASE(test_undef_a32), KTAP_CASE(test_undef_t32), KTAP_CASE(test_dabt),
	  KTAP_CASE(test_pabt), KTAP_CASE(test_skip), KTAP_CASE(test_conditions),
	  KTAP_CASE(test_trap_condition), KTAP_CASE(test_debug))
