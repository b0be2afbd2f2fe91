/* SPDX-License-Identifier: GPL-2.0-only */
/* Entry in HYP mode, MMU off. */
#include "entry.h"
	bl	board_main
2:	wfi
	b	2b

	.section .note.GNU-stack, "", %progbits
	.bss
	.balign	8
	.space	4096
stack_end:
