/* SPDX-License-Identifier: GPL-2.0-only */
/* The target's registers: the build machine's would give struct kvm_regs another shape. */
#ifndef FAKE_ASM_PTRACE_H
#define FAKE_ASM_PTRACE_H

struct pt_regs {
	unsigned long uregs[18];
};

#define ARM_r0		uregs[0]
#define ARM_pc		uregs[15]
#define ARM_cpsr	uregs[16]

#endif
