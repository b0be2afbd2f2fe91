/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * HYP mode's exception vectors, and the general-purpose registers' part of the
 * world switch. Linked first: its section's alignment gives all of .hyp.text a
 * page of its own.
 *
 * HTPIDR holds this CPU's struct hyp_cpu. LR in HYP mode is LR_usr (DDI 0406C
 * B1.3.2). A guest's is saved before C code runs. The host's is dead, because the
 * kernel returns to user space from pt_regs.
 */
#include "arch/archregs.h"
#include "hyp/hyp.h"
#include "hyp/offsets.h"

	.syntax	unified
	.arch	armv7-a
	.arch_extension virt
	.arm

	.section .hyp.text, "ax", %progbits
	.align	12
	.globl	hyp_text_start
hyp_text_start:

/* For CPUs on which no guest can train the branch predictor for HYP mode (Cortex-A7). */
	.align	5
	.globl	hyp_vectors
hyp_vectors:
	b	vector_reset
	b	vector_undef
	b	vector_hvc
	b	vector_pabt
	b	vector_dabt
	b	vector_trap
	b	vector_irq
	b	vector_fiq

/*
 * For CPUs whose predictor must be emptied before the first branch that it could
 * steer. Each slot falls through to the next one and adds 1 to SP, so that SP's low
 * bits tell which slot it was: SP is a multiple of eight in HYP mode, and nothing
 * here can fault.
 */
	.macro	count_vector
	add	sp, sp, #1	@ reset
	add	sp, sp, #1	@ undefined
	add	sp, sp, #1	@ hvc in HYP
	add	sp, sp, #1	@ prefetch abort
	add	sp, sp, #1	@ data abort
	add	sp, sp, #1	@ trap
	add	sp, sp, #1	@ IRQ
	nop			@ FIQ
	.endm

	.macro	decode_vector left, target
	eor	sp, sp, #\left
	tst	sp, #7
	beq	\target
	eor	sp, sp, #\left
	.endm

	.align	5
	.globl	hyp_vectors_iciallu
hyp_vectors_iciallu:
	count_vector
	mcr	p15, 0, r0, c7, c5, 0	@ ICIALLU: with ACTLR.IBE, the BTB too
	isb
	b	vector_decode

/*
 * For CPUs where HYP mode has no operation that empties it: branches overwrite the
 * history that predictions depend on, as in Linux's exception vectors
 * (SPECTRE_V2_METHOD_LOOP8). They are unrolled, as no register is free to count in.
 */
	.align	5
	.globl	hyp_vectors_loop8
hyp_vectors_loop8:
	count_vector
	.rept	16
	b	1f
1:
	.endr
	dsb
	isb
	b	vector_decode

	.align	5
	.globl	hyp_vectors_bpiall
hyp_vectors_bpiall:
	count_vector
	mcr	p15, 0, r0, c7, c5, 6	@ BPIALL
	isb

vector_decode:
	decode_vector 2, counted_trap
	decode_vector 1, counted_irq
	decode_vector 3, vector_dabt
	decode_vector 4, vector_pabt
	decode_vector 5, vector_hvc
	decode_vector 6, vector_undef
	decode_vector 7, vector_reset
	b	counted_fiq

/*
 * A fault in HYP mode itself may come with any SP, and then the count is wrong.
 * No other exception that HYP mode takes from itself uses a vector of the guest's.
 */
	.macro	counted target
	push	{r0}
	mrs	r0, SPSR
	and	r0, r0, #CPSR_M_MASK
	cmp	r0, #CPSR_M_HYP
	pop	{r0}
	bne	\target
	b	panic_uncounted
	.endm

counted_fiq:
	counted	vector_fiq
counted_irq:
	counted	vector_irq
counted_trap:
	counted	vector_trap

