/* SPDX-License-Identifier: GPL-2.0-only */
/* MMIO whose syndrome tells too little: the instruction is read from guest memory. */
#ifndef ARMVMM_MMIO_INSN_H
#define ARMVMM_MMIO_INSN_H

#include <linux/types.h>

struct armvmm_mmio;
struct armvmm_vcpu;

/* Cortex-A15 erratum 766422 may apply: the syndrome's register is not to be trusted. */
bool armvmm_mmio_insn_wrong_rt(struct armvmm_vcpu *vcpu);

/*
 * Fills @mmio from the instruction at the guest's PC. False where it cannot be
 * read or is no access of one general-purpose register. vm->srcu held, may sleep.
 */
bool armvmm_mmio_insn_decode(struct armvmm_vcpu *vcpu, struct armvmm_mmio *mmio);

#endif
