// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fault in HYP mode: take down where and why, and let the host tell. There
 * is no way on from here, but there is never a silent hang either.
 */
#include <linux/bits.h>

#include "cpu.h"
#include "sysreg.h"

asm(".arch_extension virt");

#define PSR_SVC_ALL_MASKED	0x1d3	/* SVC mode, A, I and F set */

/* The assembly has saved the core registers and given the stack a new start. */
void __hyp_text hyp_panic(struct hyp_cpu *cpu)
{
	struct hyp_panic *p = &cpu->panic;

	p->elr = banked_read(ELR_hyp);
	asm volatile("mrs %0, SPSR" : "=r" (p->spsr));
	p->hsr = sysreg_read(SYS_HSR);
	p->hdfar = sysreg_read(SYS_HDFAR);
	p->hifar = sysreg_read(SYS_HIFAR);
	p->hpfar = sysreg_read(SYS_HPFAR);
	p->hcr = sysreg_read(SYS_HCR);
	p->httbr = (u32)sysreg_read64(SYS_HTTBR);
	p->vcpu = cpu->vcpu;

	if (cpu->vcpu) {
		cpu->vcpu = NULL;
		hyp_walks_off();
		hyp_host_activate(cpu);
	}
	banked_write(cpu->panic_entry, ELR_hyp);
	asm volatile("msr SPSR_cxsf, %0" : : "r" (PSR_SVC_ALL_MASKED));
}
