// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of a CPU when its guest begins: modes, reset values, identification, on the boot CPU
 * and on every CPU that PSCI started.
 */
#include "lib.h"

static void check_entry(u32 cpu, u32 cpsr, u32 sctlr)
{
	report((cpsr & CPSR_MODE) == MODE_SVC, "cpu %u: enters in SVC mode (cpsr %x)", cpu, cpsr);
	report((cpsr & (CPSR_A | CPSR_I | CPSR_F)) == (CPSR_A | CPSR_I | CPSR_F),
	       "cpu %u: enters with A, I and F masked", cpu);
	report(!(cpsr & 0x0700fe20), "cpu %u: enters in A32 state, little-endian, no IT", cpu);
	report(!(sctlr & 0x3b000000 & ~(1u << 25)) && !(sctlr & 0x7005),
	       "cpu %u: MMU, caches, TE, EE, V off (sctlr %x)", cpu, sctlr);
	if (on_vm())
		report(sctlr == SCTLR_RESET, "cpu %u: SCTLR has its reset value (%x)", cpu, sctlr);
}

/* CPU 0 does this first, before the library changes any of it. */
static void check_cp15_reset(void)
{
	u32 count;

	report(CP15_READ(0, c2, c0, 2) == 0, "TTBCR is 0 at reset");
	report((CP15_READ(0, c1, c0, 2) & 0x00f00000) == 0 || !on_vm(),
	       "CPACR grants no access to VFP at reset (%x)", CP15_READ(0, c1, c0, 2));
	if (on_vm()) {
		trap_begin();
		asm volatile(".fpu neon\n\tvmov.f64 d0, #1.0" ::: "memory");
		count = trap_end();
		report(count == 1 && trap[0].vec == VEC_UND,
		       "VFP is undefined until CPACR grants it");
		CP15_WRITE(0, c1, c0, 2, 0x00f00000);
		isb();
		trap_begin();
		asm volatile(".fpu neon\n\tvmov.f64 d0, #1.0" ::: "memory");
		count = trap_end();
		report(count == 1 && trap[0].vec == VEC_UND,
		       "VFP is undefined until FPEXC.EN is set");
		CP15_WRITE(0, c1, c0, 2, 0);
		isb();
	}
}

static void check_r0_12(void)
{
	bool zero = true;

	if (!on_vm())
		return;
	for (u32 i = 0; i < 15; i++)
		zero &= !entry_regs[i];
	report(zero, "r0-r14 are zero at the first entry");
}

static u32 id_midr[GUEST_MAX_CPUS], id_mpidr[GUEST_MAX_CPUS], id_actlr[GUEST_MAX_CPUS];
static u32 id_ctr[GUEST_MAX_CPUS], id_frq[GUEST_MAX_CPUS];

static void read_ids(u32 cpu)
{
	id_midr[cpu] = CP15_READ(0, c0, c0, 0);
	id_mpidr[cpu] = CP15_READ(0, c0, c0, 5);
	id_ctr[cpu] = CP15_READ(0, c0, c0, 1);
	id_actlr[cpu] = CP15_READ(0, c1, c0, 1);
	id_frq[cpu] = cntfrq();
}

static void check_ids(void)
{
	u32 part = id_midr[0] >> 4 & 0xfff, n = nr_cpus();

	report(id_midr[0] >> 24 == 0x41 && (id_midr[0] >> 16 & 15) == 15 &&
	       (part == 0xc0f || part == 0xc07 || part == 0xc0d || part == 0xc0e),
	       "MIDR names a Cortex-A7, A12, A15 or A17 (%x)", id_midr[0]);
	for (u32 i = 0; i < n; i++) {
		report(id_mpidr[i] >> 31 == 1 && !(id_mpidr[i] >> 30 & 1 && n > 1),
		       "cpu %u: MPIDR has the multiprocessing format, U clear", i);
		report((id_mpidr[i] & 0xffffff) == cpu_mpidr(i),
		       "cpu %u: MPIDR affinity is %x (is %x)", i, cpu_mpidr(i),
		       id_mpidr[i] & 0xffffff);
		report(id_midr[i] == id_midr[0] && id_ctr[i] == id_ctr[0] && id_frq[i] == id_frq[0],
		       "cpu %u: MIDR, CTR and CNTFRQ are CPU 0's", i);
		if (on_vm()) {
			report((id_actlr[i] >> 6 & 1) == (n > 1),
			       "cpu %u: ACTLR.SMP tells whether there are several (%x)", i,
			       id_actlr[i]);
		}
	}
	report(id_frq[0] >= 1000000, "CNTFRQ is set (%u)", id_frq[0]);
	report((CP15_READ(0, c0, c1, 4) & 15) == 5, "ID_MMFR0 tells of LPAE");
	report((CP15_READ(0, c0, c1, 0) & 0xfff) == 0x131, "ID_PFR0 tells of ARM, Thumb-2, Jazelle");
	report((CP15_READ(0, c0, c1, 1) >> 16 & 15) == 1, "ID_PFR1 tells of the generic timer");
	report((CP15_READ(0, c0, c2, 0) >> 24 & 15) == 2, "ID_ISAR0 tells of SDIV and UDIV");
}

