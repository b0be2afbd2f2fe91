// SPDX-License-Identifier: GPL-2.0-only
/* What this CPU's HYP mode is to the host: taken over or not, and flushed. */
#include <linux/kernel.h>
#include <linux/percpu.h>
#include <linux/smp.h>

#include "host/hypcpu.h"
#include "host/hypcpu_state.h"

DEFINE_PER_CPU(unsigned long, armvmm_hypcpu_block);
DEFINE_PER_CPU(bool, armvmm_hypcpu_taken);

struct hyp_cpu *armvmm_hypcpu_this(void)
{
	return armvmm_hypcpu_of(smp_processor_id());
}

bool armvmm_hypcpu_ready(void)
{
	return __this_cpu_read(armvmm_hypcpu_taken);
}

bool armvmm_hypcpu_debug_ok(void)
{
	return armvmm_hypcpu_this()->debug_ok;
}

/* IRQs off, so that a reboot does not give HYP back in between. */
static void hypcpu_tlbi_hyp(void *done)
{
	if (__this_cpu_read(armvmm_hypcpu_taken) &&
	    armvmm_hyp_call(HYP_CALL_TLBI_HYP, 0, 0) != HYP_STUB_ERROR)
		*(bool *)done = true;
}

/*
 * The broadcast reaches all CPUs from whichever is taken over; a CPU that is
 * not holds no entries, and begins with a flush of its own. One that is on its
 * way out asks the others.
 */
void armvmm_hypcpu_tlbi_hyp(void)
{
	unsigned long flags;
	bool done = false;

	preempt_disable();
	dsb(ishst);
	local_irq_save(flags);
	hypcpu_tlbi_hyp(&done);
	local_irq_restore(flags);
	if (unlikely(!done))
		smp_call_function(hypcpu_tlbi_hyp, &done, 1);
	preempt_enable();
}
