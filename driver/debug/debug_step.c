// SPDX-License-Identifier: GPL-2.0-only
/*
 * Single step (KVM_GUESTDBG_SINGLESTEP), by breakpoints around the instruction at
 * the PC that next_pc.c plans. The guest takes a pending interrupt first, so a step
 * may end at a vector. With KVM_GUESTDBG_BLOCKIRQ interrupts wait until the
 * instruction is done. An exit clears the exclusive monitor (hyp/vectors.S): a
 * debugger cannot step through a loop of LDREX and STREX, only past it.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/srcu.h>
#include <linux/string.h>

#include "arch/archregs.h"
#include "arch/decode.h"
#include "arch/exception.h"
#include "arch/next_pc.h"
#include "core/guest.h"
#include "core/state.h"
#include "debug/debug.h"
#include "mem/guest_read.h"

static bool step_read(void *vcpu, u32 va, void *buf, unsigned int len)
{
	struct gva_mmu mmu;

	armvmm_guest_mmu(vcpu, &mmu);
	return armvmm_guest_read_virt(&mmu, va, buf, len);
}

static void step_state(struct armvmm_vcpu *vcpu, struct next_pc_state *state)
{
	struct hyp_vcpu *hyp = vcpu->hyp;
	u32 sctlr = vcpu_cp15(vcpu, CP15_SCTLR), *spsr = armvmm_exception_spsr(&hyp->regs);
	unsigned int i;

	*state = (struct next_pc_state) {
		.cpsr = hyp->regs.usr_regs.ARM_cpsr,
		.spsr = spsr ? *spsr : 0,
		.has_spsr = spsr,
		.vectors = sctlr & SCTLR_V ? VECTORS_HIGH : vcpu_cp15(vcpu, CP15_VBAR),
		.vectors_thumb = sctlr & SCTLR_TE,
		.read = step_read,
		.ctx = vcpu,
	};
	for (i = 0; i < 16; i++)
		state->r[i] = *armvmm_regs_ptr(vcpu, i);
}

int armvmm_debug_at_bkpt(struct armvmm_vcpu *vcpu)
{
	struct next_pc_state state;
	bool known;
	u32 insn;
	int idx;

	step_state(vcpu, &state);
	idx = srcu_read_lock(&vcpu->vm->srcu);
	known = armvmm_next_pc_fetch(&state, &insn);
	srcu_read_unlock(&vcpu->vm->srcu, idx);
	if (!known)
		return -EFAULT;
	/* A8.8.24: always unconditional */
	return state.cpsr & CPSR_T ? (insn & ~0xffu) == 0xbe00 : (insn & 0xfff000f0) == 0xe1200070;
}

static void step_load(struct hyp_debug *hyp, const struct next_pc_bp *bps, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < hyp->nr_brp; i++) {
		hyp->regs.bvr[i] = i < nr ? bps[i].bvr : 0;
		hyp->regs.bcr[i] = i < nr ? bps[i].bcr : 0;
	}
}

/*
 * Can the instruction at the PC be one by which an interrupt handler works with the GIC? It reads
 * GICC_IAR or ISR, or writes GICC_EOIR or GICC_DIR. Such an instruction does not unmask interrupts.
 */
static bool step_handles_irq(const struct next_pc_state *state)
{
	struct decode_state decode = { .thumb = state->cpsr & CPSR_T };
	struct decode_insn insn;
	u32 word;

	if (!armvmm_next_pc_fetch(state, &word))
		return false;
	if ((word & 0x0f100010) == 0x0e100010)	/* MRC (A8.8.107), A32 or T32 */
		return true;
	memcpy(decode.r, state->r, sizeof(decode.r));
	return armvmm_decode_ldst(word, &decode, &insn) && !insn.exception_return;
}

/*
 * Must interrupts be kept from the guest while it executes the instruction at the PC? An
 * instruction of a handler has to find the pending interrupt, at a virtual CPU interface that is
 * on; with IRQs masked the guest does not take it. From all other instructions interrupts are kept:
 * they may unmask IRQs. With the client's own interrupt controller no instruction needs the virtual
 * CPU interface. vm->srcu is held.
 *
 * HYP mode shows no interrupts by itself then, as a step has HYP_DEBUG_LOAD (hyp/timer.c,
 * hyp/dist.c).
 */
static bool step_blocks_irq(const struct armvmm_vcpu *vcpu, const struct next_pc_state *state)
{
	if (!(vcpu->debug.control & KVM_GUESTDBG_BLOCKIRQ))
		return false;
	return !(state->cpsr & CPSR_I) || !vcpu->vm->vgic.in_kernel || !step_handles_irq(state);
}

/*
 * The breakpoints are planned anew before each entry. A host interrupt may have
 * ended the last one before the guest executed anything, and other vCPUs may have
 * written the memory that decides where this one goes.
 */
int armvmm_debug_step(struct armvmm_vcpu *vcpu)
{
	struct armvmm_debug *debug = &vcpu->debug;
	struct hyp_debug *hyp = &vcpu->hyp->debug;
	u32 pc = vcpu->hyp->regs.usr_regs.ARM_pc;
	struct next_pc_bp bps[STEP_MAX_BPS];
	struct next_pc_state state;
	unsigned int n;
	int idx;

	if (debug->step_begun && pc != debug->step_pc)
		return armvmm_debug_to_user(vcpu, KVM_ARM_DEBUG_EC_STEP, 0);
	debug->step_begun = true;
	debug->step_pc = pc;

	step_state(vcpu, &state);
	idx = srcu_read_lock(&vcpu->vm->srcu);
	n = armvmm_next_pc_plan(&state, armvmm_debug_host.mismatch, bps, hyp->nr_brp);
	debug->irq_blocked = step_blocks_irq(vcpu, &state);
	srcu_read_unlock(&vcpu->vm->srcu, idx);
	step_load(hyp, bps, n);
	return 1;
}