/*
 * Saves r0-r12 and LR_usr in struct hyp_vcpu. Leaves struct hyp_cpu in r0 and r4,
 * struct hyp_vcpu in r1 and r5. If the host was running, goes to \host instead, with
 * r0 and r1 on the stack.
 */
	.macro	save_guest host
	push	{r0, r1}
	mrc	p15, 4, r0, c13, c0, 2	@ HTPIDR
	ldr	r1, [r0, #CPU_VCPU]
	cmp	r1, #0
	beq	\host
	add	r1, r1, #8
	stmia	r1, {r2-r12}
	sub	r1, r1, #8
	pop	{r2, r3}
	stmia	r1, {r2, r3}		@ r0, r1: VCPU_R0 is 0
	str	lr, [r1, #VCPU_LR]
	mov	r4, r0
	mov	r5, r1
	.endm

/* Traps of the guest, and the host's calls. */
vector_trap:
	save_guest host_call
	bl	hyp_fastpath
guest_decided:
	cmp	r0, #HYP_RESUME
	movne	r2, r0
	bne	guest_exit

/* Back to the guest, r5, with no world switch. ELR_hyp is where it goes on. */
guest_resume:
	ldr	lr, [r5, #VCPU_LR]
	ldmia	r5, {r0-r12}
	eret

/* The host's do not come to HYP mode: a fault. */
vector_irq:
	save_guest vector_hvc
	bl	hyp_irq
	b	guest_decided

vector_fiq:
	save_guest vector_hvc
	mov	r2, #HYP_EXIT_IRQ

/* Leaves the guest for the host. r4: struct hyp_cpu, r5: struct hyp_vcpu, r2: HYP_EXIT_*. */
guest_exit:
	mrs	r3, SP_usr
	str	r3, [r5, #VCPU_SP]
	mrs	r3, ELR_hyp
	str	r3, [r5, #VCPU_PC]
	mrs	r3, SPSR
	str	r3, [r5, #VCPU_CPSR]

	/* An asynchronous abort that the guest caused must not reach the host. */
	dsb
	isb
	mrc	p15, 0, r3, c12, c1, 0	@ ISR
	tst	r3, #ISR_A
	blne	hyp_serror_take
	mov	r0, r4
	mov	r1, r5
	bl	hyp_switch_to_host
	pop	{r2, r3}
	msr	ELR_hyp, r2
	msr	SPSR_cxsf, r3
	pop	{r4-r11}
	eret

/* Calls of the host: r0 says which. */
host_call:
	pop	{r0, r1}
	cmp	r0, #HYP_CALL_SOFT_RESTART
	beq	host_restart
	movw	r12, #:lower16:HYP_CALL_BASE
	movt	r12, #:upper16:HYP_CALL_BASE
	sub	r12, r0, r12
	cmp	r12, #0
	beq	host_run
	mrc	p15, 4, r0, c13, c0, 2	@ HTPIDR
	cmp	r12, #HYP_CALL_RELEASE - HYP_CALL_BASE
	beq	host_release
	push	{r3, lr}
	adr	lr, host_call_done
	cmp	r12, #HYP_CALL_TLBI_VMID - HYP_CALL_BASE
	beq	hyp_tlbi_vmid
	cmp	r12, #HYP_CALL_TLBI_VMID_LOCAL - HYP_CALL_BASE
	beq	hyp_tlbi_vmid_local
	cmp	r12, #HYP_CALL_TLBI_ALL - HYP_CALL_BASE
	beq	hyp_tlbi_all
	cmp	r12, #HYP_CALL_TLBI_HYP - HYP_CALL_BASE
	beq	hyp_tlbi_hyp
	cmp	r12, #HYP_CALL_SNAPSHOT - HYP_CALL_BASE
	beq	hyp_snapshot
	movw	r0, #:lower16:HYP_STUB_ERROR
	movt	r0, #:upper16:HYP_STUB_ERROR
host_call_done:
	pop	{r3, lr}
	eret

/*
 * r1: struct hyp_vcpu. An asynchronous abort that is pending here is the host's, and
 * would be taken for the guest's after the entry. So the guest is not entered: the
 * host, whose CPSR.A is clear, takes the abort at once, and tries again.
 */
host_run:
	dsb
	isb
	mrc	p15, 0, r2, c12, c1, 0	@ ISR
	tst	r2, #ISR_A
	movne	r0, #HYP_EXIT_IRQ
	bne	host_run_not
	push	{r4-r11}
	mrs	r2, ELR_hyp
	mrs	r3, SPSR
	push	{r2, r3}
	mrc	p15, 4, r0, c13, c0, 2	@ HTPIDR
	mov	r4, r1
	bl	hyp_switch_to_guest
	ldr	r2, [r4, #VCPU_PC]
	msr	ELR_hyp, r2
	ldr	r2, [r4, #VCPU_CPSR]
	msr	SPSR_cxsf, r2
	ldr	r2, [r4, #VCPU_SP]
	msr	SP_usr, r2
	ldr	lr, [r4, #VCPU_LR]
	clrex				@ no store-exclusive of the host's for the guest
	ldmia	r4, {r0-r12}
host_run_not:
	eret

/* r0: struct hyp_cpu; r1, r2: the HVBAR and HSCTLR to leave. Continues in the identity page. */
host_release:
	ldr	r12, [r0, #CPU_RELEASE]
	bx	r12

/*
 * The stub's ABI (kexec, kdump): r1 is the address to continue at, in HYP mode, MMU off. LR is
 * LR_usr, which nobody needs any more.
 */
host_restart:
	mrc	p15, 4, r12, c13, c0, 2	@ HTPIDR
	ldr	r0, [r12, #CPU_STUB_HVBAR]
	ldr	lr, [r12, #CPU_RESTART]
	ldr	r12, [r12, #CPU_STUB_HSCTLR]
	bx	lr

/*
 * void hyp_serror_take(void): takes the pending asynchronous abort (ISR.A,
 * DDI 0406C B4.1.97), and leaves CPU_SERROR set. CPSR.A is clear in HYP mode only
 * here. The abort overwrites HSR, which is still needed and so restored. Clobbers
 * r0, r1 and r12.
 */
	.globl	hyp_serror_take
hyp_serror_take:
	mrc	p15, 4, r12, c5, c2, 0	@ HSR
	cpsie	a
serror_window:
	isb
	nop
	cpsid	a
serror_window_end:
	mcr	p15, 4, r12, c5, c2, 0	@ HSR
	bx	lr

/*
 * u64 hyp_translate(u32 va): PAR after ATS1CPR, which translates for the guest
 * whose registers are loaded. The walk may end in an external abort, which HYP mode
 * takes as a data abort (B3.14). Then only PAR.F is returned.
 */
	.globl	hyp_translate
hyp_translate:
	mcr	p15, 0, r0, c7, c8, 0	@ ATS1CPR
	isb
	mrrc	p15, 0, r0, r1, c7	@ PAR
	bx	lr
translate_aborted:
	mov	r0, #1
	mov	r1, #0
	bx	lr

/*
 * Data aborts in HYP mode; a guest's come as traps (B1.9.8, TakeDataAbortException).
 * Two places may abort, and ELR_hyp tells which it was. SPSR.A does not: with SCR.EA
 * set, no exception sets CPSR.A in HYP mode (B1.9). Any other data abort is a fault
 * of the module's, of which HMAIR1 keeps r0; neither place needs r0 or r1.
 */
vector_dabt:
	mcr	p15, 4, r0, c10, c2, 1	@ HMAIR1
	mrc	p15, 4, r0, c13, c0, 2	@ HTPIDR
	str	r1, [r0, #CPU_PANIC_R0 + 4]
	mrs	r1, ELR_hyp
	adr	r0, serror_window
	sub	r1, r1, r0
	cmp	r1, #serror_window_end - serror_window
	blo	1f
	cmp	r1, #hyp_translate - serror_window
	bne	panic_dabt
	adr	r0, translate_aborted
	msr	ELR_hyp, r0
	eret				@ r0 and r1 are its result
1:	mrc	p15, 4, r0, c13, c0, 2	@ HTPIDR
	str	r0, [r0, #CPU_SERROR]	@ not 0
	eret

/*
 * Faults in HYP mode itself. The stack may be bad, so nothing is pushed: everything is
 * saved in struct hyp_cpu, and the stack starts anew. HMAIR1 keeps r0, as no table of
 * the module's uses attributes 4 to 7. A core that does not keep an invalid attribute
 * makes only the printed r0 wrong.
 */
	.macro	panic_vector name, number
\name:
	mcr	p15, 4, r0, c10, c2, 1	@ HMAIR1
	mrc	p15, 4, r0, c13, c0, 2	@ HTPIDR
	str	r1, [r0, #CPU_PANIC_R0 + 4]
	mov	r1, #\number
	b	panic_save
	.endm

	panic_vector vector_reset, 0
	panic_vector vector_undef, 1
	panic_vector vector_hvc, 2
	panic_vector vector_pabt, 3

panic_uncounted:
	mcr	p15, 4, r0, c10, c2, 1	@ HMAIR1
	mrc	p15, 4, r0, c13, c0, 2	@ HTPIDR
	str	r1, [r0, #CPU_PANIC_R0 + 4]
	mov	r1, #5			@ which one is not known
	b	panic_save

panic_dabt:
	mrc	p15, 4, r0, c13, c0, 2	@ HTPIDR
	mov	r1, #4

panic_save:
	str	r1, [r0, #CPU_PANIC_VECTOR]
	add	r1, r0, #CPU_PANIC_R0 + 8
	stmia	r1, {r2-r12}
	str	sp, [r0, #CPU_PANIC_R0 + 52]
	str	lr, [r0, #CPU_PANIC_R0 + 56]
	mrc	p15, 4, r2, c10, c2, 1	@ HMAIR1
	str	r2, [r0, #CPU_PANIC_R0]
	mov	r4, r0
	ldr	sp, [r0, #CPU_STACK_TOP]
	bl	hyp_panic
	mov	r0, r4			@ for the host's function
	eret

	.section .note.GNU-stack, "", %progbits
