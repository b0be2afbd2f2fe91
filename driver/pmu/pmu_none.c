// SPDX-License-Identifier: GPL-2.0-only
/* Kbuild takes this instead of pmu_event.c if the kernel has no perf: no guest has a PMU. */
#include <linux/kernel.h>
#include <linux/printk.h>

#include "pmu/pmu.h"
#include "pmu/pmu_event.h"

struct armvmm_pmu_host armvmm_pmu_host;

void armvmm_pmu_init(void)
{
	pr_info("no PMU for guests: the kernel is built without perf (PERF_EVENTS=n)\n");
}

struct perf_event *armvmm_pmu_event_begin(struct armvmm_pmu_counter *c, u8 config, u64 period)
{
	return NULL;
}

/* Nobody calls the functions from here on: they take an event, and there are none. */

u64 armvmm_pmu_event_count(struct perf_event *event)
{
	return 0;
}

u64 armvmm_pmu_event_end(struct perf_event *event)
{
	return 0;
}

bool armvmm_pmu_event_alive(struct perf_event *event)
{
	return false;
}

bool armvmm_pmu_event_loaded(struct perf_event *event, u32 *select, u32 *type)
{
	return false;
}
