/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest accesses to memory that is no RAM. */
#ifndef ARMVMM_MMIO_H
#define ARMVMM_MMIO_H

#include <linux/types.h>

#include "core/state.h"

struct armvmm_vcpu;

/*
 * Emulates the load or store at @ipa that just trapped (HSR in hyp->hsr). As
 * armvmm_exit_handle(): 1 done in the kernel, 0 run->mmio is set.
 */
int armvmm_mmio_fault(struct armvmm_vcpu *vcpu, u64 ipa);

/*
 * At RUN: takes the data of a finished read, once, and goes on with its instruction. As
 * armvmm_exit_handle(): 1 where the guest may be entered, 0 where the same instruction's next
 * access is for user space, -errno.
 */
int armvmm_mmio_complete(struct armvmm_vcpu *vcpu);

/* Gives up what is begun: the guest is at the instruction still, as if it had not begun. */
static inline void armvmm_mmio_cancel(struct armvmm_mmio *mmio)
{
	mmio->pending = false;
}

/* For mmio_seq.c: an access of @len bytes for user space; @data in the byte order of memory. 0. */
int armvmm_mmio_to_user(struct armvmm_vcpu *vcpu, u64 ipa, unsigned int len, bool is_write,
			u32 data);

#endif
