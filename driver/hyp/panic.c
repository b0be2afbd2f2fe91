// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fault in HYP mode: record where and why, and let the host print it. HYP
 * cannot go on from here, but it never hangs silently either.
 */
#include "hyp/cpu.h"
#include "hyp/sysreg.h"

asm(".arch_extension virt");

/* Where the host goes on: SVC mode, everything masked */
#define PANIC_CPSR	(CPSR_M_SVC | CPSR_A | CPSR_I | CPSR_F)

/* Where, why and whose: only of the first fault. */
__hyp_inline void panic_take_down(struct hyp_cpu *cpu, struct hyp_panic *p)
{
	p->elr = banked_read(ELR_hyp);
	asm volatile("mrs %0, SPSR" : "=r" (p->spsr));
	p->hsr = sysreg_read(SYS_HSR);
	p->hdfar = sysreg_read(SYS_HDFAR);
	p->hifar = sysreg_read(SYS_HIFAR);
	p->hpfar = sysreg_read(SYS_HPFAR);
	p->hcr = sysreg_read(SYS_HCR);
	p->httbr = (u32)sysreg_read64(SYS_HTTBR);
	p->vcpu = cpu->vcpu;
}

/* The assembly has saved the core registers and reset the stack. */
void __hyp_text hyp_panic(struct hyp_cpu *cpu)
{
	struct hyp_panic *p = &cpu->panic;

	if (!p->faults++)
		panic_take_down(cpu, p);

	/*
	 * A fault on the way back to the host comes here again. The second try leaves out FPEXC,
	 * the only access on that way that can fault. PL1 is never left to a guest with stage 2
	 * off: this CPU stops instead, and the others notice.
	 */
	if (cpu->vcpu) {
		if (p->faults > 1)
			cpu->vfp = 0;
		while (p->faults > 2)
			asm volatile("wfi");
		hyp_debug_drop(cpu);
		hyp_walks_off();
		hyp_host_rest(cpu);
		hyp_host_activate(cpu);
		cpu->vcpu = NULL;
	}
	/* Bit 0 of a function's address tells its instruction set. */
	banked_write(cpu->panic_entry & ~1ul, ELR_hyp);
	asm volatile("msr SPSR_cxsf, %0" : :
		     "r" (PANIC_CPSR | (cpu->panic_entry & 1 ? CPSR_T : 0)));
}
