/* SPDX-License-Identifier: GPL-2.0-only */
/* A counter of the host's perf that counts in one guest, and nowhere else. */
#ifndef ARMVMM_PMU_EVENT_H
#define ARMVMM_PMU_EVENT_H

#include <linux/types.h>

#include "pmu/pmu.h"

/*
 * Makes perf count event @config for the current thread; after @period of them
 * armvmm_pmu_event_wrapped() is called. It counts nothing until HYP mode opens
 * its filter. NULL: perf cannot. May sleep.
 */
struct perf_event *armvmm_pmu_event_begin(struct armvmm_pmu_counter *c, u8 config, u64 period);
/* Events so far. Any thread; may sleep. */
u64 armvmm_pmu_event_count(struct perf_event *event);
/* Stops it and lets go of it; the last count. Any thread; may sleep. */
u64 armvmm_pmu_event_end(struct perf_event *event);
/* True while perf has a counter of the hardware for it, or may have one again. */
bool armvmm_pmu_event_alive(struct perf_event *event);
/*
 * IRQs off, the event's thread. True where it is in a counter of this CPU: which
 * one in @select (as PMSELR has it), its PMXEVTYPER as the host has it in @type.
 */
bool armvmm_pmu_event_loaded(struct perf_event *event, u32 *select, u32 *type);

/* pmu.c's: @count events have come. Returns the next period. Interrupt handler, IRQs off. */
u64 armvmm_pmu_event_wrapped(struct armvmm_pmu_counter *c, u64 count);

#endif
