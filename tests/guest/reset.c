// SPDX-License-Identifier: GPL-2.0-only
/*
 * SYSTEM_RESET: the client initialises the vCPUs again and starts over. No earlier state may show:
 * registers, timers, secondary CPUs.
 */
#include "lib.h"

static volatile u32 ran;

static void dirty(u32 cpu)
{
	ran++;
	CP15_WRITE(0, c13, c0, 2, 0xdead0000 | cpu);
	CP15_WRITE(0, c12, c0, 0, (u32)CP15_READ(0, c12, c0, 0));
	vtimer_set(cntvct() + us_to_ticks(1000000), 1);
}

void guest_main(void)
{
	bool zero = true;

	for (u32 i = 0; i < 15; i++)
		zero &= !entry_regs[i];
	report(zero, "boot %u: r0-r14 are zero", param.boots);
	report(entry_regs[16] == SCTLR_RESET, "boot %u: SCTLR has its reset value (%x)", param.boots,
	       entry_regs[16]);
	report((entry_regs[15] & (CPSR_MODE | CPSR_AIF)) == (MODE_SVC | CPSR_AIF), "boot %u: SVC mode, A, I and F masked (%x)",
	       param.boots, entry_regs[15]);
	report(!(vtimer_ctl() & 1), "boot %u: the virtual timer is off", param.boots);
	report(!(ptimer_ctl() & 1), "boot %u: the physical timer is off", param.boots);
	for (u32 i = 1; i < nr_cpus(); i++)
		report(hvc(PSCI_AFFINITY_INFO, cpu_mpidr(i), 0, 0) == 1, "boot %u: cpu %u is off",
		       param.boots, i);
	mmu_on();
	gic_init_dist();
	gic_init_cpu();
	smp_start();
	smp_run(dirty);
	report(ran == nr_cpus(), "boot %u: all CPUs run", param.boots);
	if (param.boots < 3) {
		cache_clean_inval((const void *)&param, sizeof(param));
		hvc(PSCI_SYSTEM_RESET, 0, 0, 0);
		report(false, "boot %u: SYSTEM_RESET does not return", param.boots);
	}
	guest_exit();
}
