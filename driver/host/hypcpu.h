/* SPDX-License-Identifier: GPL-2.0-only */
/* What this CPU's HYP mode is to the host. */
#ifndef ARMVMM_HYPCPU_H
#define ARMVMM_HYPCPU_H

#include <linux/types.h>

struct hyp_cpu;

/* HYP's own structure of this CPU. Preemption off; IRQs off to change it. */
struct hyp_cpu *armvmm_hypcpu_this(void);

/* True where this CPU's HYP mode is ours: asked with IRQs off before each entry. */
bool armvmm_hypcpu_ready(void);

/* True where this CPU's debug registers answer (debug_probe.c). IRQs off. */
bool armvmm_hypcpu_debug_ok(void);

/* Flushes HYP's own TLB entries on all CPUs, where any CPU is taken over. */
void armvmm_hypcpu_tlbi_hyp(void);

#endif
