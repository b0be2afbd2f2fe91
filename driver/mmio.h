/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest accesses to memory that is no RAM. */
#ifndef ARMVMM_MMIO_H
#define ARMVMM_MMIO_H

#include <linux/types.h>

struct armvmm_vcpu;

/* An access that user space is completing. */
struct armvmm_mmio {
	bool pending;		/* run->mmio is out; the next RUN completes it */
	bool sign_extend;
	bool is_write;
	u8 rt;
	u8 len;			/* 1, 2 or 4 */
	u8 insn_len;		/* 2 or 4 */
	bool writeback;		/* rn becomes wb_value with the access */
	u8 rn;
	u32 wb_value;
};

/*
 * Emulates the load or store at @ipa that just trapped (HSR in hyp->hsr). As
 * armvmm_exit_handle(): 1 done in the kernel, 0 run->mmio is set.
 */
int armvmm_mmio_fault(struct armvmm_vcpu *vcpu, u64 ipa);

/* At RUN: puts the data of a finished read in its register and skips, once. */
int armvmm_mmio_complete(struct armvmm_vcpu *vcpu);

#endif
