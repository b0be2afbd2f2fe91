/* SPDX-License-Identifier: GPL-2.0-only */
/* Entry, vectors and a flat map for the benchmark's guest. */
#include "bench.h"
#include "../guest/lib/cpsr.h"
	.arch armv7ve
	.fpu neon
	.arm
	.section .text.start, "ax"
	.globl _start
_start:
	b	first
	nop
	.globl args
args:				/* struct bench_args */
	.word	ARGS_MAGIC, 1000, 0xffffffff, 1, 0, 128, 0, 1

first:
	cpsid	aif
	mov	r5, #0
	ldr	r0, =bss_start
	ldr	r1, =bss_end
	mov	r2, #0
1:	cmp	r0, r1
	strlo	r2, [r0], #4
	blo	1b
	ldr	sp, =stacks + 8192
	bl	map_build
	b	both

	.globl second
second:
	cpsid	aif
	mov	r5, #1
both:
	/* SVC and IRQ stacks: 8 KiB and 4 KiB for each CPU. */
	ldr	r0, =stacks
	add	r1, r0, r5, lsl #13
	add	sp, r1, #8192
	ldr	r0, =irq_stacks
	add	r1, r0, r5, lsl #12
	cps	#MODE_IRQ
	add	sp, r1, #4096
	cps	#MODE_SVC
	ldr	r0, =vectors
	mcr	p15, 0, r0, c12, c0, 0		/* VBAR */
	ldr	r0, =map
	orr	r0, r0, #0x4a			/* walks: write-back, shareable */
	mcr	p15, 0, r0, c2, c0, 0		/* TTBR0 */
	mov	r0, #0
	mcr	p15, 0, r0, c2, c0, 2		/* TTBCR */
	mov	r0, #1
	mcr	p15, 0, r0, c3, c0, 0		/* DACR */
	isb
	mcr	p15, 0, r0, c8, c7, 0		/* TLBIALL */
	mcr	p15, 0, r0, c7, c5, 0		/* ICIALLU */
	dsb
	isb
	mrc	p15, 0, r0, c1, c0, 0		/* SCTLR: M, C, Z, I on; V off */
	ldr	r1, =0x1805
	orr	r0, r0, r1
	bic	r0, r0, #0x2000
	mcr	p15, 0, r0, c1, c0, 0
	isb
	mrc	p15, 0, r0, c1, c0, 2		/* CPACR: VFP to PL1 and PL0 */
	orr	r0, r0, #0xf00000
	mcr	p15, 0, r0, c1, c0, 2
	isb
	mov	r0, #1 << 30			/* FPEXC.EN */
	vmsr	fpexc, r0
	cmp	r5, #0
	ldreq	r0, =bench_main
	ldrne	r0, =bench_second
	blx	r0
2:	wfi
	b	2b

	.balign	32
vectors:
	.rept	6
	b	lost
	.endr
	b	irq
	b	lost
irq:
	sub	lr, lr, #4
	push	{r0-r3, r12, lr}
	bl	on_irq
	ldm	sp!, {r0-r3, r12, pc}^
lost:
	mov	r0, lr
	bl	bench_lost

	/* u32 call(u32 r0 ...): HVC. call_fp: the same, followed by a VFP instruction. */
	.globl call
call:	hvc	#0
	bx	lr
	.globl call_fp
call_fp:
	hvc	#0
	vmov	s0, r0
	bx	lr

	/*
	 * void op_cp15(u32 n): traps n times. Of a block of code with an instruction that traps,
	 * QEMU's clock counts the rest twice. A block ends where a page does.
	 */
	.section .text.cp15, "ax"
	.balign	4096
	.space	4096 - 8
	.globl op_cp15
op_cp15:
	subs	r0, r0, #1
	mrc	p15, 0, r1, c1, c0, 1		/* ACTLR */
	bne	op_cp15
	bx	lr

	.section .note.GNU-stack, "", %progbits
	.bss
	.balign	16384
	.globl map
map:	.space	16384
stacks:	.space	2 * 8192
irq_stacks:
	.space	2 * 4096
