/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ways in and out of HYP's address space. Position-independent: takeover.c
 * copies it to a page that HYP maps at its physical address, cleaned to the
 * point of coherency, for it runs with MMU and caches off.
 */
#include "arch/archregs.h"
#include "arch/lpae.h"
#include "hyp/offsets.h"

	.syntax	unified
	.arch	armv7-a
	.arch_extension virt
	.arm

/* T0SZ is 0. SH0, how walks are shared, is VTCR's. */
#define HTCR_VALUE	(HTCR_SBOP | TCR_IRGN0_WBWA | TCR_ORGN0_WBWA)
#define HMAIR0_VALUE	(MAIR_FIELD(HYP_MAIR_SO, MAIR_SO) |		\
			 MAIR_FIELD(HYP_MAIR_DEVICE, MAIR_DEVICE) |	\
			 MAIR_FIELD(HYP_MAIR_NC, MAIR_NC) |		\
			 MAIR_FIELD(HYP_MAIR_NORMAL, MAIR_WBWA))
/* Not TE: HYP's code is A32. */
#define HSCTLR_VALUE	(HSCTLR_RES1 | HSCTLR_WXN | HSCTLR_I | HSCTLR_CP15BEN |	\
			 HSCTLR_C | HSCTLR_A | HSCTLR_M)

/* The stub's HSCTLR: MMU and caches off, and exceptions in the kernel's instruction set. */
	.macro	mmu_off hsctlr, tmp
	mcr	p15, 4, \hsctlr, c1, c0, 0	@ HSCTLR
	isb
	mcr	p15, 4, \tmp, c8, c7, 0		@ TLBIALLH
	dsb
	isb
	.endm

	.section .hyp.entry, "ax", %progbits
	.align	5
	.globl	hyp_entry_start
hyp_entry_start:

/*
 * From the kernel's stub (SOFT_RESTART): HYP mode, MMU off, ELR_hyp and
 * SPSR_hyp those of the hvc. r2, r3: HTTBR; r4: SP_hyp; r5: HVBAR; r6: HTPIDR;
 * r7: VTCR; r8: VTTBR's upper word, or HYP_VMID_KEEP. Returns the stub's HVBAR in
 * r0, its HSCTLR in r1. Clobbers r8 and r12.
 */
	.globl	hyp_entry_takeover
hyp_entry_takeover:
	mrc	p15, 4, r0, c12, c0, 0		@ HVBAR
	mcrr	p15, 4, r2, r3, c2		@ HTTBR
	movw	r1, #HTCR_VALUE & 0xffff
	movt	r1, #HTCR_VALUE >> 16
	and	r12, r7, #TCR_SH0_MASK
	orr	r1, r1, r12
	mcr	p15, 4, r1, c2, c0, 2		@ HTCR
	movw	r1, #HMAIR0_VALUE & 0xffff
	movt	r1, #HMAIR0_VALUE >> 16
	mcr	p15, 4, r1, c10, c2, 0		@ HMAIR0
	mov	r1, #0
	mcr	p15, 4, r1, c10, c2, 1		@ HMAIR1
	mcr	p15, 4, r7, c2, c1, 2		@ VTCR
	/*
	 * VTTBR.VMID is UNKNOWN after reset (B4.1.160), and tags the host's entries
	 * too, those that broadcasts of CPUs with another would miss (B3.10.5). The
	 * first CPU keeps the one that Linux has run with; it is every CPU's.
	 */
	cmp	r8, #HYP_VMID_KEEP
	mrrc	p15, 6, r1, r12, c2		@ VTTBR
	andeq	r8, r12, #VTTBR_HI_VMID_MASK
	mov	r1, #0
	mcrr	p15, 6, r1, r8, c2
	mrc	p15, 4, r1, c1, c0, 0		@ HSCTLR
	mov	r8, #0
	isb
	mcr	p15, 4, r8, c8, c7, 4		@ TLBIALLNSNH
	mcr	p15, 4, r8, c8, c7, 0		@ TLBIALLH
	mcr	p15, 0, r8, c7, c5, 0		@ ICIALLU
	mcr	p15, 0, r8, c7, c5, 6		@ BPIALL
	dsb
	isb
	movw	r8, #HSCTLR_VALUE & 0xffff
	movt	r8, #HSCTLR_VALUE >> 16
	mcr	p15, 4, r8, c1, c0, 0		@ HSCTLR: MMU on, on this page
	isb
	mov	sp, r4
	mcr	p15, 4, r5, c12, c0, 0		@ HVBAR
	mcr	p15, 4, r6, c13, c0, 2		@ HTPIDR
	isb
	eret

/* Back to the stub. r1: its HVBAR; r2: its HSCTLR. */
	.globl	hyp_entry_release
hyp_entry_release:
	mmu_off	r2, r12
	mcr	p15, 4, r1, c12, c0, 0		@ HVBAR
	isb
	mov	r0, #0
	eret

/* The stub's SOFT_RESTART: r1: where to go on; r0: the stub's HVBAR; r12: its HSCTLR. */
	.globl	hyp_entry_restart
hyp_entry_restart:
	mmu_off	r12, lr
	mcr	p15, 4, r0, c12, c0, 0		@ HVBAR
	isb
	mov	r0, #1				@ as the stub leaves it
	bx	r1

	.globl	hyp_entry_end
hyp_entry_end:

	.section .note.GNU-stack, "", %progbits
