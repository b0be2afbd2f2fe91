/* SPDX-License-Identifier: GPL-2.0-only */
/* The entry points of the boot CPU and of CPUs that PSCI starts, and the vectors. */
#include "../param.h"
#include "cpsr.h"
	.arch armv7ve
	.fpu neon
	.arm

	.section .text.start, "ax"
	.globl _start
_start:
	b	boot
	nop
	.globl param
param:				/* struct guest_param, filled in by the client */
	.word	PARAM_MAGIC
	.word	0, 0, 128, 0, 0, 0, 0
	.word	0, 0, 0, 0

	/* The state at the first instruction: r0-r14, CPSR, SCTLR. */
	.globl entry_regs
entry_regs:
	.space	17 * 4

boot:
	str	r0, entry_regs + 0
	str	r1, entry_regs + 4
	str	r2, entry_regs + 8
	str	r3, entry_regs + 12
	str	r4, entry_regs + 16
	str	r5, entry_regs + 20
	str	r6, entry_regs + 24
	str	r7, entry_regs + 28
	str	r8, entry_regs + 32
	str	r9, entry_regs + 36
	str	r10, entry_regs + 40
	str	r11, entry_regs + 44
	str	r12, entry_regs + 48
	str	sp, entry_regs + 52
	str	lr, entry_regs + 56
	mrs	r0, cpsr
	str	r0, entry_regs + 60
	mrc	p15, 0, r0, c1, c0, 0
	str	r0, entry_regs + 64

	ldr	r0, =__bss_start
	ldr	r1, =__bss_end
	mov	r2, #0
1:	cmp	r0, r1
	strlo	r2, [r0], #4
	blo	1b
	ldr	r4, =cpu_boot		/* struct cpu_boot of CPU 0 */
	ldr	r0, =cpu_stacks_end
	str	r0, [r4]
	ldr	r0, =guest_main
	str	r0, [r4, #4]
	b	common

	/*
	 * PSCI enters here with the address of a struct cpu_boot { sp, fn,
	 * cpsr, sctlr } in r0.
	 */
	.globl secondary_entry
secondary_entry:
	mov	r4, r0
	mrs	r0, cpsr
	str	r0, [r4, #8]
	mrc	p15, 0, r0, c1, c0, 0
	str	r0, [r4, #12]
common:
	setend	le
	ldr	r0, [r4]
	cpsid	if, #MODE_FIQ
	sub	sp, r0, #1024
	cpsid	if, #MODE_IRQ
	sub	sp, r0, #2048
	cpsid	if, #MODE_ABT
	sub	sp, r0, #3072
	cpsid	if, #MODE_UND
	sub	sp, r0, #4096
	cpsid	if, #MODE_SVC
	sub	sp, r0, #5120
	ldr	r0, =vectors
	mcr	p15, 0, r0, c12, c0, 0		/* VBAR */
	isb
	bl	cpu_setup
	ldr	r0, [r4, #4]
	blx	r0
1:	wfi
	b	1b

	/* A Thumb entry point for CPU_ON. */
	.thumb
	.thumb_func
	.globl secondary_entry_thumb
secondary_entry_thumb:
	mrs	r1, cpsr
	str	r1, [r0, #16]
	ldr	r1, =secondary_entry
	bx	r1
	.ltorg
	.arm

	.text
	.balign 32
	.globl vectors
vectors:
	b	vec_bad
	b	vec_und
	b	vec_svc
	b	vec_pabt
	b	vec_dabt
	b	vec_bad
	b	vec_irq
	b	vec_fiq

	/*
	 * Every exception continues in SVC mode with a struct frame on the SVC stack: r0-r12,
	 * lr_svc, return address, SPSR.
	 */
	.macro	vector name, number, adjust
\name:
	.if	\adjust
	sub	lr, lr, #\adjust
	.endif
	srsdb	sp!, #MODE_SVC
	cps	#MODE_SVC
	push	{r0-r12, lr}
	clrex
	mov	r0, #\number
	mov	r1, sp
	and	r4, sp, #4
	sub	sp, sp, r4
	bl	exception
	add	sp, sp, r4
	pop	{r0-r12, lr}
	rfeia	sp!
	.endm

	/* DDI 0406C table B1-7 has the offsets; exception() corrects UND's. */
	vector	vec_und, 1, 0
	vector	vec_svc, 2, 0
	vector	vec_pabt, 3, 4
	vector	vec_dabt, 4, 8
	vector	vec_irq, 6, 4
	vector	vec_fiq, 7, 4

vec_bad:
	mov	r0, #0
	mov	r1, #0
	bl	exception
	b	vec_bad

	/* u32 hvc(u32 fn, u32 a, u32 b, u32 c), and by smc */
	.globl hvc
hvc:	hvc	#0
	bx	lr
	.globl smc
smc:	smc	#0
	bx	lr

	/* void hvc4(u32 r[4]): all four result registers */
	.globl hvc4
hvc4:	push	{r4, lr}
	mov	r4, r0
	ldm	r4, {r0-r3}
	hvc	#0
	stm	r4, {r0-r3}
	pop	{r4, pc}

	/*
	 * u32 call_in_mode(u32 mode, u32 (*fn)(u32), u32 arg): runs fn in another mode. fn may not
	 * use the stack, nor r8-r14 except lr. From USR mode it returns by an SVC, which
	 * exception() knows.
	 */
	.globl call_in_mode
call_in_mode:
	push	{r4-r12, lr}
	mov	r12, r1
	cmp	r1, r1
	mrs	r3, cpsr
	bic	r1, r3, #0x1f
	orr	r1, r1, r0
	mov	r0, r2
	mov	r4, r12
	/* Not by MSR: the emulator's counters (QEMU 7.2) do not notice that PL0 begins. */
	msr	spsr_cxsf, r1
	adr	lr, 1f
	movs	pc, lr
1:	blx	r4
	svc	#0x42
	pop	{r4-r12, pc}

	.section .note.GNU-stack, "", %progbits

	.bss
	.balign 16384
	.globl page_table
page_table:
	.space	16384
	.balign	64
cpu_stacks:
	.space	16384 * GUEST_MAX_CPUS
	.globl cpu_stacks_end
cpu_stacks_end:
