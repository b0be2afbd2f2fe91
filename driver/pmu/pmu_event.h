/* SPDX-License-Identifier: GPL-2.0-only */
/* A counter of the host's perf that counts in one guest, and nowhere else. */
#ifndef ARMVMM_PMU_EVENT_H
#define ARMVMM_PMU_EVENT_H

#include <linux/types.h>

#include "pmu/pmu.h"

/*
 * Makes perf count event @config for the current thread. After @period events it
 * calls armvmm_pmu_event_wrapped(). It counts nothing until HYP mode opens its
 * filter. NULL: perf cannot. May sleep.
 */
struct perf_event *armvmm_pmu_event_begin(struct armvmm_pmu_counter *c, u8 config, u64 period);
/* Number of events so far. Any thread; may sleep. */
u64 armvmm_pmu_event_count(struct perf_event *event);
/* Stops and frees it; returns the last count. Any thread; may sleep. */
u64 armvmm_pmu_event_end(struct perf_event *event);
/* True while the event has a hardware counter, or may get one again. */
bool armvmm_pmu_event_alive(struct perf_event *event);
/*
 * Called with IRQs off, in the event's thread. True if the event has a counter of
 * this CPU: @select is its number, as in PMSELR, @type the host's PMXEVTYPER.
 */
bool armvmm_pmu_event_loaded(struct perf_event *event, u32 *select, u32 *type);

/* In pmu.c. @count events have come; returns the next period. Interrupt handler, IRQs off. */
u64 armvmm_pmu_event_wrapped(struct armvmm_pmu_counter *c, u64 count);

#endif
