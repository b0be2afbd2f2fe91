// SPDX-License-Identifier: GPL-2.0-only
/*
 * d0-d31, FPSCR and FPEXC belong to the vCPU: they keep their values over exits, and when other
 * vCPUs or the host use the same registers (docs/hazards.md 23). The registers are switched on
 * first use, so the guest also leaves them unused for a while.
 */
#include "lib.h"

static u64 in[GUEST_MAX_CPUS][32], out[GUEST_MAX_CPUS][32];

static void fp_enable(u32 cpu)
{
	(void)cpu;
	CP15_WRITE(0, c1, c0, 2, CP15_READ(0, c1, c0, 2) | 0x00f00000);
	isb();
	asm volatile(".fpu neon\n\tvmsr fpexc, %0" :: "r"(1u << 30));
}

static void fp_load(const u64 *v, u32 fpscr)
{
	asm volatile(".fpu neon\n\tvldm %0!, {d0-d15}\n\tvldm %0, {d16-d31}\n\tvmsr fpscr, %1"
		     : "+r"(v) : "r"(fpscr) : "memory");
}

static u32 fp_store(u64 *v)
{
	u32 fpscr;

	asm volatile(".fpu neon\n\tvstm %0!, {d0-d15}\n\tvstm %0, {d16-d31}\n\tvmrs %1, fpscr"
		     : "+r"(v), "=r"(fpscr) :: "memory");
	return fpscr;
}

static void leave(u32 how, u32 cpu)
{
	switch (how % 7) {
	case 0:
		hvc(PSCI_VERSION, 0, 0, 0);
		break;
	case 1:
		(void)r32(GICD_ISENABLER);
		break;
	case 2:
		if (on_vm())
			(void)r32(DEV_BASE + DEV_COUNTER);
		break;
	case 3:
		irq_off();
		vtimer_set(cntvct() + us_to_ticks(300), 1);
		wfi();
		vtimer_set(0, 0);
		break;
	case 4:
		if (on_vm())
			w32(DEV_BASE + DEV_SLEEP, 1000);
		break;
	case 5:
		delay_us(on_vm() ? 5000 : 100);
		break;
	case 6:
		if (on_vm() && !cpu)
			w32(DEV_BASE + DEV_ROUNDTRIP, 1);
		break;
	}
}

static u32 lost_regs[GUEST_MAX_CPUS], lost_fpscr[GUEST_MAX_CPUS], lost_fpexc[GUEST_MAX_CPUS];

static void keep(u32 cpu)
{
	gic_init_cpu();
	gic_enable(IRQ_VTIMER);
	fp_enable(cpu);
	for (u32 round = 0; round < 70; round++) {
		/* Rounding mode, flags, flush-to-zero, default NaN, stride 0. */
		u32 fpscr = ((round * 0x9e3779b9u) & 0xf3c0009fu) | cpu % 4 << 22, got, fpexc;

		for (u32 i = 0; i < 32; i++)
			in[cpu][i] = (u64)(cpu * 1000 + round) << 40 | (u64)i << 32 |
				     (round * 2654435761u ^ i);
		fp_load(in[cpu], fpscr);
		leave(round, cpu);
		got = fp_store(out[cpu]);
		for (u32 i = 0; i < 32; i++)
			lost_regs[cpu] += in[cpu][i] != out[cpu][i];
		lost_fpscr[cpu] += got != fpscr;
		asm volatile(".fpu neon\n\tvmrs %0, fpexc" : "=r"(fpexc));
		lost_fpexc[cpu] += !(fpexc >> 30 & 1);
		/* Disable and enable FP: the registers still have their values. */
		asm volatile(".fpu neon\n\tvmsr fpexc, %0" :: "r"(0));
		leave(round + 1, cpu);
		trap_begin();
		asm volatile(".fpu neon\n\tvmov.f64 d5, #1.0");
		if (trap_end() != 1)
			lost_fpexc[cpu] += 1000;
		asm volatile(".fpu neon\n\tvmsr fpexc, %0" :: "r"(1u << 30));
		fp_store(out[cpu]);
		for (u32 i = 0; i < 32; i++)
			lost_regs[cpu] += in[cpu][i] != out[cpu][i];
	}
}

/* Sums 1.0 with exits between the additions; the operands stay in d8 and d9. */
static void arithmetic(u32 cpu)
{
	u64 sum;

	asm volatile(".fpu neon\n\tvmov.f64 d9, #1.0\n\tvsub.f64 d8, d9, d9");
	for (u32 i = 0; i < 200; i++) {
		asm volatile(".fpu neon\n\tvadd.f64 d8, d8, d9");
		if (!(i % 10))
			leave(i / 10 % 3, cpu);
	}
	asm volatile(".fpu neon\n\tvmov %Q0, %R0, d8" : "=r"(sum));
	report(sum == 0x4069000000000000ull, "cpu %u: 200 additions give 200", cpu);
}

void guest_main(void)
{
	u32 mvfr0, mvfr1, fpsid;

	mmu_on();
	gic_init_dist();
	smp_start();
	fp_enable(0);
	asm volatile(".fpu neon\n\tvmrs %0, mvfr0\n\tvmrs %1, mvfr1\n\tvmrs %2, fpsid"
		     : "=r"(mvfr0), "=r"(mvfr1), "=r"(fpsid));
	report((mvfr0 & 15) == 2, "MVFR0 tells of 32 double registers (%x)", mvfr0);
	report((mvfr1 >> 8 & 0xfff) == 0x111, "MVFR1 tells of Advanced SIMD (%x)", mvfr1);
	report(fpsid >> 24 == 0x41, "FPSID names Arm (%x)", fpsid);
	smp_run(keep);
	for (u32 i = 0; i < nr_cpus(); i++) {
		report(!lost_regs[i], "cpu %u: d0-d31 are kept over all exits (%u lost)", i,
		       lost_regs[i]);
		report(!lost_fpscr[i], "cpu %u: FPSCR is kept over all exits (%u lost)", i,
		       lost_fpscr[i]);
		report(!lost_fpexc[i], "cpu %u: FPEXC.EN is kept and obeyed (%u lost)", i,
		       lost_fpexc[i]);
	}
	smp_run(arithmetic);
	guest_exit();
}
