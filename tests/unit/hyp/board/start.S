/* SPDX-License-Identifier: GPL-2.0-only */
/* Entry in HYP mode, MMU off, and what cannot be written in C. board.c says what it is for. */
#include "hyp/hyp.h"
#include "hyp/offsets.h"

#include "entry.h"
	ldr	r0, =board_cpu
	mcr	p15, 4, r0, c13, c0, 2	@ HTPIDR
	ldr	r1, =panic_stack_end
	str	r1, [r0, #CPU_STACK_TOP]
	bl	board_main
2:	wfi
	b	2b

/*
 * u32 board_abort(u32 addr): loads from @addr with A clear, as in HYP mode with SCR.EA set. Returns
 * 0, or 1 if hyp_panic() ended it.
 */
	.globl	board_abort
board_abort:
	push	{r3-r11, lr}
	ldr	r1, =board_sp
	str	sp, [r1]
	cpsie	a
	ldr	r0, [r0]
	cpsid	a
	mov	r0, #0
	pop	{r3-r11, pc}
	.globl	board_panicked
board_panicked:
	cpsid	a
	ldr	r1, =board_sp
	ldr	sp, [r1]
	mov	r0, #1
	pop	{r3-r11, pc}

/*
 * u32 board_guest(u32 *regs): a guest, with guest_psr, that calls HYP mode with r0-r12 from @regs,
 * and stores there what it has afterwards. Returns through board_guest_done.
 */
	.globl	board_guest
board_guest:
	push	{r3-r11, lr}
	ldr	r1, =board_sp
	str	sp, [r1]
	ldr	r1, =guest
	msr	ELR_hyp, r1
	ldr	r1, =guest_psr
	ldr	r1, [r1]
	msr	SPSR_cxsf, r1
	ldr	r1, =guest_stack_end
	msr	SP_svc, r1
	mov	lr, r0
	eret
guest:
	ldr	r0, =guest_regs
	ldr	r0, [r0]
	ldmia	r0, {r0-r12}
	hvc	#0			@ hyp_fastpath() looks on
	push	{r0-r12}
	ldr	r0, =guest_regs
	ldr	r1, [r0]
	mov	r2, sp
	mov	r3, #13
1:	ldr	r4, [r2], #4
	str	r4, [r1], #4
	subs	r3, r3, #1
	bne	1b
	add	sp, sp, #52
	hvc	#1			@ hyp_fastpath() leaves for good
	b	.
	.globl	board_guest_done
board_guest_done:
	ldr	r1, =board_sp
	ldr	sp, [r1]
	pop	{r3-r11, pc}

/*
 * u32 board_takeover(u32 vttbr_hi, u32 vectors, u32 vtcr): takes over HYP mode as from the stub,
 * with the tables of board_httbr, and goes on here. Returns the stub's HVBAR.
 */
	.globl	board_takeover
board_takeover:
	push	{r3-r11, lr}
	ldr	r3, =board_sp
	str	sp, [r3]
	mov	r8, r0
	mov	r5, r1
	mov	r7, r2
	ldr	r2, =board_httbr
	mov	r3, #0
	ldr	r4, =panic_stack_end
	ldr	r6, =board_cpu
	ldr	r1, =taken
	msr	ELR_hyp, r1
	mrs	r1, cpsr
	msr	SPSR_cxsf, r1
	b	hyp_entry_takeover
taken:
	/* These tables make all of memory read-only. */
	mrc	p15, 4, r1, c1, c0, 0	@ HSCTLR
	movw	r2, #0x1005
	bic	r1, r1, r2
	mcr	p15, 4, r1, c1, c0, 0
	isb
	ldr	r1, =board_sp
	ldr	sp, [r1]
	pop	{r3-r11, pc}

	.section .note.GNU-stack, "", %progbits
	.bss
	.balign	8
	.space	4096
stack_end:
	.space	1024
panic_stack_end:
	.space	1024
guest_stack_end:
