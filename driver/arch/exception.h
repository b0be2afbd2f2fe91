/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The banked registers of each mode, and what skipping an instruction, testing a condition and
 * loading the PC do to the core registers. Pure functions of struct kvm_regs.
 */
#ifndef ARMVMM_EXCEPTION_H
#define ARMVMM_EXCEPTION_H

#include <linux/types.h>

#include <linux/armvmm.h>

#define EXCEPTION_CPSR	16	/* index of CPSR in usr_regs.uregs */
#define EXCEPTION_PC	15

/* A register is an unsigned long: 32 bits on Arm. In unit tests elsewhere this is its low half. */
static inline u32 *exception_word(void *p)
{
	return p;
}

static inline u32 *exception_usr(struct kvm_regs *regs, unsigned int n)
{
	return exception_word(&regs->usr_regs.uregs[n]);
}

/* Register n (0-15) in the bank of the mode that CPSR names (DDI 0406C B1.3.2). */
u32 *armvmm_exception_reg(struct kvm_regs *regs, unsigned int n);
/* SPSR of that mode; NULL in USR and SYS, which have none. */
u32 *armvmm_exception_spsr(struct kvm_regs *regs);

/* True for a mode that a guest in Non-secure PL0 or PL1 can be in. */
bool armvmm_exception_mode_valid(u32 cpsr);

/*
 * Drops from @cpsr, whose mode is valid, the state that a guest cannot be in. ERET loads what a
 * client wrote, and such state would make it UNPREDICTABLE.
 */
u32 armvmm_exception_cpsr_state(u32 cpsr);

/* Skips an instruction of @len (2 or 4) bytes: advances PC and IT state (A2.5.2). */
void armvmm_exception_skip(struct kvm_regs *regs, unsigned int len);

/* Condition code @cond (0-15) against the flags in @cpsr (A8.3.1). */
bool armvmm_exception_cond_holds(unsigned int cond, u32 cpsr);
/* Condition of the instruction that @hsr reports (B3.13.6). */
bool armvmm_exception_condition(const struct kvm_regs *regs, u32 hsr);

/* True if @insn at the PC passes its condition: its own in A32, the IT block's in T32. */
bool armvmm_exception_insn_runs(u32 cpsr, u32 insn);

/* What a load to the PC does: LoadWritePC() (A2.3.2), ThumbEE aside. */
void armvmm_exception_load_pc(struct kvm_regs *regs, u32 addr);

#endif
