/* SPDX-License-Identifier: GPL-2.0-only */
/* The host's side of hvc: executed in PL1, not in HYP. */
#include <linux/linkage.h>

	.syntax	unified
	.arch	armv7-a
	.arch_extension virt
	.arm

	.text
	.align	5

/* u32 armvmm_hyp_call(u32 fn, u32 a, u32 b): LR_svc does not survive a guest. */
	.globl	armvmm_hyp_call
	.type	armvmm_hyp_call, %function
armvmm_hyp_call:
	push	{r4, lr}
	hvc	#0
	pop	{r4, pc}
	.size	armvmm_hyp_call, . - armvmm_hyp_call

/*
 * u32 hyp_takeover_call(const struct hyp_takeover *args): IRQs off. args: entry
 * address, then r2-r7 of hyp_entry_takeover. Returns the stub's HVBAR.
 */
	.globl	hyp_takeover_call
	.type	hyp_takeover_call, %function
hyp_takeover_call:
	push	{r4-r8, lr}
	ldmia	r0, {r1-r7}
	mov	r0, #1			@ SOFT_RESTART
	hvc	#0
	pop	{r4-r8, pc}
	.size	hyp_takeover_call, . - hyp_takeover_call

/*
 * u32 hyp_probe_call(void): what answers an hvc that nobody knows. Undefined
 * where the CPU has no HYP for us: vectors of our own catch that. Preemption
 * off; A, I and F are masked here.
 */
	.globl	hyp_probe_call
	.type	hyp_probe_call, %function
hyp_probe_call:
	push	{r4-r7, lr}
	mrs	r4, cpsr
	cpsid	aif
	mrc	p15, 0, r5, c1, c0, 0	@ SCTLR
	mrc	p15, 0, r6, c12, c0, 0	@ VBAR
	adr	r0, probe_vectors
	mcr	p15, 0, r0, c12, c0, 0
	bic	r0, r5, #1 << 13	@ V
	bic	r0, r0, #1 << 30	@ TE
	mcr	p15, 0, r0, c1, c0, 0
	isb
	mvn	r0, #0
	hvc	#0
	mcr	p15, 0, r5, c1, c0, 0
	mcr	p15, 0, r6, c12, c0, 0
	isb
	msr	cpsr_cx, r4		@ A is in the extension field
	pop	{r4-r7, pc}
	.size	hyp_probe_call, . - hyp_probe_call

	.align	5
probe_vectors:
	b	.
	b	probe_undef
	b	.
	b	.
	b	.
	b	.
	b	.
	b	.
probe_undef:
	movw	r0, #0xdead		@ HYP_PROBE_UNDEF
	movs	pc, lr

	.section .note.GNU-stack, "", %progbits
