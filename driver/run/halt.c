// SPDX-License-Identifier: GPL-2.0-only
/* A vCPU that waits for an interrupt: it polls, then it sleeps. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/sched/stat.h>

#include "core/state.h"
#include "run/halt.h"
#include "timer/timer.h"
#include "vgic/vgic.h"

static unsigned int halt_poll_ns = 500000;
module_param(halt_poll_ns, uint, 0644);
MODULE_PARM_DESC(halt_poll_ns, "longest polling before a vCPU in WFI sleeps, ns; 0: none");

#define HALT_POLL_START_NS	10000

static bool halt_irq_pending(struct armvmm_vcpu *vcpu)
{
	if (armvmm_vgic_in_kernel(&vcpu->vm->vgic))
		return armvmm_vgic_pending(vcpu);
	return READ_ONCE(vcpu->irq_lines);
}

/* What ends a WFI (DDI 0406C B1.8.13); the cheapest test comes first. */
static bool halt_wakeup(struct armvmm_vcpu *vcpu)
{
	return READ_ONCE(vcpu->requests) || signal_pending(current) || halt_irq_pending(vcpu) ||
	       armvmm_timer_pending(vcpu) || READ_ONCE(vcpu->power_off);
}

/*
 * Polls for a while, as most waits are shorter than a sleep and its wake-up. @now: ns, the time at
 * the beginning, and then at the last poll.
 */
static bool halt_poll(struct armvmm_vcpu *vcpu, u64 *now)
{
	u64 start = *now, end = start + vcpu->halt_poll_ns;

	if (!vcpu->halt_poll_ns)
		return false;
	vcpu->stat.halt_attempted_poll++;
	do {
		if (halt_wakeup(vcpu)) {
			vcpu->stat.halt_successful_poll++;
			vcpu->stat.halt_poll_success_ns += *now - start;
			armvmm_stat_hist(vcpu->stat.halt_poll_success_hist, *now - start);
			return true;
		}
		cpu_relax();
		*now = ktime_get_ns();
	} while (!need_resched() && single_task_running() && *now < end);
	vcpu->stat.halt_poll_fail_ns += *now - start;
	armvmm_stat_hist(vcpu->stat.halt_poll_fail_hist, *now - start);
	return false;
}

/* Makes the polling window longer while waits are within the limit, and zero when they are not. */
static void halt_adapt(struct armvmm_vcpu *vcpu, u64 waited)
{
	unsigned int limit = READ_ONCE(halt_poll_ns);

	if (waited > limit)
		vcpu->halt_poll_ns = 0;
	else if (waited > vcpu->halt_poll_ns)
		vcpu->halt_poll_ns = min(limit, max_t(u32, vcpu->halt_poll_ns * 2,
						      HALT_POLL_START_NS));
	if (vcpu->halt_poll_ns > limit)
		vcpu->halt_poll_ns = limit;
}

/* @start, @polled: ns, when it began to wait, and to sleep. */
static void halt_count(struct armvmm_vcpu *vcpu, u64 start, u64 polled)
{
	u64 end = ktime_get_ns();

	vcpu->stat.halt_wakeup++;
	vcpu->stat.halt_wait_ns += end - polled;
	armvmm_stat_hist(vcpu->stat.halt_wait_hist, end - polled);
	halt_adapt(vcpu, end - start);
}

void armvmm_halt(struct armvmm_vcpu *vcpu)
{
	u64 start = ktime_get_ns(), now = start;

	if (halt_poll(vcpu, &now))
		return;
	vcpu->stat.blocking = 1;
	armvmm_timer_block(vcpu);
	rcuwait_wait_event(&vcpu->wait, halt_wakeup(vcpu), TASK_INTERRUPTIBLE);
	/* armvmm_timer_unblock() may wait for a deadline: the guest is late by what comes after. */
	vcpu->stat.blocking = 0;
	halt_count(vcpu, start, now);
	armvmm_timer_unblock(vcpu);
}
