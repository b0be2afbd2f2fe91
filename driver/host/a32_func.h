/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Assembly in A32 that the host calls, whichever instruction set the kernel is in. A module is not
 * linked: the kernel's loader would have to change the instruction set on the way, and refuses a
 * branch from Thumb code to an A32 function. So the function begins in Thumb, and goes on in A32
 * behind it (DDI 0406C A8.8.27, BX PC); it returns by an instruction that changes back.
 */
#ifndef ARMVMM_A32_FUNC_H
#define ARMVMM_A32_FUNC_H

#ifdef __ASSEMBLER__

#include "arch/archregs.h"

	.macro	a32_func name
	.globl	\name
	.type	\name, %function
#ifdef CONFIG_THUMB2_KERNEL
	.align	2
	.thumb
	.thumb_func
\name:
	bx	pc
	nop
	.arm
#else
\name:
#endif
	.endm

	/*
	 * Turns to vectors of the function's own, in A32, with A, I and F masked: an instruction
	 * that is undefined on this CPU is caught there. CPSR, SCTLR and VBAR stay in r4 to r6, for
	 * a32_own_vectors_end.
	 */
	.macro	a32_own_vectors vectors, tmp
	mrs	r4, cpsr
	cpsid	aif
	mrc	p15, 0, r5, c1, c0, 0	@ SCTLR
	mrc	p15, 0, r6, c12, c0, 0	@ VBAR
	adr	\tmp, \vectors
	mcr	p15, 0, \tmp, c12, c0, 0
	bic	\tmp, r5, #SCTLR_V
	bic	\tmp, \tmp, #SCTLR_TE
	mcr	p15, 0, \tmp, c1, c0, 0
	isb
	.endm

	.macro	a32_own_vectors_end
	mcr	p15, 0, r5, c1, c0, 0
	mcr	p15, 0, r6, c12, c0, 0
	isb
	msr	cpsr_cx, r4		@ A is in the extension field
	.endm

	/* Vectors that all hang, but for the one of undefined instructions. */
	.macro	a32_vectors name, undef
	.align	5
\name:
	b	.
	b	\undef
	.rept	6
	b	.
	.endr
	.endm

#endif /* __ASSEMBLER__ */

#endif
