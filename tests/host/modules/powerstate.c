// SPDX-License-Identifier: GPL-2.0-only
/*
 * A power state that loses what HYP mode holds, as a board's idle driver enters it: before, it
 * calls cpu_pm_enter(), which tells all who have something on the CPU, and after it cpu_pm_exit().
 * The CPU is not switched off in between, but what was taken off it is not there. In the folder
 * /sys/module/powerstate/parameters a CPU's number is written to
 *
 *	enter	the CPU is on its way to the power state: -EBUSY if it is there
 *	exit	it is back: -EINVAL if it was not there
 *	nap	both, with nothing else on the CPU in between
 *
 * What is still there when the module goes comes back.
 */
#include <linux/cpu.h>
#include <linux/cpu_pm.h>
#include <linux/cpumask.h>
#include <linux/module.h>
#include <linux/smp.h>
#include <linux/workqueue.h>

static struct cpumask powerstate_cpus;	/* changed by the CPU itself, IRQs off */

static int powerstate_enter(void)
{
	int ret;

	if (cpumask_test_cpu(smp_processor_id(), &powerstate_cpus))
		return -EBUSY;
	ret = cpu_pm_enter();
	if (!ret)
		cpumask_set_cpu(smp_processor_id(), &powerstate_cpus);
	return ret;
}

static int powerstate_exit(void)
{
	if (!cpumask_test_and_clear_cpu(smp_processor_id(), &powerstate_cpus))
		return -EINVAL;
	return cpu_pm_exit();
}

static int powerstate_nap(void)
{
	return powerstate_enter() ?: powerstate_exit();
}

/*
 * In a thread, as the idle task is one: after the state the GIC's driver writes back which
 * interrupts were active before it, and an IPI would stay active.
 */
static long powerstate_do(void *fn)
{
	unsigned long flags;
	int ret;

	local_irq_save(flags);
	ret = ((int (*)(void))fn)();
	local_irq_restore(flags);
	return ret;
}

static int powerstate_set(const char *val, const struct kernel_param *kp)
{
	unsigned int cpu;
	int ret = kstrtouint(val, 0, &cpu);

	if (ret)
		return ret;
	cpus_read_lock();
	ret = -ENXIO;
	if (cpu < nr_cpu_ids && cpu_online(cpu))
		ret = work_on_cpu(cpu, powerstate_do, kp->arg);
	cpus_read_unlock();
	return ret;
}

static const struct kernel_param_ops powerstate_ops = {
	.set = powerstate_set,
};

module_param_cb(enter, &powerstate_ops, powerstate_enter, 0200);
module_param_cb(exit, &powerstate_ops, powerstate_exit, 0200);
module_param_cb(nap, &powerstate_ops, powerstate_nap, 0200);

static int __init powerstate_init(void)
{
	return 0;
}

static void __exit powerstate_end(void)
{
	unsigned int cpu;

	cpus_read_lock();
	for_each_cpu(cpu, &powerstate_cpus)
		work_on_cpu(cpu, powerstate_do, powerstate_exit);
	cpus_read_unlock();
}

module_init(powerstate_init);
module_exit(powerstate_end);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Power states for the tests of armvmm");
