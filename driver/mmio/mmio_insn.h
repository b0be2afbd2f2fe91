/* SPDX-License-Identifier: GPL-2.0-only */
/* MMIO whose syndrome tells too little: the instruction is read from guest memory. */
#ifndef ARMVMM_MMIO_INSN_H
#define ARMVMM_MMIO_INSN_H

#include <linux/types.h>

struct armvmm_vcpu;

/* Cortex-A15 erratum 766422 may apply: the syndrome's register is not to be trusted. */
bool armvmm_mmio_insn_wrong_rt(struct armvmm_vcpu *vcpu);

enum armvmm_mmio_insn {
	MMIO_INSN_READY,	/* vcpu->mmio_seq may start */
	MMIO_INSN_REFUSED,	/* it cannot be read, or is none that is emulated */
	MMIO_INSN_ABORTED,	/* the guest takes an abort of its own stage 1 */
};

/*
 * Fills vcpu->mmio_seq from the instruction at the guest's PC, whose access to @ipa has faulted.
 * vm->srcu held, may sleep.
 */
enum armvmm_mmio_insn armvmm_mmio_insn_decode(struct armvmm_vcpu *vcpu, u64 ipa);

#endif
