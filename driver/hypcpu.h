/* SPDX-License-Identifier: GPL-2.0-only */
/* HYP mode of each physical CPU: taken over, given back, lost and found again. */
#ifndef ARMVMM_HYPCPU_H
#define ARMVMM_HYPCPU_H

#include <linux/types.h>

/*
 * Says whether HYP mode of every online CPU is ours to take: 0, or -ENODEV after
 * one message that says what is missing. Nothing is changed. May sleep.
 */
int armvmm_hypcpu_probe(void);

/*
 * Takes HYP mode of all CPUs over, and of each that comes online, wakes up or
 * resumes from now on. Needs armvmm_hypmap_init(). May sleep.
 */
int armvmm_hypcpu_init(void);
void armvmm_hypcpu_exit(void);

/* True where this CPU's HYP mode is ours: asked with IRQs off before each entry. */
bool armvmm_hypcpu_ready(void);

/* True where this CPU's debug registers answer (debug_probe.c). IRQs off. */
bool armvmm_hypcpu_debug_ok(void);

/* Flushes HYP's own TLB entries on all CPUs, where any CPU is taken over. */
void armvmm_hypcpu_tlbi_hyp(void);

#endif
