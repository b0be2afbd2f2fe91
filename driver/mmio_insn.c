// SPDX-License-Identifier: GPL-2.0-only
/*
 * MMIO whose syndrome tells too little: the instruction is read from guest
 * memory. What it says is believed only where it agrees with the abort: other
 * vCPUs may have changed code or tables meanwhile.
 */
#include <linux/kernel.h>
#include <linux/uaccess.h>

#include "archregs.h"
#include "decode.h"
#include "gva.h"
#include "memslot.h"
#include "mmio_insn.h"
#include "regs.h"
#include "vcpu.h"
#include "vm.h"

/*
 * Erratum 766422: the syndrome of a store by a 32-bit Thumb instruction may
 * name the wrong register on Cortex-A15 r0p0 to r0p4.
 */
bool armvmm_mmio_insn_wrong_rt(struct armvmm_vcpu *vcpu)
{
	u32 midr = vcpu->hyp->vpidr;

	return MIDR_IMPLEMENTER(midr) == MIDR_ARM && MIDR_PART(midr) == MIDR_PART_A15 &&
	       MIDR_VARIANT(midr) == 0 && MIDR_REVISION(midr) <= 4 &&
	       (vcpu_hsr(vcpu) & HSR_DABT_WNR) &&
	       (vcpu->hyp->regs.usr_regs.ARM_cpsr & CPSR_T);
}

/* Aligned to its size, so within a page. vm->srcu held. */
static bool mmio_read_phys(void *ctx, u64 ipa, void *buf, unsigned int len)
{
	struct armvmm_vcpu *vcpu = ctx;
	struct armvmm_memslot *slot = armvmm_memslot_find(vcpu->vm, ipa >> PAGE_SHIFT);
	unsigned long hva;

	if (!slot || (ipa & (len - 1)))
		return false;
	hva = armvmm_memslot_hva(slot, ipa >> PAGE_SHIFT) + offset_in_page(ipa);
	return !copy_from_user(buf, (const void __user *)hva, len);
}

static bool mmio_fetch(struct armvmm_vcpu *vcpu, u32 va, void *buf, unsigned int len)
{
	const struct gva_mmu mmu = {
		.sctlr = vcpu_cp15(vcpu, CP15_SCTLR),
		.ttbcr = vcpu_cp15(vcpu, CP15_TTBCR),
		.ttbr0 = (u64)vcpu_cp15(vcpu, CP15_TTBR0_HI) << 32 | vcpu_cp15(vcpu, CP15_TTBR0),
		.ttbr1 = (u64)vcpu_cp15(vcpu, CP15_TTBR1_HI) << 32 | vcpu_cp15(vcpu, CP15_TTBR1),
		.read = mmio_read_phys,
		.ctx = vcpu,
	};
	u64 ipa;

	return gva_translate(&mmu, va, &ipa) && mmio_read_phys(vcpu, ipa, buf, len);
}

/* Instructions are little-endian, whatever CPSR.E says (A3.3.1). */
static bool mmio_fetch_insn(struct armvmm_vcpu *vcpu, const struct decode_state *state, u32 *insn)
{
	u32 pc = state->r[15];
	u16 hw, second;

	if (!state->thumb)
		return mmio_fetch(vcpu, pc, insn, 4);
	if (!mmio_fetch(vcpu, pc, &hw, 2))
		return false;
	*insn = hw;
	if (decode_thumb_len(hw) == 2)
		return true;
	if (!mmio_fetch(vcpu, pc + 2, &second, 2))
		return false;
	*insn = (u32)hw << 16 | second;
	return true;
}

bool armvmm_mmio_insn_decode(struct armvmm_vcpu *vcpu, struct armvmm_mmio *mmio)
{
	u32 cpsr = vcpu->hyp->regs.usr_regs.ARM_cpsr, insn, hsr = vcpu_hsr(vcpu);
	struct decode_state state = {
		.thumb = cpsr & CPSR_T,
		.carry = cpsr & CPSR_C,
	};
	struct decode_insn d;
	unsigned int i;

	/* Jazelle and ThumbEE */
	if (cpsr & CPSR_J)
		return false;
	for (i = 0; i < 16; i++)
		state.r[i] = *armvmm_regs_ptr(vcpu, i);
	if (!mmio_fetch_insn(vcpu, &state, &insn) || !decode_ldst(insn, &state, &d))
		return false;
	if (d.kind != DECODE_SINGLE || d.rt == 15 || d.is_load == !!(hsr & HSR_DABT_WNR) ||
	    d.addr != vcpu->hyp->hxfar)
		return false;

	*mmio = (struct armvmm_mmio) {
		.is_write = !d.is_load,
		.sign_extend = d.sign,
		.rt = d.rt,
		.len = d.size,
		.insn_len = d.len,
		.writeback = d.writeback,
		.rn = d.rn,
		.wb_value = d.wb_value,
	};
	return true;
}
