// SPDX-License-Identifier: GPL-2.0-only
/* Banked registers, conditions and IT blocks. */
#include <linux/kernel.h>
#include <linux/types.h>

#include "arch/archregs.h"
#include "arch/exception.h"

bool armvmm_exception_mode_valid(u32 cpsr)
{
	switch (cpsr & CPSR_M_MASK) {
	case CPSR_M_USR:
	case CPSR_M_FIQ:
	case CPSR_M_IRQ:
	case CPSR_M_SVC:
	case CPSR_M_ABT:
	case CPSR_M_UND:
	case CPSR_M_SYS:
		return true;
	default:
		return false;
	}
}

/*
 * Bits 23-20 are reserved (DDI 0406C B1.3.3). J without T would be Jazelle state: a CPU with the
 * Virtualization Extensions has only the trivial implementation of it (A2.10). J and T together are
 * ThumbEE. IT bits belong to T32, and are zero when no instruction of a block is left (A2.5.2).
 */
u32 armvmm_exception_cpsr_state(u32 cpsr)
{
	cpsr &= ~CPSR_RES0;
	if (!(cpsr & CPSR_T))
		cpsr &= ~(CPSR_J | CPSR_IT);
	if (!(cpsr & CPSR_IT_LEFT))
		cpsr &= ~CPSR_IT;
	return cpsr;
}

u32 *armvmm_exception_reg(struct kvm_regs *regs, unsigned int n)
{
	u32 mode = *exception_usr(regs, EXCEPTION_CPSR) & CPSR_M_MASK;

	n &= 15;
	if (mode == CPSR_M_FIQ && n >= 8 && n <= 14)
		return exception_word(&regs->fiq_regs[n - 8]);
	if (n == 13 || n == 14) {
		switch (mode) {
		case CPSR_M_SVC:
			return exception_word(&regs->svc_regs[n - 13]);
		case CPSR_M_ABT:
			return exception_word(&regs->abt_regs[n - 13]);
		case CPSR_M_UND:
			return exception_word(&regs->und_regs[n - 13]);
		case CPSR_M_IRQ:
			return exception_word(&regs->irq_regs[n - 13]);
		}
	}
	return exception_usr(regs, n);
}

u32 *armvmm_exception_spsr(struct kvm_regs *regs)
{
	switch (*exception_usr(regs, EXCEPTION_CPSR) & CPSR_M_MASK) {
	case CPSR_M_SVC:
		return exception_word(&regs->svc_regs[2]);
	case CPSR_M_ABT:
		return exception_word(&regs->abt_regs[2]);
	case CPSR_M_UND:
		return exception_word(&regs->und_regs[2]);
	case CPSR_M_IRQ:
		return exception_word(&regs->irq_regs[2]);
	case CPSR_M_FIQ:
		return exception_word(&regs->fiq_regs[7]);
	default:
		return NULL;
	}
}

/* IT[7:0] lies in two parts of CPSR (B1.3.3). */
static u32 exception_it_get(u32 cpsr)
{
	return (cpsr & CPSR_IT_HI) >> 8 | (cpsr & CPSR_IT_LO) >> 25;
}

static u32 exception_it_set(u32 cpsr, u32 it)
{
	return (cpsr & ~CPSR_IT) | ((it << 8) & CPSR_IT_HI) | ((it << 25) & CPSR_IT_LO);
}

void armvmm_exception_skip(struct kvm_regs *regs, unsigned int len)
{
	u32 *cpsr = exception_usr(regs, EXCEPTION_CPSR);
	u32 it;

	*exception_usr(regs, EXCEPTION_PC) += len;

	/* ITAdvance(), A2.5.2: no more instructions when IT[2:0] is zero. */
	if (!(*cpsr & CPSR_T) || !(*cpsr & CPSR_IT))
		return;
	it = exception_it_get(*cpsr);
	it = it & 7 ? (it & 0xe0) | ((it << 1) & 0x1f) : 0;
	*cpsr = exception_it_set(*cpsr, it);
}

bool armvmm_exception_cond_holds(unsigned int cond, u32 cpsr)
{
	bool n = cpsr & CPSR_N, z = cpsr & CPSR_Z, c = cpsr & CPSR_C, v = cpsr & CPSR_V;
	bool result;

	switch (cond >> 1) {
	case 0:
		result = z;
		break;
	case 1:
		result = c;
		break;
	case 2:
		result = n;
		break;
	case 3:
		result = v;
		break;
	case 4:
		result = c && !z;
		break;
	case 5:
		result = n == v;
		break;
	case 6:
		result = n == v && !z;
		break;
	default:
		return true;
	}
	return cond & 1 ? !result : result;
}

bool armvmm_exception_insn_runs(u32 cpsr, u32 insn)
{
	u32 it = exception_it_get(cpsr);

	if (!(cpsr & CPSR_T))
		return armvmm_exception_cond_holds(insn >> 28, cpsr);
	return !it || armvmm_exception_cond_holds(it >> 4, cpsr);
}

void armvmm_exception_load_pc(struct kvm_regs *regs, u32 addr)
{
	u32 *cpsr = exception_usr(regs, EXCEPTION_CPSR);

	/* The instruction was the last of its IT block, or in none: no IT bits remain. */
	*cpsr &= ~(CPSR_IT | CPSR_T);
	if (addr & 1)
		*cpsr |= CPSR_T;
	/* An unaligned A32 address is UNPREDICTABLE: the low bits are dropped. */
	*exception_usr(regs, EXCEPTION_PC) = addr & (addr & 1 ? ~1u : ~3u);
}

bool armvmm_exception_condition(const struct kvm_regs *regs, u32 hsr)
{
	u32 cpsr = regs->usr_regs.uregs[EXCEPTION_CPSR];
	unsigned int it;

	/* Only the traps of EC 0x01 to 0x0c carry a condition (table B3-35). */
	if (HSR_EC(hsr) >= 0x10 || HSR_EC(hsr) == HSR_EC_UNKNOWN)
		return true;
	if (hsr & HSR_CV)
		return armvmm_exception_cond_holds(HSR_COND(hsr), cpsr);

	/* Only T32 leaves CV clear: the condition is that of the IT block, if there is one. */
	it = exception_it_get(cpsr);
	return !it || armvmm_exception_cond_holds(it >> 4, cpsr);
}
