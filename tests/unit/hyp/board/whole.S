/* SPDX-License-Identifier: GPL-2.0-only */
/* What of whole.c cannot be written in C. */
#include "hyp/hyp.h"
#include "hyp/offsets.h"

#define SVC	0x1d3	/* A, I and F set */

#include "entry.h"
	bl	board_main
2:	wfi
	b	2b

/* The board's vectors: where each exception goes is in board_slots. */
	.align	5
	.globl	board_vectors
board_vectors:
	.rept	8
	ldr	pc, [pc, #24]
	.endr
	.globl	board_slots
board_slots:
	.space	32

/* An undefined instruction: one that board_emulate() knows, or a fault of HYP mode's. */
	.globl	board_undef
board_undef:
	push	{r0-r12, lr}
	mrs	r0, ELR_hyp
	mov	r1, sp
	bl	board_emulate
	cmp	r0, #0
	bne	1f
	pop	{r0-r12, lr}
	ldr	pc, board_undef_next
1:	mrs	r0, ELR_hyp
	add	r0, r0, #4
	msr	ELR_hyp, r0
	pop	{r0-r12, lr}
	eret
	.globl	board_undef_next
board_undef_next:
	.word	0

/*
 * u32 board_host(u32 (*fn)(u32), u32 arg): calls @fn in SVC mode, which is the host. The way back
 * is the host's call SOFT_RESTART. Returns what @fn returned, or BOARD_PANICKED.
 */
	.globl	board_host
board_host:
	push	{r3-r11, lr}
	ldr	r2, =board_sp
	str	sp, [r2]
	ldr	r2, =host
	msr	ELR_hyp, r2
	movw	r2, #SVC
	msr	SPSR_cxsf, r2
	ldr	r2, =host_stack_end
	msr	SP_svc, r2
	eret
host:
	mov	r2, r0
	mov	r0, r1
	blx	r2
host_leave:
	ldr	r1, =board_result
	str	r0, [r1]
	mov	r0, #HYP_CALL_SOFT_RESTART
	ldr	r1, =back
	hvc	#0
back:
	ldr	r0, =board_sp
	ldr	sp, [r0]
	ldr	r0, =board_result
	ldr	r0, [r0]
	pop	{r3-r11, pc}

/* u32 board_hyp(u32 (*fn)(u32), u32 arg): the same in HYP mode. */
	.globl	board_hyp
board_hyp:
	push	{r3-r11, lr}
	ldr	r2, =board_sp
	str	sp, [r2]
	mov	r2, r0
	mov	r0, r1
	blx	r2
	pop	{r3-r11, pc}

/* The host's function that prints a fault of HYP mode's. */
	.globl	board_panicked
board_panicked:
	movw	r0, #0xdead		@ BOARD_PANICKED
	b	host_leave

	.thumb
	.thumb_func
	.globl	board_panicked_thumb
board_panicked_thumb:
	bx	pc
	nop
	.arm
	b	board_panicked

/*
 * u32 board_call(u32 fn, u32 a, u32 b): the host's call of HYP mode. LR_svc does not survive a
 * guest. The host's r4-r11 have to.
 */
	.globl	board_call
board_call:
	push	{r3-r11, lr}
	ldr	r4, =0x04040404
	add	r5, r4, r4
	add	r6, r5, r4
	add	r7, r6, r4
	add	r8, r7, r4
	add	r9, r8, r4
	add	r10, r9, r4
	add	r11, r10, r4
	hvc	#0
	ldr	r3, =0x04040404
	cmp	r4, r3
	addeq	r3, r3, r3
	cmpeq	r5, r3
	ldr	r3, =0x20202020
	cmpeq	r11, r3
	movne	r0, #0xbad
	pop	{r3-r11, pc}

/* Guests, in SVC mode with their MMU off. They say in board_ran that they ran. */
	.macro	ran
	ldr	r4, =board_ran
	ldr	r5, [r4]
	add	r5, r5, #1
	str	r5, [r4]
	.endm

	.globl	guest_hvc
guest_hvc:
	ran
	hvc	#7
	ran
	hvc	#8

/* Its trap arrives as r0 says. */
	.globl	guest_fiq
guest_fiq:
	ran
	ldr	r4, =board_slots
	str	r0, [r4, #20]
	dsb
	hvc	#0

/* A read of ACTLR into a register that is banked: HYP mode leaves that to the host. */
	.globl	guest_banked
guest_banked:
	mrc	p15, 0, lr, c1, c0, 1
	cps	#0x11
	mrc	p15, 0, r8, c1, c0, 1

/* void board_hvc(void): in HYP mode, what a slot of board_slots makes of it. */
	.globl	board_hvc
board_hvc:
	push	{r4, lr}
	hvc	#0
	pop	{r4, pc}

/* A slot for traps: what exchange.h looks at in HYP mode, before the vector. */
	.globl	board_peek
board_peek:
	push	{r0-r12, lr}
	bl	board_peek_at
	pop	{r0-r12, lr}
	ldr	pc, =hyp_vectors + 20

/* void board_undefined(void), void board_jump(u32) */
	.globl	board_undefined
board_undefined:
	udf	#0
	bx	lr
	.globl	board_jump
board_jump:
	bx	r0

/* The kernel's objects name it in their unwind tables. */
	.globl	__aeabi_unwind_cpp_pr0
	.set	__aeabi_unwind_cpp_pr0, 0

	.section .note.GNU-stack, "", %progbits
	.bss
	.balign	8
	.space	8192
stack_end:
	.space	2048
	.globl	board_panic_stack
board_panic_stack:
	.space	2048
host_stack_end:
