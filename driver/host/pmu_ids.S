/* SPDX-License-Identifier: GPL-2.0-only */
/* PMCEID0 and PMCEID1, which PMUv2 has (DDI 0406C B4.1.114) and the emulator (QEMU 7.2) has not. */
#include "arch/archregs.h"
#include "host/a32_func.h"

	.syntax	unified
	.arch	armv7-a
	.arm

	.text
	.align	5

/*
 * u32 armvmm_pmu_ids_read(u32 ids[2]): 1, or 0 where an access is undefined, which vectors
 * of our own catch. Preemption off; A, I and F are masked here.
 */
	a32_func armvmm_pmu_ids_read
	push	{r4-r8, lr}
	mrs	r4, cpsr
	cpsid	aif
	mrc	p15, 0, r5, c1, c0, 0	@ SCTLR
	mrc	p15, 0, r6, c12, c0, 0	@ VBAR
	adr	r1, ids_vectors
	mcr	p15, 0, r1, c12, c0, 0
	bic	r1, r5, #SCTLR_V
	bic	r1, r1, #SCTLR_TE
	mcr	p15, 0, r1, c1, c0, 0
	isb
	mov	r7, #1
	mov	r2, #0
	mov	r3, #0
	mrc	p15, 0, r2, c9, c12, 6	@ PMCEID0
	mrc	p15, 0, r3, c9, c12, 7	@ PMCEID1
	mcr	p15, 0, r5, c1, c0, 0
	mcr	p15, 0, r6, c12, c0, 0
	isb
	msr	cpsr_cx, r4		@ A is in the extension field
	stm	r0, {r2, r3}
	mov	r0, r7
	pop	{r4-r8, pc}
	.size	armvmm_pmu_ids_read, . - armvmm_pmu_ids_read

	.align	5
ids_vectors:
	b	.
	b	ids_undef
	b	.
	b	.
	b	.
	b	.
	b	.
	b	.
ids_undef:
	mov	r7, #0
	movs	pc, lr			@ past the instruction (B1.8.3)

	.section .note.GNU-stack, "", %progbits
