// SPDX-License-Identifier: GPL-2.0-only
// files: driver/vm/hibernate.c
// cflags: -Itests/unit/fake -Iinclude/uapi -I. -Idriver
//
// The host is not hibernated while there are VMs, and none is made while it is.
#include <stdio.h>
#include <string.h>

#include <linux/errno.h>
#include <linux/suspend.h>

#include "ktap.h"

static unsigned int nr_warnings;
static char warning[300];

#define pr_warn(...)	(nr_warnings++, snprintf(warning, sizeof(warning), __VA_ARGS__))

#include "vm/hibernate.c"

static struct notifier_block *notifier;
int register_pm_notifier(struct notifier_block *nb)
{
	KTAP_TRUE(!notifier);
	notifier = nb;
	return 0;
}

int unregister_pm_notifier(struct notifier_block *nb)
{
	KTAP_TRUE(notifier == nb);
	notifier = NULL;
	return 0;
}

static int tell(unsigned long event)
{
	int ret = notifier->notifier_call(notifier, event, NULL);

	return ret & NOTIFY_STOP_MASK ? NOTIFY_OK - (ret & ~NOTIFY_STOP_MASK) : 0;
}

static void test_refuses(void)
{
	nr_warnings = 0;
	KTAP_EQ(armvmm_hibernate_init(), 0);
	KTAP_EQ(armvmm_hibernate_vm_add(), 0);
	KTAP_EQ(armvmm_hibernate_vm_add(), 0);
	KTAP_EQ(tell(PM_HIBERNATION_PREPARE), -EBUSY);
	KTAP_EQ(nr_warnings, 1);
	KTAP_TRUE(strstr(warning, "cannot be hibernated while there are VMs (2)"));
	/* It changes nothing. Who was refused is not told of the end. */
	KTAP_EQ(armvmm_hibernate_vm_add(), 0);
	armvmm_hibernate_vm_del();
	armvmm_hibernate_vm_del();
	KTAP_EQ(tell(PM_HIBERNATION_PREPARE), -EBUSY);
	/* But another module's refusal is told to all that agreed, or were asked. */
	KTAP_EQ(tell(PM_POST_HIBERNATION), 0);
	KTAP_EQ(tell(PM_HIBERNATION_PREPARE), -EBUSY);
	armvmm_hibernate_vm_del();
	KTAP_EQ(tell(PM_HIBERNATION_PREPARE), 0);
	KTAP_EQ(tell(PM_POST_HIBERNATION), 0);
	armvmm_hibernate_exit();
	KTAP_TRUE(!notifier);
}

static void test_under_way(void)
{
	nr_warnings = 0;
	KTAP_EQ(armvmm_hibernate_init(), 0);
	KTAP_EQ(tell(PM_HIBERNATION_PREPARE), 0);
	KTAP_EQ(armvmm_hibernate_vm_add(), -EBUSY);
	KTAP_EQ(armvmm_hibernate_vm_add(), -EBUSY);
	KTAP_EQ(tell(PM_POST_HIBERNATION), 0);
	KTAP_EQ(armvmm_hibernate_vm_add(), 0);
	armvmm_hibernate_vm_del();
	KTAP_EQ(nr_warnings, 0);
	armvmm_hibernate_exit();
}

/* Suspend to RAM keeps counter and memory. */
static void test_suspend(void)
{
	nr_warnings = 0;
	KTAP_EQ(armvmm_hibernate_init(), 0);
	KTAP_EQ(armvmm_hibernate_vm_add(), 0);
	KTAP_EQ(tell(PM_SUSPEND_PREPARE), 0);
	KTAP_EQ(armvmm_hibernate_vm_add(), 0);
	KTAP_EQ(tell(PM_POST_SUSPEND), 0);
	armvmm_hibernate_vm_del();
	armvmm_hibernate_vm_del();
	KTAP_EQ(nr_warnings, 0);
	armvmm_hibernate_exit();
}

KTAP_MAIN(KTAP_CASE(test_refuses), KTAP_CASE(test_under_way), KTAP_CASE(test_suspend))
