/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A load or store that is known by its instruction: any number of registers, of which each access
 * may go to RAM, to a device in the kernel, or to one of the client's.
 */
#ifndef ARMVMM_MMIO_SEQ_H
#define ARMVMM_MMIO_SEQ_H

#include <linux/types.h>

struct armvmm_vcpu;

#define MMIO_SEQ_MAX_REGS	16
#define MMIO_SEQ_MAX_BYTES	(4 * MMIO_SEQ_MAX_REGS)

/*
 * Registers change when all is done, and not before: until then the guest is at the instruction,
 * with its base as it was (DDI 0406C B1.9.8, the base restored abort model), and what is stored
 * is what the registers held when it began.
 */
struct armvmm_mmio_seq {
	u32 va;			/* of the first byte */
	u64 page[2];		/* guest physical pages of the first and of the last byte */
	u8 nr;			/* registers */
	u8 size;		/* bytes of each: 1, 2 or 4 */
	u8 pos;			/* bytes that are done */
	u8 part;		/* bytes that user space has now */
	u8 insn_len;
	bool is_write;
	bool sign;
	bool writeback;		/* rn becomes wb_value in the end */
	u8 rn;
	u32 wb_value;
	u8 reg[MMIO_SEQ_MAX_REGS];	/* in the order of memory */
	u8 bytes[MMIO_SEQ_MAX_BYTES];	/* as they are in memory */
};

/*
 * Begins vcpu->mmio_seq, which armvmm_mmio_insn_decode() filled in. vm->srcu is held, may sleep.
 * As armvmm_exit_handle().
 */
int armvmm_mmio_seq_start(struct armvmm_vcpu *vcpu);

/* Goes on at RUN: @data is the client's answer. As armvmm_mmio_complete(). */
int armvmm_mmio_seq_complete(struct armvmm_vcpu *vcpu, u32 data);

#endif
