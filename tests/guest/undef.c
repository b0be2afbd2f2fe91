// SPDX-License-Identifier: GPL-2.0-only
/*
 * Coprocessor accesses that a guest has no use for: none does harm, each is either defined or
 * undefined every time, and the guest goes on (docs/hazards.md 19: the host's log does not fill
 * either).
 */
#include "lib.h"

/* An MRC or MCR of any coprocessor register, written into memory and executed there. */
static u32 stub[4] __attribute__((aligned(64)));

static u32 run_insn(u32 insn, u32 val, u32 *traps)
{
	u32 v;

	stub[0] = insn;
	stub[1] = 0xe12fff1e;	/* bx lr */
	cache_clean_inval(stub, sizeof(stub));
	CP15_WRITE(0, c7, c5, 0, 0);
	CP15_WRITE(0, c7, c5, 6, 0);
	dsb();
	isb();
	trap_begin();
	v = ((u32 (*)(u32))stub)(val);
	*traps = trap_end();
	return v;
}

static u32 mrc_insn(u32 cp, u32 op1, u32 crn, u32 crm, u32 op2)
{
	return 0xee100010 | op1 << 21 | crn << 16 | cp << 8 | op2 << 5 | crm;
}

/* Registers that are harmless to read are read twice: the results must agree. */
static void sweep_reads(u32 cp, u32 crn_first, u32 crn_last)
{
	u32 odd = 0, refused = 0, read = 0;

	for (u32 crn = crn_first; crn <= crn_last; crn++) {
		/* c7 and c8 are operations, c14 counts. */
		if (cp == 15 && (crn == 7 || crn == 8 || crn == 14))
			continue;
		for (u32 crm = 0; crm < 16; crm++)
			for (u32 op1 = 0; op1 < 8; op1++)
				for (u32 op2 = 0; op2 < 8; op2++) {
					u32 t1, t2, a, b;
					u32 insn = mrc_insn(cp, op1, crn, crm, op2);

					a = run_insn(insn, 0, &t1);
					if (op2 & 1 && crm & 1) {
						b = run_insn(insn, 0, &t2);
						if (t1 != t2 || (!t1 && a != b)) {
							odd++;
							note("cp%u %u c%u c%u %u: %x %x", cp, op1, crn,
							     crm, op2, a, b);
						}
					}
					refused += t1;
					read += !t1;
				}
	}
	report(!odd, "cp%u c%u-c%u: %u registers read, %u are undefined, each always", cp,
	       crn_first, crn_last, read, refused);
}

static void check_pmu(void)
{
	u32 t, v;

	if (!on_vm())
		return;
	v = run_insn(mrc_insn(15, 0, 9, 12, 0), 0, &t);
	report(t || !(v & 1), "PMCR is undefined or says that nothing counts (%x)", v);
	/* PMCR.E, P and C; PMCNTENSET of the cycle counter. */
	run_insn(0xee090f1c, 7, &t);
	run_insn(0xee090f3c, 0x80000000, &t);
	v = run_insn(mrc_insn(15, 0, 9, 13, 0), 0, &t);
	delay_us(10);
	report(t || v == run_insn(mrc_insn(15, 0, 9, 13, 0), 0, &t) || t,
	       "PMCCNTR does not show the host's counter");
}

/* A prefetch abort returns to LR, so BKPT is in a function of its own. */
void bkpt_call(void);
asm(".text\n\t.arm\n\t.global bkpt_call\nbkpt_call:\n\tbkpt #0\n\tbx lr\n");

static void check_debug(void)
{
	u32 t, v;

	if (!on_vm())
		return;
	/* DBGBVR0, DBGBCR0: a breakpoint of the guest must not become the host's. */
	run_insn(0xee000e90, 0x40010000, &t);
	run_insn(0xee000eb0, 0x1e7, &t);
	v = run_insn(mrc_insn(14, 0, 0, 0, 4), 0, &t);
	report(t || v == 0 || v == 0x40010000, "DBGBVR0 is undefined, zero or the guest's (%x)", v);
	run_insn(0xee000eb0, 0, &t);
	/* DBGOSLAR, DBGPRCR: debug over power-down and power requests. */
	run_insn(0xee010e90, 0xc5acce55, &t);
	run_insn(mrc_insn(14, 0, 1, 1, 4), 0, &t);
	run_insn(0xee010e94, 1, &t);
	trap_begin();
	bkpt_call();
	v = trap_end();
	report(v == 1 && trap[0].vec == VEC_PABT, "BKPT is the guest's own prefetch abort (%u)", v);
}

static void check_writes(void)
{
	u32 t, insn, lived = 0;

	/* Writes to unallocated registers: no effect but an exception. */
	for (u32 op1 = 0; op1 < 8; op1++)
		for (u32 crm = 0; crm < 16; crm++) {
			insn = 0xee0f0f10 | op1 << 21 | crm | 7 << 5;	/* c15 */
			run_insn(insn, 0xffffffff, &t);
			lived++;
			insn = 0xee0b0f10 | op1 << 21 | crm;		/* c11: TCM, DMA */
			run_insn(insn, 0xffffffff, &t);
			lived++;
		}
	report(lived == 256, "256 writes to unallocated registers harm nothing");
	/* L2CTLR, ACTLR and the like keep the host's value. */
	t = CP15_READ(0, c1, c0, 1);
	run_insn(0xee010f30, ~t, &insn);		/* ACTLR */
	report(!on_vm() || CP15_READ(0, c1, c0, 1) == t, "ACTLR does not change (%x)",
	       CP15_READ(0, c1, c0, 1));
	if (on_vm())
		CP15_WRITE(0, c1, c0, 1, t);
	/* LDC, STC, CDP and 64-bit accesses of coprocessors 14 and 15. */
	run_insn(0xec900e00 | 5 << 12, (u32)stub, &t);	/* LDC p14, c5, [r0] */
	run_insn(0xec800e00 | 5 << 12, (u32)&stub[3], &t);
	run_insn(0xee000e00, 0, &t);
	run_insn(0xec510e01, 0, &t);			/* MRRC p14, 0, r0, r1, c1 */
	run_insn(0xec410f0f, 0, &t);			/* MCRR p15, 0, r0, r1, c15 */
	run_insn(0xee000a10, 0, &t);			/* VMOV s0 with FP off */
	report(t == 1, "VFP with CPACR closed is undefined");
	run_insn(0xee800510, 0, &t);			/* cp5: there is none */
	report(t == 1, "a coprocessor that does not exist is undefined");
}

static void check_hyp_only(void)
{
	static const u32 insns[] = {
		0xe12ef300,	/* MSR ELR_hyp, r0 */
		0xe16ef300,	/* MSR SPSR_hyp, r0 */
	};

	for (u32 i = 0; i < ARRAY_SIZE(insns); i++) {
		u32 t;

		run_insn(insns[i], 0, &t);
		report(t == 1, "instruction %08x is no way into HYP (%u)", insns[i], t);
	}
}

void guest_main(void)
{
	mmu_on();
	gic_init_dist();
	/* Some reads of c15 stop the emulator of a bare board; a VM must survive all. */
	if (on_vm()) {
		sweep_reads(15, 0, 6);
		sweep_reads(15, 9, 13);
		sweep_reads(15, 15, 15);
		sweep_reads(14, 0, 15);
		sweep_reads(10, 8, 15);
	}
	check_pmu();
	check_debug();
	check_writes();
	if (on_vm())
		check_hyp_only();
	guest_exit();
}
