// SPDX-License-Identifier: GPL-2.0-only
/*
 * A load or store that is known by its instruction, access by access. Words that lie in one page
 * are accessed whole and in the order of their addresses; one that lies in two, which only an
 * unaligned one can, in pieces that each lie in one.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/srcu.h>
#include <linux/string.h>

#include "arch/archregs.h"
#include "arch/exception.h"
#include "core/guest.h"
#include "core/iobus.h"
#include "core/state.h"
#include "core/trace.h"
#include "mem/guest_ram.h"
#include "mmio/mmio.h"
#include "mmio/mmio_data.h"
#include "mmio/mmio_seq.h"

static unsigned int seq_total(const struct armvmm_mmio_seq *seq)
{
	return seq->nr * seq->size;
}

static u64 seq_ipa(const struct armvmm_mmio_seq *seq)
{
	u32 va = seq->va + seq->pos;

	return seq->page[va >> PAGE_SHIFT != seq->va >> PAGE_SHIFT] | offset_in_page(va);
}

/* Bytes of the next access. */
static unsigned int seq_part(const struct armvmm_mmio_seq *seq)
{
	unsigned int done = seq->pos % seq->size;
	u32 va = seq->va + seq->pos;

	if (offset_in_page(va - done) + seq->size <= PAGE_SIZE)
		return seq->size;
	return va & 1 || done + 1 == seq->size ? 1 : 2;
}

/* All is done: base, registers, and on to the next instruction, once. */
static int seq_finish(struct armvmm_vcpu *vcpu)
{
	const struct armvmm_mmio_seq *seq = &vcpu->mmio_seq;
	u32 cpsr = vcpu->hyp->regs.usr_regs.ARM_cpsr, val;
	unsigned int i;

	vcpu->mmio.pending = false;
	armvmm_regs_skip_len(vcpu, seq->insn_len);
	if (seq->writeback)
		*armvmm_regs_ptr(vcpu, seq->rn) = seq->wb_value;
	for (i = 0; !seq->is_write && i < seq->nr; i++) {
		val = 0;
		memcpy(&val, &seq->bytes[i * seq->size], seq->size);
		val = mmio_data_get(cpsr, seq->size, val, seq->sign);
		if (seq->reg[i] == 15)
			armvmm_exception_load_pc(&vcpu->hyp->regs, val);
		else
			*armvmm_regs_ptr(vcpu, seq->reg[i]) = val;
	}
	return 1;
}

/* One access. As armvmm_exit_handle(). */
static int seq_access(struct armvmm_vcpu *vcpu)
{
	struct armvmm_mmio_seq *seq = &vcpu->mmio_seq;
	unsigned int len = seq_part(seq);
	u64 ipa = seq_ipa(seq);
	u32 data = 0;
	int ret;

	if (seq->is_write)
		memcpy(&data, &seq->bytes[seq->pos], len);
	ret = armvmm_guest_ram(vcpu, ipa, &data, len, seq->is_write);
	if (ret < 0)
		return ret;
	if (!ret) {
		if (seq->is_write)
			ret = armvmm_iobus_write(vcpu, ipa, len, &data);
		else
			ret = armvmm_iobus_read(vcpu, ipa, len, &data);
		if (ret) {
			seq->part = len;
			return armvmm_mmio_to_user(vcpu, ipa, len, seq->is_write, data);
		}
		vcpu->stat.mmio_exit_kernel++;
		trace_armvmm_mmio(vcpu->id, seq->is_write ? TRACE_MMIO_WRITE : TRACE_MMIO_READ,
				  len, ipa, data);
	}
	if (!seq->is_write)
		memcpy(&seq->bytes[seq->pos], &data, len);
	seq->pos += len;
	return 1;
}

/* What was done is not done again, whatever ends it: an error leaves the rest to the next RUN. */
static int seq_continue(struct armvmm_vcpu *vcpu)
{
	struct armvmm_mmio_seq *seq = &vcpu->mmio_seq;
	int ret;

	while (seq->pos < seq_total(seq)) {
		ret = seq_access(vcpu);
		if (ret <= 0)
			return ret;
	}
	return seq_finish(vcpu);
}

int armvmm_mmio_seq_start(struct armvmm_vcpu *vcpu)
{
	struct armvmm_mmio_seq *seq = &vcpu->mmio_seq;
	u32 cpsr = vcpu->hyp->regs.usr_regs.ARM_cpsr, val;
	unsigned int i;

	seq->pos = 0;
	seq->part = 0;
	for (i = 0; seq->is_write && i < seq->nr; i++) {
		val = *armvmm_regs_ptr(vcpu, seq->reg[i]);
		/* A stored PC is two instructions ahead (A2.3.1); only A32 can store it. */
		if (seq->reg[i] == 15)
			val += 8;
		val = mmio_data_put(cpsr, seq->size, val);
		memcpy(&seq->bytes[i * seq->size], &val, seq->size);
	}
	vcpu->mmio = (struct armvmm_mmio) { .pending = true, .in_seq = true };
	return seq_continue(vcpu);
}

int armvmm_mmio_seq_complete(struct armvmm_vcpu *vcpu, u32 data)
{
	struct armvmm_mmio_seq *seq = &vcpu->mmio_seq;
	int idx, ret;

	/* There is no answer where an error of the kernel's ended the last RUN. */
	if (!seq->is_write && seq->part) {
		memcpy(&seq->bytes[seq->pos], &data, seq->part);
		trace_armvmm_mmio(vcpu->id, TRACE_MMIO_READ, seq->part, seq_ipa(seq), data);
	}
	seq->pos += seq->part;
	seq->part = 0;

	idx = srcu_read_lock(&vcpu->vm->srcu);
	ret = seq_continue(vcpu);
	srcu_read_unlock(&vcpu->vm->srcu, idx);
	return ret;
}
