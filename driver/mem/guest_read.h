/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest memory as the guest itself would read it: its code, and its stage 1 tables. */
#ifndef ARMVMM_GUEST_READ_H
#define ARMVMM_GUEST_READ_H

#include <linux/types.h>

#include "arch/gva.h"

struct armvmm_vcpu;

/* All that follows: vm->srcu held, may sleep. */

/* @mmu: the stage 1 that the vCPU has now. */
void armvmm_guest_mmu(struct armvmm_vcpu *vcpu, struct gva_mmu *mmu);

/* @len bytes at @ipa. False where they do not lie in one page of RAM. */
bool armvmm_guest_read(struct armvmm_vcpu *vcpu, u64 ipa, void *buf, unsigned int len);

/* The same at @va, by @mmu, which armvmm_guest_mmu() has set; whatever the permissions there. */
bool armvmm_guest_read_virt(const struct gva_mmu *mmu, u32 va, void *buf, unsigned int len);

#endif
