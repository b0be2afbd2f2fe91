// SPDX-License-Identifier: GPL-2.0-only
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/pm.h>

#include "core/state.h"
#include "timer/timer.h"
#include "timer/timer_host.h"
#include "vm/suspend.h"

static DEFINE_MUTEX(suspend_lock);
static LIST_HEAD(suspend_vms);

/* The host's counter when all programs were frozen. */
static u64 suspend_began;

void armvmm_suspend_vm_add(struct armvmm_vm *vm)
{
	mutex_lock(&suspend_lock);
	list_add(&vm->suspend.link, &suspend_vms);
	mutex_unlock(&suspend_lock);
}

void armvmm_suspend_vm_del(struct armvmm_vm *vm)
{
	mutex_lock(&suspend_lock);
	list_del(&vm->suspend.link);
	mutex_unlock(&suspend_lock);
}

void armvmm_suspend_vm_stops(struct armvmm_vm *vm, bool stops)
{
	WRITE_ONCE(vm->suspend.stops, stops);
}

/*
 * The kernel prepares devices after it has frozen all programs, and completes them, with all others
 * resumed, before it lets those go on. So no vCPU is in its guest, and none enters it, from the one
 * to the other. Both come for hibernation, too, which is refused while there are VMs.
 */
static int suspend_prepare(struct device *dev)
{
	suspend_began = armvmm_timer_now();
	return 0;
}

/*
 * A counter that is behind has lost its value, as some do in suspend to RAM. No virtual counter may
 * go back, so then each goes on from where it was.
 */
static void suspend_complete(struct device *dev)
{
	u64 ticks = armvmm_timer_now() - suspend_began;
	bool lost = (s64)ticks < 0;
	struct armvmm_vm *vm;

	mutex_lock(&suspend_lock);
	list_for_each_entry(vm, &suspend_vms, suspend.link)
		armvmm_timer_vm_resumed(vm, lost || READ_ONCE(vm->suspend.stops) ? ticks : 0,
					lost ? ticks : 0);
	mutex_unlock(&suspend_lock);
}

static const struct dev_pm_ops suspend_ops = {
	.prepare = suspend_prepare,
	.complete = suspend_complete,
};

static int suspend_probe(struct platform_device *pdev)
{
	return 0;
}

static struct platform_driver suspend_driver = {
	.probe = suspend_probe,
	.driver = {
		.name = "armvmm",
		.pm = &suspend_ops,
		/* Unbound, it would not be asked. */
		.probe_type = PROBE_FORCE_SYNCHRONOUS,
		.suppress_bind_attrs = true,
	},
};

static struct platform_device *suspend_pdev;

void armvmm_suspend_exit(void)
{
	platform_device_unregister(suspend_pdev);
	platform_driver_unregister(&suspend_driver);
}

int armvmm_suspend_init(void)
{
	int ret = platform_driver_register(&suspend_driver);

	if (ret)
		return ret;
	suspend_pdev = platform_device_register_simple("armvmm", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(suspend_pdev)) {
		platform_driver_unregister(&suspend_driver);
		return PTR_ERR(suspend_pdev);
	}
	if (!suspend_pdev->dev.driver) {
		pr_err("no driver is bound to platform devices by itself (/sys/bus/platform/drivers_autoprobe is 0)\n");
		armvmm_suspend_exit();
		return -ENODEV;
	}
	return 0;
}
