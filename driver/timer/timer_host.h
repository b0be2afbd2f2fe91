/* SPDX-License-Identifier: GPL-2.0-only */
/* The host's virtual timer interrupt, which guests' timers raise. */
#ifndef ARMVMM_TIMER_HOST_H
#define ARMVMM_TIMER_HOST_H

#include <linux/compiler.h>
#include <linux/percpu.h>
#include <linux/types.h>

struct timer_host_cpu {
	bool enabled;
	bool held;
};

DECLARE_PER_CPU(struct timer_host_cpu, timer_host_cpu);

/* Hz; the physical counter, which is the virtual one at offset zero. */
u32 armvmm_timer_freq(void);
u64 armvmm_timer_now(void);

/* Number of the PPI at the GIC. */
unsigned int armvmm_timer_host_hwirq(void);

/* May HYP mode hold the PPI, and show the guest's interrupt (hyp/timer.c)? */
bool armvmm_timer_host_in_hyp(void);

/* True while this CPU's PPI is held. IRQs off. */
static inline bool armvmm_timer_host_held(void)
{
	return this_cpu_read(timer_host_cpu.held);
}

/*
 * Keeps the PPI from interrupting this CPU although its line is high, or lets
 * it. Split EOI: by its active state, which the guest's deactivation through a
 * hardware list register ends; otherwise by masking. The first makes it active
 * even if it is held already; the second does nothing where it is so. IRQs off.
 */
void armvmm_timer_host_set(bool hold);
static inline void armvmm_timer_host_hold(bool hold)
{
	if (unlikely(armvmm_timer_host_held() != hold))
		armvmm_timer_host_set(hold);
}

/* The hardware ended the active state: what the guest deactivated. IRQs off. */
static inline void armvmm_timer_host_released(void)
{
	this_cpu_write(timer_host_cpu.held, false);
}

/* HYP mode made it active, as armvmm_timer_host_set() does. IRQs off. */
static inline void armvmm_timer_host_was_held(void)
{
	this_cpu_write(timer_host_cpu.held, true);
}

#endif
