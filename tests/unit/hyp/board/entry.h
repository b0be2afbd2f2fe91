/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For assembly: the first instructions of a program on the board, which is entered in HYP mode with
 * the MMU off. The stack, and a bss of zeroes. What follows the inclusion runs next.
 */
	.syntax unified
	.arch armv7-a
	.arch_extension virt
	.arm

	.section .text.start, "ax"
	.globl _start
_start:
	ldr	sp, =stack_end
	ldr	r0, =__bss_start
	ldr	r1, =__bss_end
	mov	r2, #0
1:	cmp	r0, r1
	strlo	r2, [r0], #4
	blo	1b
