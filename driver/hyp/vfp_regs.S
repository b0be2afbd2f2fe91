/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Floating point and SIMD, moved on first use. The host kernel moves a thread's registers lazily
 * too, so all of them are restored, whichever thread's they are and whether enabled or not. HCPTR
 * allows HYP mode's accesses when these run.
 */
#include "arch/archregs.h"

	.syntax	unified
	.arch	armv7-a
	.fpu	neon
	.arm

#define VFP_FPSCR	256
#define VFP_FPEXC	260
#define VFP_FPINST	264
#define VFP_FPINST2	268

	.section .hyp.text, "ax", %progbits
	.align	2

/* void hyp_vfp_save(struct hyp_vfp *vfp, u32 d32) */
	.globl	hyp_vfp_save
	.type	hyp_vfp_save, %function
hyp_vfp_save:
	vmrs	r2, fpexc
	str	r2, [r0, #VFP_FPEXC]
	orr	r3, r2, #FPEXC_EN
	vmsr	fpexc, r3
	tst	r2, #FPEXC_EX
	beq	1f
	/* Only an implementation with FPINST ever sets EX (DDI 0406C B6.1.39). */
	vmrs	r3, fpinst
	str	r3, [r0, #VFP_FPINST]
	tst	r2, #FPEXC_FP2V
	vmrsne	r3, fpinst2
	strne	r3, [r0, #VFP_FPINST2]
	mov	r3, #FPEXC_EN
	vmsr	fpexc, r3
1:	vmrs	r3, fpscr
	str	r3, [r0, #VFP_FPSCR]
	vstmia	r0!, {d0-d15}
	cmp	r1, #0
	bxeq	lr
	vstmia	r0!, {d16-d31}
	bx	lr
	.size	hyp_vfp_save, . - hyp_vfp_save

/* void hyp_vfp_restore(struct hyp_vfp *vfp, u32 d32) */
	.globl	hyp_vfp_restore
	.type	hyp_vfp_restore, %function
hyp_vfp_restore:
	push	{r4, lr}
	mov	r4, r0
	mov	r3, #FPEXC_EN
	vmsr	fpexc, r3
	vldmia	r0!, {d0-d15}
	cmp	r1, #0
	beq	1f
	vldmia	r0!, {d16-d31}
1:	ldr	r3, [r4, #VFP_FPSCR]
	vmsr	fpscr, r3
	ldr	r2, [r4, #VFP_FPEXC]
	tst	r2, #FPEXC_EX
	beq	2f
	ldr	r3, [r4, #VFP_FPINST]
	vmsr	fpinst, r3
	tst	r2, #FPEXC_FP2V
	ldrne	r3, [r4, #VFP_FPINST2]
	vmsrne	fpinst2, r3
2:	vmsr	fpexc, r2
	pop	{r4, pc}
	.size	hyp_vfp_restore, . - hyp_vfp_restore

	.section .note.GNU-stack, "", %progbits
