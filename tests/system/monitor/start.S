/* SPDX-License-Identifier: GPL-2.0-only */
/* Entry of the boot CPU and of the CPUs that it starts by PSCI. The MMU stays off. */
#include "../../guest/lib/board.h"
	.arch armv7ve
	.arm

	.section .text.start, "ax"
	.globl _start
_start:
	/* The first instruction of the guest shows on the console. */
	ldr	r12, =UART_DR
	mov	r11, #'!'
	str	r11, [r12]
	ldr	r3, =__bss_start
	ldr	r4, =__bss_end
	mov	r5, #0
1:	cmp	r3, r4
	strlo	r5, [r3], #4
	blo	1b
	ldr	sp, =stack_end
	mrs	r3, cpsr
	bl	monitor_main
2:	wfi
	b	2b

	/* PSCI CPU_ON enters here, the context number in r0. */
	.globl secondary_start
secondary_start:
	ldr	sp, =stack_end
	sub	sp, sp, r0, lsl #12
	bl	secondary_main
	b	2b

	/* u32 psci(u32 function, u32 a, u32 b, u32 c) */
	.globl psci
psci:	hvc	#0
	bx	lr

	.section .note.GNU-stack, "", %progbits
	.bss
	.balign	64
	.space	4096 * 8
stack_end:
