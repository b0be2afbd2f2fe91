/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel's own PMU driver keeps for an event. */
#ifndef ARMVMM_COMPAT_PMU_H
#define ARMVMM_COMPAT_PMU_H

#include <linux/cpumask.h>
#include <linux/perf_event.h>
#include <linux/perf/arm_pmu.h>

#include "compat-config.h"

/*
 * The number of the counter that an active event is in, as PMSELR names it. Until 6.11 the driver
 * counts the cycle counter as 0 and the others from 1.
 */
static inline u32 compat_pmu_counter(const struct perf_event *event)
{
#ifdef HAVE_ARM_PMU_CNTR_MASK
	return event->hw.idx & 0x1f;
#else
	return (event->hw.idx - 1) & 0x1f;
#endif
}

/* True where the PMU of @event is that of every CPU there may be. */
static inline bool compat_pmu_everywhere(struct perf_event *event)
{
#ifdef CONFIG_ARM_PMU
	return cpumask_subset(cpu_possible_mask, &to_arm_pmu(event->pmu)->supported_cpus);
#else
	return false;
#endif
}

#endif
