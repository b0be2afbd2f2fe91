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
 *	steal	to have HYP mode taken from whoever has it, who is not told: the kernel's stub
 *		answers there until the CPU takes a nap
 *	left	to be read: how often each CPU left such a state, whoever had it enter
 *
 * When the module is unloaded, all CPUs leave the state, and those that were stolen from nap.
 */
#include <linux/cpu.h>
#include <linux/cpu_pm.h>
#include <linux/cpumask.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/module.h>
#include <linux/smp.h>
#include <linux/workqueue.h>

#include <asm/cacheflush.h>
#include <asm/opcodes.h>
#include <asm/opcodes-virt.h>

#define HVC_SOFT_RESTART	1	/* asm/virt.h: r1 is where HYP mode goes on, MMU off */
#define A32_ERET		0xe160006e

static struct cpumask powerstate_cpus;	/* changed by the CPU itself, IRQs off */
static struct cpumask powerstate_stolen;	/* likewise */
static u32 *powerstate_code;		/* a page of its own, for HYP mode without MMU */
static DEFINE_PER_CPU(unsigned int, powerstate_left);

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
 * As kexec leaves the kernel: whoever has HYP mode gives it back to the stub's vectors, and goes on
 * at an address. There is nothing but the way back to the caller.
 */
static int powerstate_steal(void)
{
	register unsigned long r0 asm("r0") = HVC_SOFT_RESTART;
	register unsigned long r1 asm("r1") = virt_to_phys(powerstate_code);

	asm volatile(__HVC(0) : "+r" (r0), "+r" (r1) : : "r2", "r3", "r12", "lr", "cc", "memory");
	cpumask_set_cpu(smp_processor_id(), &powerstate_stolen);
	return 0;
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
module_param_cb(steal, &powerstate_ops, powerstate_steal, 0200);

/* EXIT comes if no driver refused the state: else those that were asked hear of the failure. */
static int powerstate_event(struct notifier_block *nb, unsigned long event, void *data)
{
	if (event == CPU_PM_EXIT)
		__this_cpu_inc(powerstate_left);
	return NOTIFY_OK;
}

static struct notifier_block powerstate_nb = {
	.notifier_call = powerstate_event,
};

static int powerstate_left_show(char *buf, const struct kernel_param *kp)
{
	unsigned int cpu;
	int len = 0;

	for_each_possible_cpu(cpu)
		len += sysfs_emit_at(buf, len, "%s%u", len ? " " : "",
				     per_cpu(powerstate_left, cpu));
	return len + sysfs_emit_at(buf, len, "\n");
}

static const struct kernel_param_ops powerstate_left_ops = {
	.get = powerstate_left_show,
};
module_param_cb(left, &powerstate_left_ops, NULL, 0444);

static int __init powerstate_init(void)
{
	int ret;

	powerstate_code = (u32 *)get_zeroed_page(GFP_KERNEL);
	if (!powerstate_code)
		return -ENOMEM;
	*powerstate_code = __opcode_to_mem_arm(A32_ERET);
	/* It is fetched with caches off. */
	flush_icache_range((unsigned long)powerstate_code, (unsigned long)(powerstate_code + 1));
	__cpuc_flush_dcache_area(powerstate_code, sizeof(*powerstate_code));
	ret = cpu_pm_register_notifier(&powerstate_nb);
	if (ret)
		free_page((unsigned long)powerstate_code);
	return ret;
}

static void __exit powerstate_end(void)
{
	unsigned int cpu;

	cpus_read_lock();
	for_each_cpu(cpu, &powerstate_cpus)
		work_on_cpu(cpu, powerstate_do, powerstate_exit);
	for_each_cpu_and(cpu, &powerstate_stolen, cpu_online_mask)
		work_on_cpu(cpu, powerstate_do, powerstate_nap);
	cpus_read_unlock();
	cpu_pm_unregister_notifier(&powerstate_nb);
	free_page((unsigned long)powerstate_code);
}

module_init(powerstate_init);
module_exit(powerstate_end);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Power states for the tests of armvmm");
