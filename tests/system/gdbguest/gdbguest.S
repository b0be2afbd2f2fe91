/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest for the debugger's test. It turns its MMU on, and goes on at 0xc0000000, which maps
 * RAM_BASE. It makes its second CPU count, makes a timer's interrupt pending while interrupts are
 * masked, and counts until somebody sets "quit". A test stops it at each label.
 */
#include "../../guest/lib/board.h"
	.arch armv7ve
	.arm
	.equ	HIGH, 0x80000000	/* from physical addresses to virtual ones */
	.equ	TABLE, 0x40100000

	.text
	.globl _start
_start:	mov	r0, #0
first:	add	r0, r0, #1
	/* Sections of 1 MiB, which PL0 and PL1 may read and write (DDI 0406C B3.5.1). */
	ldr	r4, =TABLE
	ldr	r5, =RAM_BASE + 0xc02
	add	r6, r4, #0x400 * 4
	str	r5, [r6]
	add	r6, r4, #0xc00 * 4
	str	r5, [r6]
	ldr	r5, =GICD_BASE + 0xc02
	str	r5, [r4, #0x080 * 4]
	mov	r5, #3
	mcr	p15, 0, r5, c3, c0, 0		/* DACR */
	mcr	p15, 0, r4, c2, c0, 0		/* TTBR0 */
	ldr	r5, =vectors + HIGH
	mcr	p15, 0, r5, c12, c0, 0		/* VBAR */
	dsb
	isb
	mrc	p15, 0, r5, c1, c0, 0
	orr	r5, r5, #1
	mcr	p15, 0, r5, c1, c0, 0		/* SCTLR.M */
	isb
	ldr	pc, =mapped + HIGH

	/* CPU_ON of CPU 1. */
mapped:	ldr	r0, =0x84000003
	mov	r1, #1
	ldr	r2, =second
	mov	r3, #0
	hvc	#0

	/* The virtual timer's interrupt, 27: enabled, and soon pending. */
	ldr	r1, =GICD_BASE
	mov	r0, #1
	str	r0, [r1]
	mov	r2, #1 << 27
	str	r2, [r1, #0x100]
	ldr	r1, =GICC_BASE
	mov	r2, #0xf0
	str	r2, [r1, #4]
	str	r0, [r1]
	mcr	p15, 0, r0, c14, c3, 0		/* CNTV_TVAL */
	mcr	p15, 0, r0, c14, c3, 1		/* CNTV_CTL */
1:	mrc	p15, 0, r0, c14, c3, 1
	tst	r0, #4
	beq	1b
pending: nop
	cpsie	i
	mov	r0, #1
	mov	r0, #2

	ldr	r1, =counter + HIGH
loop:	ldr	r2, [r1]
	add	r2, r2, #1
store:	str	r2, [r1]
	ldr	r3, [r1, #4]
	cmp	r3, #0
	beq	loop
	ldr	r0, =0x84000008			/* SYSTEM_OFF */
	hvc	#0
	b	.

	/* Its MMU is off. */
second:	ldr	r1, =counter2
loop2:	ldr	r2, [r1]
	add	r2, r2, #1
	str	r2, [r1]
	b	loop2

	.balign	32
vectors: b	.
	b	.
	b	.
	b	.
	b	.
	b	.
irq:	ldr	r10, =GICC_BASE
	ldr	r11, [r10, #0xc]
	str	r11, [r10, #0x10]
	mov	r10, #0
	mcr	p15, 0, r10, c14, c3, 1
	subs	pc, lr, #4
	.ltorg

	.balign	8
counter: .word	0
quit:	.word	0
counter2: .word	0
