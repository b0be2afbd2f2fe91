/* SPDX-License-Identifier: GPL-2.0-only */
/* The coprocessor registers that HYP code moves, by the manual's names. */
#ifndef ARMVMM_HYP_SYSREG_H
#define ARMVMM_HYP_SYSREG_H

#include <linux/types.h>

#include "arch/archregs.h"

/* Each name stands for "op1, CRn, CRm, op2", or "op1, CRm" where 64 bits wide. */
#define SYS_MIDR	0, c0, c0, 0
#define SYS_MPIDR	0, c0, c0, 5
#define SYS_CSSELR	2, c0, c0, 0
#define SYS_SCTLR	0, c1, c0, 0
#define SYS_ACTLR	0, c1, c0, 1
#define SYS_CPACR	0, c1, c0, 2
#define SYS_TTBR0	0, c2
#define SYS_TTBR1	1, c2
#define SYS_TTBCR	0, c2, c0, 2
#define SYS_DACR	0, c3, c0, 0
#define SYS_DFSR	0, c5, c0, 0
#define SYS_IFSR	0, c5, c0, 1
#define SYS_ADFSR	0, c5, c1, 0
#define SYS_AIFSR	0, c5, c1, 1
#define SYS_DFAR	0, c6, c0, 0
#define SYS_IFAR	0, c6, c0, 2
#define SYS_PAR		0, c7
#define SYS_TLBIALLIS	0, c8, c3, 0
#define SYS_TLBIMVAIS	0, c8, c3, 1
#define SYS_TLBIALL	0, c8, c7, 0
#define SYS_TLBIALLHIS	4, c8, c3, 0
#define SYS_TLBIALLNSNHIS 4, c8, c3, 4
#define SYS_ICIALLUIS	0, c7, c1, 0
#define SYS_ICIALLU	0, c7, c5, 0
#define SYS_PMSELR	0, c9, c12, 5
#define SYS_PMXEVTYPER	0, c9, c13, 1
#define SYS_PMUSERENR	0, c9, c14, 0
#define SYS_PRRR	0, c10, c2, 0
#define SYS_NMRR	0, c10, c2, 1
#define SYS_AMAIR0	0, c10, c3, 0
#define SYS_AMAIR1	0, c10, c3, 1
#define SYS_VBAR	0, c12, c0, 0
#define SYS_ISR		0, c12, c1, 0
#define SYS_FCSEIDR	0, c13, c0, 0
#define SYS_CONTEXTIDR	0, c13, c0, 1
#define SYS_TPIDRURW	0, c13, c0, 2
#define SYS_TPIDRURO	0, c13, c0, 3
#define SYS_TPIDRPRW	0, c13, c0, 4
#define SYS_CNTFRQ	0, c14, c0, 0
#define SYS_CNTKCTL	0, c14, c1, 0
#define SYS_CNTV_CTL	0, c14, c3, 1
#define SYS_CNTPCT	0, c14
#define SYS_CNTV_CVAL	3, c14
#define SYS_VPIDR	4, c0, c0, 0
#define SYS_VMPIDR	4, c0, c0, 5
#define SYS_HCR		4, c1, c1, 0
#define SYS_HDCR	4, c1, c1, 1
#define SYS_HCPTR	4, c1, c1, 2
#define SYS_HSTR	4, c1, c1, 3
#define SYS_HTTBR	4, c2
#define SYS_VTTBR	6, c2
#define SYS_HSR		4, c5, c2, 0
#define SYS_HDFAR	4, c6, c0, 0
#define SYS_HIFAR	4, c6, c0, 2
#define SYS_HPFAR	4, c6, c0, 4
#define SYS_CNTHCTL	4, c14, c1, 0
#define SYS_CNTVOFF	4, c14

#define SYS_STR(...)	SYS_STR_(__VA_ARGS__)
#define SYS_STR_(...)	#__VA_ARGS__

/* Inserts the register operand after op1, where the mnemonic wants it. */
#define SYS_ARGS32(op1, crn, crm, op2)	#op1 ", %0, " #crn ", " #crm ", " #op2
#define SYS_ARGS64(op1, crm)		#op1 ", %Q0, %R0, " #crm
#define SYS_EXPAND32(args)		SYS_ARGS32 args
#define SYS_EXPAND64(args)		SYS_ARGS64 args

#define sysreg_read(reg)						\
({									\
	u32 val_;							\
	asm volatile("mrc p15, " SYS_EXPAND32((reg)) : "=r" (val_));	\
	val_;								\
})
#define sysreg_write(val, reg)						\
	asm volatile("mcr p15, " SYS_EXPAND32((reg)) : : "r" ((u32)(val)))

