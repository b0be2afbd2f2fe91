/* SPDX-License-Identifier: GPL-2.0-only */
/* What hypcpu.c and takeover.c share of each CPU. */
#ifndef ARMVMM_HYPCPU_STATE_H
#define ARMVMM_HYPCPU_STATE_H

#include <linux/percpu.h>
#include <linux/types.h>

#include "hyp/cpu.h"
#include "hyp/offsets.h"

/* Four pages each: guard, stack, guard, struct hyp_cpu. HYP sees two of them. */
DECLARE_PER_CPU(unsigned long, armvmm_hypcpu_block);
DECLARE_PER_CPU(bool, armvmm_hypcpu_taken);

/* HYP's own structure of a CPU. */
static inline struct hyp_cpu *armvmm_hypcpu_of(int cpu)
{
	return (void *)(per_cpu(armvmm_hypcpu_block, cpu) + HYP_CPU_STRUCT_PAGE * PAGE_SIZE);
}

#endif
