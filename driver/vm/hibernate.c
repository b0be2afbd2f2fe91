// SPDX-License-Identifier: GPL-2.0-only
#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/notifier.h>
#include <linux/suspend.h>

#include "vm/hibernate.h"

#define HIBERNATE_UNDER_WAY	(-1)

/* How many VMs there are, or that none may come. */
static atomic_t hibernate_vms = ATOMIC_INIT(0);

int armvmm_hibernate_vm_add(void)
{
	return atomic_inc_unless_negative(&hibernate_vms) ? 0 : -EBUSY;
}

void armvmm_hibernate_vm_del(void)
{
	atomic_dec(&hibernate_vms);
}

/*
 * The image is copied by the kernel's own, cached mapping, which may be behind what a guest has
 * written past its caches. And the counter begins anew when the power comes back: a guest's would
 * jump, as its offset is the old one. Who begins to restore an image loses this kernel anyway.
 */
static int hibernate_prepare(void)
{
	int vms = atomic_cmpxchg(&hibernate_vms, 0, HIBERNATE_UNDER_WAY);

	if (vms <= 0)
		return 0;
	pr_warn("the host cannot be hibernated while there are VMs (%d): end them first, or save them and end them (armvmm-ctl NAME snapshot FILE, armvmm-ctl NAME quit)\n",
		vms);
	return -EBUSY;
}

static int hibernate_event(struct notifier_block *nb, unsigned long event, void *data)
{
	int ret = 0;

	if (event == PM_HIBERNATION_PREPARE)
		ret = hibernate_prepare();
	else if (event == PM_POST_HIBERNATION)
		atomic_cmpxchg(&hibernate_vms, HIBERNATE_UNDER_WAY, 0);
	return notifier_from_errno(ret);
}

static struct notifier_block hibernate_nb = {
	.notifier_call = hibernate_event,
};

/* A kernel without CONFIG_PM_SLEEP has stubs of these. */
int armvmm_hibernate_init(void)
{
	return register_pm_notifier(&hibernate_nb);
}

void armvmm_hibernate_exit(void)
{
	unregister_pm_notifier(&hibernate_nb);
}
