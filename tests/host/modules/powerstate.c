// SPDX-License-Identifier: GPL-2.0-only
/*
 * A power state that loses the state of HYP mode, entered and left as a board's idle driver does:
 * it calls cpu_pm_enter() before, so that each driver saves its state of the CPU, and cpu_pm_exit()
 * after. The CPU is not powered off in between, but works without the state that the drivers took
 * off it. In the folder /sys/module/powerstate/parameters, write a CPU's number to
 *
 *	enter	to enter the power state; -EBUSY if the CPU is in it
 *	exit	to leave it; -EINVAL if the CPU is not in it
 *	nap	to do both, with nothing else on the CPU in between
 *
 * When the module is unloaded, all CPUs leave the state.
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
 * Runs in a thread, like the idle task, and not in an IPI: on exit the GIC's driver restores which
 * interrupts were active on entry, and an IPI would stay active.
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
