// SPDX-License-Identifier: GPL-2.0-only
// files: driver/vm/suspend.c
// cflags: -Itests/unit/fake -Iinclude/uapi -I. -Idriver
//
// What the counters of VMs do while the host is suspended.
#include "fake/fake_kernel.h"

#include <linux/errno.h>

#include "ktap.h"

static unsigned int nr_errors;

#define pr_err(...)	(nr_errors++)

#include "vm/suspend.c"

static u64 now;
static int nr_drivers, nr_devices, device_error;
static bool bound = true;
static const struct dev_pm_ops *pm;

u64 armvmm_timer_now(void)
{
	return now;
}

static u64 phys_skipped;
static unsigned int nr_resumed;

void armvmm_timer_vm_resumed(struct armvmm_vm *vm, u64 virt, u64 phys)
{
	atomic64_add(virt, &vm->cntvoff);
	phys_skipped = phys;
	nr_resumed++;
}

int platform_driver_register(struct platform_driver *driver)
{
	nr_drivers++;
	KTAP_TRUE(driver->driver.suppress_bind_attrs);
	KTAP_EQ(driver->driver.probe_type, PROBE_FORCE_SYNCHRONOUS);
	pm = driver->driver.pm;
	return 0;
}

void platform_driver_unregister(struct platform_driver *driver)
{
	nr_drivers--;
	KTAP_EQ(nr_devices, 0);
}

struct platform_device *platform_device_register_simple(const char *name, int id, const void *res,
							unsigned int num)
{
	static struct platform_device pdev;

	KTAP_EQ(nr_drivers, 1);
	if (device_error)
		return ERR_PTR(device_error);
	nr_devices++;
	if (bound)
		KTAP_EQ(suspend_driver.probe(&pdev), 0);
	pdev.dev.driver = bound ? &suspend_driver.driver : NULL;
	return &pdev;
}

void platform_device_unregister(struct platform_device *pdev)
{
	nr_devices--;
}

static struct armvmm_vm vms[3];

static void vms_make(void)
{
	memset(vms, 0, sizeof(vms));
	for (unsigned int i = 0; i < ARRAY_SIZE(vms); i++)
		armvmm_suspend_vm_add(&vms[i]);
}

static void vms_end(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(vms); i++)
		armvmm_suspend_vm_del(&vms[i]);
}

/* The host is suspended when its counter is @from, and goes on when it is @to. */
static void suspend_for(u64 from, u64 to)
{
	now = from;
	nr_resumed = 0;
	KTAP_EQ(pm->prepare(NULL), 0);
	now = to;
	pm->complete(NULL);
}

static u64 offset(unsigned int i)
{
	return atomic64_read(&vms[i].cntvoff);
}

static void test_device(void)
{
	device_error = -ENOMEM;
	KTAP_EQ(armvmm_suspend_init(), -ENOMEM);
	KTAP_EQ(nr_drivers, 0);
	device_error = 0;
	/* No device without a driver is asked. */
	bound = false;
	KTAP_EQ(armvmm_suspend_init(), -ENODEV);
	KTAP_EQ(nr_errors, 1);
	KTAP_EQ(nr_drivers, 0);
	KTAP_EQ(nr_devices, 0);
	bound = true;
	KTAP_EQ(armvmm_suspend_init(), 0);
	KTAP_EQ(nr_devices, 1);
	armvmm_suspend_exit();
	KTAP_EQ(nr_drivers, 0);
	KTAP_EQ(nr_devices, 0);
}

/* A VM whose client asked for it misses the time; the others see it. */
static void test_stops(void)
{
	KTAP_EQ(armvmm_suspend_init(), 0);
	vms_make();
	armvmm_suspend_vm_stops(&vms[1], true);
	suspend_for(1000, 5000);
	KTAP_EQ(offset(0), 0);
	KTAP_EQ(offset(1), 4000);
	KTAP_EQ(offset(2), 0);
	/* Each looks at its physical timers, whose clock has gone on. */
	KTAP_EQ(nr_resumed, 3);
	KTAP_EQ(phys_skipped, 0);
	suspend_for(6000, 6001);
	KTAP_EQ(offset(1), 4001);
	armvmm_suspend_vm_stops(&vms[1], false);
	armvmm_suspend_vm_stops(&vms[2], true);
	suspend_for(7000, 8000);
	KTAP_EQ(offset(1), 4001);
	KTAP_EQ(offset(2), 1000);
	vms_end();
	/* Nobody is left. */
	suspend_for(9000, 10000);
	KTAP_EQ(offset(2), 1000);
	armvmm_suspend_exit();
}

/* A counter that lost its value: all VMs go on from where they were. */
static void test_lost(void)
{
	KTAP_EQ(armvmm_suspend_init(), 0);
	vms_make();
	armvmm_suspend_vm_stops(&vms[1], true);
	atomic64_set(&vms[0].cntvoff, 100);
	atomic64_set(&vms[1].cntvoff, 100);
	suspend_for(1000, 7);
	for (unsigned int i = 0; i < 2; i++)
		KTAP_EQ(7 - offset(i), 1000 - 100);
	KTAP_EQ(phys_skipped, (u64)7 - 1000);
	vms_end();
	armvmm_suspend_exit();
}

KTAP_MAIN(KTAP_CASE(test_device), KTAP_CASE(test_stops), KTAP_CASE(test_lost))
