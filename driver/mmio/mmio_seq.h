/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A load or store that is known by its instruction: any number of registers, of which each access
 * may go to RAM, to a device in the kernel, or to one of the client's.
 */
#ifndef ARMVMM_MMIO_SEQ_H
#define ARMVMM_MMIO_SEQ_H

#include <linux/types.h>

#include "core/state.h"

struct armvmm_vcpu;

/*
 * Begins vcpu->mmio_seq, which armvmm_mmio_insn_decode() filled in. vm->srcu is held, may sleep.
 * As armvmm_exit_handle().
 */
int armvmm_mmio_seq_start(struct armvmm_vcpu *vcpu);

/* Goes on at RUN: @data is the client's answer. As armvmm_mmio_complete(). */
int armvmm_mmio_seq_complete(struct armvmm_vcpu *vcpu, u32 data);

#endif
