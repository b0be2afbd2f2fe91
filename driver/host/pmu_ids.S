/* SPDX-License-Identifier: GPL-2.0-only */
/* PMCEID0 and PMCEID1, which PMUv2 has (DDI 0406C B4.1.114) and the emulator (QEMU 7.2) has not. */
#include "host/a32_func.h"

	.syntax	unified
	.arch	armv7-a
	.arm

	.text
	.align	5

/*
 * u32 armvmm_pmu_ids_read(u32 ids[2]): 1, or 0 where an access is undefined, which vectors
 * of our own catch. Preemption off; A, I and F are masked here.
 */
	a32_func armvmm_pmu_ids_read
	push	{r4-r8, lr}
	a32_own_vectors ids_vectors, r1
	mov	r7, #1
	mov	r2, #0
	mov	r3, #0
	mrc	p15, 0, r2, c9, c12, 6	@ PMCEID0
	mrc	p15, 0, r3, c9, c12, 7	@ PMCEID1
	a32_own_vectors_end
	stm	r0, {r2, r3}
	mov	r0, r7
	pop	{r4-r8, pc}
	.size	armvmm_pmu_ids_read, . - armvmm_pmu_ids_read

	a32_vectors ids_vectors, ids_undef
ids_undef:
	mov	r7, #0
	movs	pc, lr			@ past the instruction (B1.8.3)

	.section .note.GNU-stack, "", %progbits
