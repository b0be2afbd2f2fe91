/* SPDX-License-Identifier: GPL-2.0-only */
/* Exceptions as a guest's CPU takes them, in software: pure functions of struct hyp_vcpu. */
#ifndef ARMVMM_EXCEPTION_ENTRY_H
#define ARMVMM_EXCEPTION_ENTRY_H

#include <linux/types.h>

struct hyp_vcpu;

/* Entry to an exception as hardware would make it (B1.9.2, B1.9.7, B1.9.8). */
void armvmm_exception_entry_undef(struct hyp_vcpu *hyp);
void armvmm_exception_entry_dabt(struct hyp_vcpu *hyp, u32 far, bool write);
/* The same with a DFSR of the caller's. */
void armvmm_exception_entry_dabt_fsr(struct hyp_vcpu *hyp, u32 far, u32 fsr);
void armvmm_exception_entry_pabt(struct hyp_vcpu *hyp, u32 far);

/*
 * The same for debug events (C3.4, C5.3): BKPT, a breakpoint or a vector catch,
 * whose IFAR is UNKNOWN and stays; a watchpoint, with DFSR.WnR and CM in @fsr.
 */
void armvmm_exception_entry_debug_pabt(struct hyp_vcpu *hyp);
void armvmm_exception_entry_debug_dabt(struct hyp_vcpu *hyp, u32 far, u32 fsr);

#endif