/* CSSELR belongs to the vCPU, and CCSIDR follows it (DDI 0406C B4.1.19). */
static void check_caches(u32 cpu)
{
	u32 clidr = CP15_READ(1, c0, c0, 1), l1d, l1i;

	CP15_WRITE(2, c0, c0, 0, 0);
	isb();
	l1d = CP15_READ(1, c0, c0, 0);
	CP15_WRITE(2, c0, c0, 0, 1);
	isb();
	l1i = CP15_READ(1, c0, c0, 0);
	report((clidr & 7) == 3, "cpu %u: CLIDR tells of separate caches at level 1", cpu);
	report((l1d & 7) == 2 && (l1d >> 13 & 0x7fff), "cpu %u: CCSIDR of the data cache (%x)", cpu,
	       l1d);
	report((l1i >> 13 & 0x7fff) && CP15_READ(2, c0, c0, 0) == 1,
	       "cpu %u: CCSIDR of the instruction cache (%x)", cpu, l1i);
	if (on_vm())
		hvc(PSCI_VERSION, 0, 0, 0);
	report(CP15_READ(2, c0, c0, 0) == 1, "cpu %u: CSSELR stays over an exit", cpu);
}

/* ThumbEE, Jazelle and FCSE are absent or have no effect, and the guest goes on. */
static void check_absent(void)
{
	trap_begin();
	(void)CP15_READ(4, c1, c1, 0);		/* HCR */
	report(trap_end() == 1, "reading HCR from PL1 is undefined");
	trap_begin();
	(void)CP15_READ64(6, c2);		/* VTTBR */
	report(trap_end() == 1, "reading VTTBR from PL1 is undefined");
	trap_begin();
	CP15_WRITE(4, c12, c0, 0, 0);		/* HVBAR */
	report(trap_end() == 1, "writing HVBAR from PL1 is undefined");
	trap_begin();
	CP15_WRITE(4, c8, c7, 4, 0);		/* TLBIALLNSNH */
	report(trap_end() == 1, "TLBIALLNSNH from PL1 is undefined");
	trap_begin();
	CP15_WRITE64(4, c14, 1ull << 40);	/* CNTVOFF */
	report(trap_end() == 1, "writing CNTVOFF from PL1 is undefined");
	if (on_vm()) {
		trap_begin();
		(void)CP15_READ(0, c1, c1, 0);	/* SCR */
		report(trap_end() == 1, "reading SCR from the non-secure world is undefined");
	}
	trap_begin();
	asm volatile("mrs r0, elr_hyp" ::: "r0");
	report(trap_end() == 1, "reading ELR_hyp from PL1 is undefined");
	trap_begin();
	asm volatile(".word 0xe7f000f0" ::: "memory");	/* UDF (DDI 0406C A8.8.247) */
	report(trap_end() == 1, "UDF is undefined");
}

static void check_modes(void)
{
	static const u8 mode[] = { MODE_SYS, MODE_FIQ, MODE_IRQ, MODE_ABT, MODE_UND, MODE_SVC };
	u32 was, now;

	for (u32 i = 0; i < ARRAY_SIZE(mode); i++) {
		asm volatile("mrs %0, cpsr\n\t"
			     "bic r3, %0, #0x1f\n\t"
			     "orr r3, r3, %2\n\t"
			     "msr cpsr_c, r3\n\t"
			     "isb\n\t"
			     "mrs r3, cpsr\n\t"
			     "msr cpsr_c, %0\n\t"
			     "isb\n\t"
			     "mov %1, r3"
			     : "=&r"(was), "=&r"(now) : "r"((u32)mode[i]) : "r3", "memory");
		report((now & CPSR_MODE) == mode[i], "mode %x can be entered and left", mode[i]);
	}
}

void guest_main(void)
{
	check_r0_12();
	check_entry(0, entry_regs[15], entry_regs[16]);
	check_cp15_reset();
	mmu_on();
	smp_start();
	for (u32 i = 1; i < nr_cpus(); i++)
		check_entry(i, cpu_boot[i].cpsr, cpu_boot[i].sctlr);
	smp_run(read_ids);
	check_ids();
	smp_run(check_caches);
	check_modes();
	check_absent();
	guest_exit();
}
