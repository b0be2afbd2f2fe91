// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's perf, for pmu.c. Events are made with all modes excluded, which the
 * PMU of every CPU with the Virtualization Extensions supports (DDI 0406C C12.8,
 * PMUv2). So the filter that perf programs never counts anything, whatever perf
 * does to the counter, and whenever it does it.
 */
#include <linux/bits.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/perf_event.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/smp.h>

#include <asm/barrier.h>
#include <asm/cputype.h>

#include "compat/compat_pmu.h"
#include "hyp/sysreg.h"
#include "pmu/pmu.h"
#include "pmu/pmu_event.h"

/* What the kernel's driver writes into PMXEVTYPER */
#define PMU_DRIVER_TYPE		(PMU_TYPE_P | PMU_TYPE_U | PMU_TYPE_NSH | PMU_TYPE_EVENT)

struct armvmm_pmu_host armvmm_pmu_host;

u32 armvmm_pmu_ids_read(u32 ids[2]);	/* pmu_ids.S */

static void pmu_event_overflow(struct perf_event *event, struct perf_sample_data *data,
			       struct pt_regs *regs)
{
	struct armvmm_pmu_counter *c = event->overflow_handler_context;
	u64 period;

	/*
	 * The first period ended at the guest's counter's first overflow, the next is
	 * a full wrap: perf must not go on with the old period.
	 */
	event->pmu->stop(event, PERF_EF_UPDATE);
	period = armvmm_pmu_event_wrapped(c, local64_read(&event->count));
	event->attr.sample_period = period;
	event->hw.sample_period = period;
	local64_set(&event->hw.period_left, 0);
	event->pmu->start(event, PERF_EF_RELOAD);
}

struct perf_event *armvmm_pmu_event_begin(struct armvmm_pmu_counter *c, u8 config, u64 period)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_RAW,
		.size = sizeof(attr),
		.config = config,
		.sample_period = period,
		.pinned = 1,
		.exclude_user = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.exclude_host = 1,
	};
	struct perf_event *event;

	event = perf_event_create_kernel_counter(&attr, -1, current, pmu_event_overflow, c);
	if (IS_ERR(event)) {
		pr_debug_ratelimited("no event 0x%02x for a guest: %ld\n", config, PTR_ERR(event));
		return NULL;
	}
	return event;
}

u64 armvmm_pmu_event_count(struct perf_event *event)
{
	u64 enabled, running;

	return perf_event_read_value(event, &enabled, &running);
}

u64 armvmm_pmu_event_end(struct perf_event *event)
{
	u64 count;

	/* After this the overflow handler does not run any more. */
	perf_event_disable(event);
	count = armvmm_pmu_event_count(event);
	perf_event_release_kernel(event);
	return count;
}

/* A pinned event that found no counter is in an error state, and stays in it. */
bool armvmm_pmu_event_alive(struct perf_event *event)
{
	return READ_ONCE(event->state) >= PERF_EVENT_STATE_INACTIVE;
}

bool armvmm_pmu_event_loaded(struct perf_event *event, u32 *select, u32 *type)
{
	if (event->state != PERF_EVENT_STATE_ACTIVE || event->oncpu != smp_processor_id())
		return false;
	*select = compat_pmu_counter(event);
	*type = event->hw.config_base & PMU_DRIVER_TYPE;
	return true;
}

static u32 pmu_event_hw_type(u32 select)
{
	sysreg_write(select, SYS_PMSELR);
	isb();
	return sysreg_read(SYS_PMXEVTYPER);
}

/*
 * Checks on an event of this thread that the kernel's driver uses the counter and
 * the filter that this file assumes. 1: it does; 0: it does not; -EAGAIN: the
 * event has no counter now.
 */
static int pmu_event_check(struct perf_event *event)
{
	unsigned long flags;
	u32 select, type;
	int ret = -EAGAIN;

	local_irq_save(flags);
	if (armvmm_pmu_event_loaded(event, &select, &type))
		ret = (pmu_event_hw_type(select) & PMU_DRIVER_TYPE) == type;
	local_irq_restore(flags);
	return ret;
}

static const char *pmu_event_try(void)
{
	struct armvmm_pmu_counter counter = {};	/* never called back: nothing is counted */
	struct perf_event *event;
	const char *why = NULL;
	int ret;

	if (ID_DFR0_PERFMON(read_cpuid_ext(CPUID_EXT_DFR0)) != ID_DFR0_PERFMON_V2)
		return "the CPU's PMU is not of version 2";
	event = armvmm_pmu_event_begin(&counter, PMU_EVENT_CYCLES, 1u << 31);
	if (!event)
		return "the host's perf has no PMU with an interrupt (a device tree has a pmu node)";
	if (!compat_pmu_everywhere(event))
		why = "the host's CPUs differ";
	ret = pmu_event_check(event);
	if (!why && ret < 0)
		why = "all counters are in use";
	else if (!why && !ret)
		why = "the kernel's PMU driver is not as expected";
	armvmm_pmu_event_end(event);
	return why;
}

/* Reads which events the CPU has. If it does not tell, takes those that every guest can have. */
static void pmu_event_ids(void)
{
	u32 told;

	preempt_disable();
	told = armvmm_pmu_ids_read(armvmm_pmu_host.pmceid);
	preempt_enable();
	if (!told) {
		armvmm_pmu_host.pmceid[0] = BIT(PMU_EVENT_SW_INCR) | BIT(PMU_EVENT_CYCLES);
		armvmm_pmu_host.pmceid[1] = 0;
	}
}

void armvmm_pmu_init(void)
{
	const char *why = pmu_event_try();

	if (why) {
		pr_info("no PMU for guests: %s\n", why);
		return;
	}
	asm volatile("mrc p15, 0, %0, c9, c12, 0" : "=r" (armvmm_pmu_host.pmcr));
	armvmm_pmu_host.pmcr &= PMCR_RO;
	/* A guest's events are pinned: whatever it counts, the host's perf has one counter left. */
	if (PMCR_N(armvmm_pmu_host.pmcr))
		armvmm_pmu_host.pmcr -= 1u << PMCR_N_SHIFT;
	pmu_event_ids();
	armvmm_pmu_host.present = true;
	pr_info("guests may have a PMU with %u event counters\n", armvmm_pmu_nr());
}
