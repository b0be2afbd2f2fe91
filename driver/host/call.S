/* SPDX-License-Identifier: GPL-2.0-only */
/* The host's side of hvc: executed in PL1, not in HYP. */
#include "host/a32_func.h"

	.syntax	unified
	.arch	armv7-a
	.arch_extension virt
	.arm

	.text
	.align	5

/* u32 armvmm_hyp_call(u32 fn, u32 a, u32 b): LR_svc does not survive a guest. */
	a32_func armvmm_hyp_call
	push	{r4, lr}
	hvc	#0
	pop	{r4, pc}
	.size	armvmm_hyp_call, . - armvmm_hyp_call

/*
 * u32 hyp_takeover_call(const struct hyp_takeover *args): IRQs off. args: entry
 * address, then r2-r8 of hyp_entry_takeover. Returns the stub's HVBAR, and
 * its HSCTLR in r1.
 */
	a32_func hyp_takeover_call
	push	{r4-r8, lr}
	ldmia	r0, {r1-r8}
	mov	r0, #1			@ SOFT_RESTART
	hvc	#0
	pop	{r4-r8, pc}
	.size	hyp_takeover_call, . - hyp_takeover_call

/*
 * u32 hyp_probe_call(void): what answers an hvc that nobody knows. Undefined
 * where the CPU has no HYP for us: vectors of our own catch that. Preemption
 * off; A, I and F are masked here.
 */
	a32_func hyp_probe_call
	push	{r4-r7, lr}
	a32_own_vectors probe_vectors, r0
	mvn	r0, #0
	hvc	#0
	a32_own_vectors_end
	pop	{r4-r7, pc}
	.size	hyp_probe_call, . - hyp_probe_call

/*
 * u32 hyp_debug_probe_call(struct debug_probe_regs *regs): reads debug registers
 * that may be undefined on this board, under vectors of our own: how many of those
 * that matter were. As above.
 */
	a32_func hyp_debug_probe_call
	push	{r4-r7, lr}
	a32_own_vectors debug_probe_vectors, r1
	mov	r2, r0
	mov	r0, #0
	mov	r1, #0			@ QEMU leaves it alone where it has no register
	mrc	p14, 0, r1, c0, c0, 0	@ DBGDIDR
	str	r1, [r2]
	mov	r1, #0
	mrc	p14, 0, r1, c1, c3, 4	@ DBGOSDLR
	str	r1, [r2, #4]
	mov	r1, #0
	mrc	p14, 0, r1, c0, c2, 2	@ DBGDSCRext
	str	r1, [r2, #8]
	mrc	p14, 0, r1, c0, c0, 5	@ DBGBCR0
	mov	r7, r0			@ the next one matters to none
	mov	r1, #0
	mrc	p14, 0, r1, c7, c2, 7	@ DBGDEVID
	str	r1, [r2, #12]
	mov	r0, r7
	a32_own_vectors_end
	pop	{r4-r7, pc}
	.size	hyp_debug_probe_call, . - hyp_debug_probe_call

/*
 * u64 hyp_actlr2_call(void): the Cortex-A15's ACTLR2, or, if it is undefined here, 1 in the upper
 * word. As above.
 */
	a32_func hyp_actlr2_call
	push	{r4-r7, lr}
	a32_own_vectors actlr2_vectors, r0
	mov	r0, #0
	mov	r1, #0
	mrc	p15, 1, r0, c15, c0, 4	@ ACTLR2
	a32_own_vectors_end
	pop	{r4-r7, pc}
	.size	hyp_actlr2_call, . - hyp_actlr2_call

/*
 * void hyp_debug_trial(void): returns at once. What follows it is the guest that
 * breakpoints are tried on (debug_probe.c): it ends with a call to HYP.
 */
	.align	5
	a32_func hyp_debug_trial
	bx	lr
	.globl	hyp_debug_trial_start
hyp_debug_trial_start:
	mov	r0, r0
	mov	r0, r0
	hvc	#0
	b	.
	/* Whatever else it takes ends the trial too, at another PC. */
	.align	5
	.globl	hyp_debug_trial_vectors
hyp_debug_trial_vectors:
	.rept	8
	hvc	#0
	.endr
	.size	hyp_debug_trial, . - hyp_debug_trial

	a32_vectors probe_vectors, probe_undef
probe_undef:
	movw	r0, #0xdead		@ HYP_PROBE_UNDEF
	movs	pc, lr

	a32_vectors actlr2_vectors, actlr2_undef
actlr2_undef:
	mov	r0, #0
	mov	r1, #1
	movs	pc, lr

	a32_vectors debug_probe_vectors, debug_probe_undef
debug_probe_undef:
	add	r0, r0, #1
	mov	r1, #0
	movs	pc, lr			@ to the next one (B1.9.2)

	.section .note.GNU-stack, "", %progbits
