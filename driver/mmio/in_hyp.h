/* SPDX-License-Identifier: GPL-2.0-only */
/* The client's registers that HYP mode answers for. */
#ifndef ARMVMM_MMIO_IN_HYP_H
#define ARMVMM_MMIO_IN_HYP_H

#include "mmio/coalesced.h"
#include "mmio/mirror.h"

/*
 * Around a change of memory slots, or of the devices that are asked before: HYP mode answers for
 * none meanwhile, and then for those that nothing hides. Takes slots_lock.
 */
static inline void armvmm_in_hyp_change(struct armvmm_vm *vm)
{
	armvmm_mirror_slots_change(vm);
	armvmm_coalesced_slots_change(vm);
}

static inline void armvmm_in_hyp_changed(struct armvmm_vm *vm)
{
	armvmm_mirror_slots_changed(vm);
	armvmm_coalesced_slots_changed(vm);
}

#endif
