/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A board's firmware, at its address 0 (-bios): secure state, and a monitor. Goes on in HYP mode at
 * ROM_NEXT, where the emulator has put the program, as firmware that starts a kernel does. Has the
 * calls of rom.h.
 */
#include "rom.h"

#include "../../../guest/lib/psci.h"

#define SCR_NS		(1 << 0)
#define SCR_EA		(1 << 3)
#define SCR_HCE		(1 << 8)
#define CPSR_HYP	0x1da		/* A, I and F set */
#define SECURE_RAM	0x0e000000	/* its first word counts aborts; the stack */
#define SECURE_GPIO	0x090b0000	/* a PL061, of which pin 0 is the board's power */

	.syntax unified
	.arch armv7-a
	.arch_extension virt
	.arch_extension sec
	.arm

	.text
	.globl _start
_start:
	b	reset
	b	.		@ undefined instruction
	b	smc
	b	.		@ prefetch abort
	b	abort
	b	.
	b	.		@ IRQ
	b	.		@ FIQ

reset:
	cps	#0x16			@ Monitor
	ldr	sp, =SECURE_RAM + 0x1000
	mov	r0, #0
	ldr	r1, =SECURE_RAM
	str	r0, [r1]
	ldr	r0, =_start
	mcr	p15, 0, r0, c12, c0, 1	@ MVBAR
	movw	r0, #SCR_NS | SCR_HCE
	mcr	p15, 0, r0, c1, c1, 0	@ SCR
	isb
	movw	r0, #CPSR_HYP
	msr	SPSR_cxsf, r0
	ldr	lr, =ROM_NEXT
	movs	pc, lr

/* The calls, by r0; r1 is the argument. Others are answered as PSCI does. */
smc:
	mov	r12, r0
	mvn	r0, #0
	ldr	r3, =ROM_SET_EA
	cmp	r12, r3
	beq	set_ea
	ldr	r3, =ROM_ABORTS
	cmp	r12, r3
	ldreq	r3, =SECURE_RAM
	ldreq	r0, [r3]
	ldr	r3, =PSCI_SYSTEM_OFF
	cmp	r12, r3
	beq	off
	movs	pc, lr

set_ea:
	mrc	p15, 0, r0, c1, c1, 0	@ SCR
	bic	r0, r0, #SCR_EA
	cmp	r1, #0
	orrne	r0, r0, #SCR_EA
	mcr	p15, 0, r0, c1, c1, 0
	isb
	movs	pc, lr

/* An external abort where SCR.EA is set: it is counted, and its instruction left out. */
abort:
	push	{r0, r1}
	ldr	r0, =SECURE_RAM
	ldr	r1, [r0]
	add	r1, r1, #1
	str	r1, [r0]
	pop	{r0, r1}
	subs	pc, lr, #4

off:
	ldr	r0, =SECURE_GPIO
	mov	r1, #1
	str	r1, [r0, #0x400]	@ GPIODIR
	str	r1, [r0, #4]		@ GPIODATA, pin 0
	b	.

	.section .note.GNU-stack, "", %progbits
