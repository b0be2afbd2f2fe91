/* SPDX-License-Identifier: GPL-2.0-only */
/* Linked last among hyp/: pads .hyp.text to a page, so that it shares none. */
	.section .hyp.text, "ax", %progbits
	.align	12
	.globl	hyp_text_end
hyp_text_end:

	.section .note.GNU-stack, "", %progbits
