// SPDX-License-Identifier: GPL-2.0-only
/*
 * MMIO whose syndrome tells too little: the instruction is read from guest
 * memory. What it says is believed only where it agrees with the abort: other
 * vCPUs may have changed code or tables meanwhile.
 */
#include <linux/kernel.h>
#include <linux/mm.h>

#include "arch/archregs.h"
#include "arch/decode.h"
#include "arch/exception.h"
#include "arch/gva.h"
#include "core/exception_entry.h"
#include "core/guest.h"
#include "core/state.h"
#include "mem/guest_read.h"
#include "mmio/mmio_insn.h"
#include "mmio/mmio_seq.h"

bool armvmm_mmio_insn_wrong_rt(struct armvmm_vcpu *vcpu)
{
	/* What most accesses are not comes first. */
	if (!(vcpu->hyp->regs.usr_regs.ARM_cpsr & CPSR_T) || !(vcpu_hsr(vcpu) & HSR_DABT_WNR))
		return false;
	return MIDR_HAS_766422(vcpu->hyp->vpidr);
}

/* Instructions are aligned to their size: another address holds none. */
static bool insn_fetch(const struct gva_mmu *mmu, u32 va, void *buf, unsigned int len)
{
	return !(va & (len - 1)) && armvmm_guest_read_virt(mmu, va, buf, len);
}

/* Instructions are little-endian, whatever CPSR.E says (A3.3.1). */
static bool insn_read(const struct gva_mmu *mmu, const struct decode_state *state, u32 *insn)
{
	u32 pc = state->r[15];
	u16 hw, second;

	if (!state->thumb)
		return insn_fetch(mmu, pc, insn, 4);
	if (!insn_fetch(mmu, pc, &hw, 2))
		return false;
	*insn = hw;
	if (armvmm_decode_thumb_len(hw) == 2)
		return true;
	if (!insn_fetch(mmu, pc + 2, &second, 2))
		return false;
	*insn = (u32)hw << 16 | second;
	return true;
}

/* Registers in the order of memory. False for a form that is not emulated. */
static bool insn_registers(const struct decode_insn *d, struct armvmm_mmio_seq *seq)
{
	unsigned int i;

	switch (d->kind) {
	case DECODE_SINGLE:
		seq->reg[seq->nr++] = d->rt;
		/* The PC is loaded from a word that is aligned (A8.8.63). */
		return d->rt != 15 || !(d->addr & 3);
	case DECODE_DUAL:
		seq->reg[seq->nr++] = d->rt;
		seq->reg[seq->nr++] = d->rt2;
		break;
	case DECODE_MULTIPLE:
		/* Only exception handlers use these, on stacks. */
		if (d->user_bank || d->exception_return)
			return false;
		for (i = 0; i < MMIO_SEQ_MAX_REGS; i++)
			if (d->regs >> i & 1)
				seq->reg[seq->nr++] = i;
		break;
	default:
		return false;
	}
	/* Whatever SCTLR.A says, these fault where they are not aligned (A3.2.1). */
	return !(d->addr & 3);
}

/*
 * The guest physical pages of the access. The one that faulted is as the hardware found it; the
 * other, if there is one, may be one that the guest may not touch at all.
 */
static enum armvmm_mmio_insn insn_pages(struct armvmm_vcpu *vcpu, const struct gva_mmu *mmu,
					struct armvmm_mmio_seq *seq, u64 ipa, bool user)
{
	u32 last = seq->va + seq->nr * seq->size - 1, far = vcpu->hyp->hxfar, other, fsr;
	unsigned int known = far >> PAGE_SHIFT != seq->va >> PAGE_SHIFT;
	u64 other_ipa;

	/* What was fetched is the access that faulted; a word may be named by any byte of it. */
	if (last < seq->va || far < (seq->va & ~3u) || far > last)
		return MMIO_INSN_REFUSED;
	seq->page[0] = seq->page[1] = ipa & ~(u64)(PAGE_SIZE - 1);
	if (seq->va >> PAGE_SHIFT == last >> PAGE_SHIFT)
		return MMIO_INSN_READY;

	other = known ? seq->va : last & ~(u32)(PAGE_SIZE - 1);
	fsr = armvmm_gva_access(mmu, other, seq->is_write, user, &other_ipa);
	if (fsr) {
		armvmm_exception_entry_dabt_fsr(vcpu->hyp, other, fsr);
		return MMIO_INSN_ABORTED;
	}
	seq->page[!known] = other_ipa & ~(u64)(PAGE_SIZE - 1);
	return MMIO_INSN_READY;
}

enum armvmm_mmio_insn armvmm_mmio_insn_decode(struct armvmm_vcpu *vcpu, u64 ipa)
{
	u32 cpsr = vcpu->hyp->regs.usr_regs.ARM_cpsr, insn, hsr = vcpu_hsr(vcpu);
	struct armvmm_mmio_seq *seq = &vcpu->mmio_seq;
	struct decode_state state = {
		.thumb = cpsr & CPSR_T,
		.carry = cpsr & CPSR_C,
	};
	struct decode_insn d;
	struct gva_mmu mmu;
	unsigned int i;
	bool user;

	/* Jazelle and ThumbEE */
	if (cpsr & CPSR_J)
		return MMIO_INSN_REFUSED;
	for (i = 0; i < 16; i++)
		state.r[i] = *armvmm_regs_ptr(vcpu, i);
	armvmm_guest_mmu(vcpu, &mmu);
	if (!insn_read(&mmu, &state, &insn) || !armvmm_decode_ldst(insn, &state, &d))
		return MMIO_INSN_REFUSED;
	/* One whose condition fails would not have faulted. */
	if (d.is_load == !!(hsr & HSR_DABT_WNR) || !armvmm_exception_insn_runs(cpsr, insn))
		return MMIO_INSN_REFUSED;

	*seq = (struct armvmm_mmio_seq) {
		.va = d.addr,
		.size = d.size,
		.insn_len = d.len,
		.is_write = !d.is_load,
		.sign = d.sign,
		.writeback = d.writeback,
		.rn = d.rn,
		.wb_value = d.wb_value,
	};
	if (!insn_registers(&d, seq))
		return MMIO_INSN_REFUSED;
	user = d.unprivileged || (cpsr & CPSR_M_MASK) == CPSR_M_USR;
	return insn_pages(vcpu, &mmu, seq, ipa, user);
}
