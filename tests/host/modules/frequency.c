// SPDX-License-Identifier: GPL-2.0-only
/*
 * A cpufreq driver for boards that have none. Each CPU has a policy and three frequencies of its
 * own. The kernel does the same as on a board that has one, but no clock changes. In the folder
 * /sys/module/frequency/parameters, "changes" is the number of changes that the kernel announced.
 */
#include <linux/atomic.h>
#include <linux/cpufreq.h>
#include <linux/module.h>
#include <linux/percpu.h>

#define FREQUENCY_LATENCY_NS	10000

static struct cpufreq_frequency_table frequency_table[] = {
	{ .frequency = 200000 },	/* kHz */
	{ .frequency = 400000 },
	{ .frequency = 1000000 },
	{ .frequency = CPUFREQ_TABLE_END },
};

static DEFINE_PER_CPU(unsigned int, frequency_now) = 1000000;
static atomic_t frequency_changes;

static unsigned int frequency_get(unsigned int cpu)
{
	return per_cpu(frequency_now, cpu);
}

static int frequency_set(struct cpufreq_policy *policy, unsigned int index)
{
	per_cpu(frequency_now, policy->cpu) = frequency_table[index].frequency;
	return 0;
}

static int frequency_cpu_init(struct cpufreq_policy *policy)
{
	policy->freq_table = frequency_table;
	policy->cpuinfo.transition_latency = FREQUENCY_LATENCY_NS;
	return 0;
}

static struct cpufreq_driver frequency_driver = {
	.name = "frequency",
	.init = frequency_cpu_init,
	.verify = cpufreq_generic_frequency_table_verify,
	.target_index = frequency_set,
	.get = frequency_get,
};

static int frequency_announced(struct notifier_block *nb, unsigned long event, void *data)
{
	if (event == CPUFREQ_POSTCHANGE)
		atomic_inc(&frequency_changes);
	return NOTIFY_OK;
}

static struct notifier_block frequency_notifier = {
	.notifier_call = frequency_announced,
};

static int frequency_show(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%d\n", atomic_read(&frequency_changes));
}

static const struct kernel_param_ops frequency_ops = {
	.get = frequency_show,
};
module_param_cb(changes, &frequency_ops, NULL, 0444);

static int __init frequency_init(void)
{
	int err = cpufreq_register_notifier(&frequency_notifier, CPUFREQ_TRANSITION_NOTIFIER);

	if (err)
		return err;
	err = cpufreq_register_driver(&frequency_driver);
	if (err)
		cpufreq_unregister_notifier(&frequency_notifier, CPUFREQ_TRANSITION_NOTIFIER);
	return err;
}

static void __exit frequency_exit(void)
{
	cpufreq_unregister_driver(&frequency_driver);
	cpufreq_unregister_notifier(&frequency_notifier, CPUFREQ_TRANSITION_NOTIFIER);
}

module_init(frequency_init);
module_exit(frequency_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Processor frequencies for the tests of armvmm");
