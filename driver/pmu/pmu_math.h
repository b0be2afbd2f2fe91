/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The arithmetic of a guest's counter that is an event of the host's perf: its
 * value, how often it has overflowed, and when it will next. Pure.
 *
 * A counter is 32 bits wide. It began at @start, in events of the host; @count
 * more have come since. One step of the counter is 2^@shift events: 64 for a
 * cycle counter with PMCR.D (DDI 0406C B4.1.117), else one.
 */
#ifndef ARMVMM_PMU_MATH_H
#define ARMVMM_PMU_MATH_H

#include <linux/types.h>

#define PMU_DIVIDER_SHIFT	6	/* PMCR.D */

static inline u64 pmu_start(u32 value, unsigned int shift)
{
	return (u64)value << shift;
}

static inline u32 pmu_value(u64 start, u64 count, unsigned int shift)
{
	return (u32)((start + count) >> shift);
}

static inline u64 pmu_wraps(u64 start, u64 count, unsigned int shift)
{
	return (start + count) >> (32 + shift);
}

/* Events until the counter overflows next: 1 to 2^(32 + shift). */
static inline u64 pmu_period(u64 start, u64 count, unsigned int shift)
{
	u64 whole = 1ULL << (32 + shift);

	return whole - ((start + count) & (whole - 1));
}

#endif