#define sysreg_read64(reg)						\
({									\
	u64 val_;							\
	asm volatile("mrrc p15, " SYS_EXPAND64((reg)) : "=r" (val_));	\
	val_;								\
})
#define sysreg_write64(val, reg)					\
	asm volatile("mcrr p15, " SYS_EXPAND64((reg)) : : "r" ((u64)(val)))

/* Banked core registers of other modes (DDI 0406C B9.3.9, B9.3.10). */
#define banked_read(name)						\
({									\
	u32 val_;							\
	asm volatile("mrs %0, " #name : "=r" (val_));			\
	val_;								\
})
#define banked_write(val, name)						\
	asm volatile("msr " #name ", %0" : : "r" ((u32)(val)))

/* The guest's CPSR, after its trap */
#define spsr_read()							\
({									\
	u32 val_;							\
	asm volatile("mrs %0, SPSR" : "=r" (val_));			\
	val_;								\
})

/*
 * Up to eight registers at once, to or from the words at @p, which moves past them: one LDM or STM,
 * and one instruction for each register. A list is written once for both directions. It names each
 * register and the core register that carries it, in the order of the words:
 *
 *	#define LIST(way)	way##_BANKED(SP_abt, r2) way##_SYS(SYS_DACR, r3)
 *	regs_load(p, "r2-r3", LIST);
 */
#define SYS_WITH32(rt, op1, crn, crm, op2)	#op1 ", " #rt ", " #crn ", " #crm ", " #op2
#define SYS_WITH64(rt, rt2, op1, crm)		#op1 ", " #rt ", " #rt2 ", " #crm
#define SYS_CALL(macro, ...)			macro(__VA_ARGS__)

#define LOAD_BANKED(name, rt)		"msr " #name ", " #rt "\n\t"
#define SAVE_BANKED(name, rt)		"mrs " #rt ", " #name "\n\t"
#define LOAD_SYS(reg, rt)		"mcr p15, " SYS_CALL(SYS_WITH32, rt, reg) "\n\t"
#define SAVE_SYS(reg, rt)		"mrc p15, " SYS_CALL(SYS_WITH32, rt, reg) "\n\t"
#define LOAD_SYS64(reg, rt, rt2)	"mcrr p15, " SYS_CALL(SYS_WITH64, rt, rt2, reg) "\n\t"
#define SAVE_SYS64(reg, rt, rt2)	"mrrc p15, " SYS_CALL(SYS_WITH64, rt, rt2, reg) "\n\t"

#define regs_load(p, core, list)					\
	asm volatile("ldmia %0!, {" core "}\n\t" list(LOAD)		\
		     : "+r" (p) : :					\
		     "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "memory")
#define regs_save(p, core, list)					\
	asm volatile(list(SAVE) "stmia %0!, {" core "}"			\
		     : "+r" (p) : :					\
		     "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "memory")

/* HCPTR lets HYP through where these run. */
#define fpexc_read()							\
({									\
	u32 val_;							\
	asm volatile(".fpu vfpv3\n\tvmrs %0, fpexc" : "=r" (val_));	\
	val_;								\
})
#define fpexc_write(val)						\
	asm volatile(".fpu vfpv3\n\tvmsr fpexc, %0" : : "r" ((u32)(val)))

#define hyp_isb()	asm volatile("isb" : : : "memory")
#define hyp_dsb()	asm volatile("dsb" : : : "memory")
#define hyp_dsb_ish()	asm volatile("dsb ish" : : : "memory")
#define hyp_dsb_ishst()	asm volatile("dsb ishst" : : : "memory")

/*
 * @i where it is less than @n, and 0 else, also while the CPU speculates (CVE-2017-5753): Linux's
 * array_index_nospec(), whose CSDB is in the kernel's instruction set.
 */
#define hyp_index(i, n)							\
({									\
	u32 i_ = (i), mask_;						\
	asm volatile("cmp	%1, %2\n\t"				\
		     "sbc	%0, %1, %1\n\t"			\
		     ".inst	0xe320f014	@ csdb"			\
		     : "=r" (mask_) : "r" (i_), "r" ((u32)(n)) : "cc");	\
	i_ & mask_;							\
})

/* Placement: mapped executable, or readable, in HYP, and nothing else is. */
#define __hyp_text	__section(".hyp.text") noinline
#define __hyp_inline	static __always_inline

#endif
