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

#endif /* __ASSEMBLER__ */

#endif
