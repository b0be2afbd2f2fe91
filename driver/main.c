// SPDX-License-Identifier: GPL-2.0-only
/* The module: what it needs, in the order it needs it, and its device nodes. */
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <asm/cputype.h>

#include <linux/armvmm.h>

#include "arch/archregs.h"
#include "compat/compat.h"
#include "core/state.h"
#include "eventfd/eventfd.h"
#include "host/cpukind.h"
#include "host/debug_host.h"
#include "host/hypmap.h"
#include "mem/vmid.h"
#include "pmu/pmu.h"
#include "regs/cp15.h"
#include "takeover.h"
#include "timer/timer.h"
#include "vgic/loaded.h"
#include "vgic/vgic.h"
#include "vm/hibernate.h"
#include "vm/stat.h"
#include "vm/suspend.h"
#include "vm/vm_fd.h"

static bool kvm;
module_param(kvm, bool, 0444);
MODULE_PARM_DESC(kvm, "also register /dev/kvm, for programs that open nothing else");

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case KVM_GET_API_VERSION:
		return arg ? -EINVAL : KVM_API_VERSION;
	case KVM_CREATE_VM:
		return armvmm_vm_create(file, arg);
	case KVM_CHECK_EXTENSION:
		return armvmm_vm_check_extension(NULL, arg);
	case KVM_GET_VCPU_MMAP_SIZE:
		/* struct kvm_run, and the page of the coalesced MMIO ring */
		return arg ? -EINVAL : 2 * PAGE_SIZE;
	default:
		return -EINVAL;
	}
}

/* What the host's CPUs are, a line for each kind: for people, and for armvmm-stat --host. */
static ssize_t device_read(struct file *file, char __user *buf, size_t count, loff_t *ppos)
{
	char *text = kzalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	ssize_t ret;

	if (!text)
		return -ENOMEM;
	ret = simple_read_from_buffer(buf, count, ppos, text,
				      armvmm_cpukind_report(text, PAGE_SIZE));
	kfree(text);
	return ret;
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.read = device_read,
	.unlocked_ioctl = device_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice armvmm_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "armvmm",
	.fops = &device_fops,
	.mode = 0660,
};

static struct miscdevice kvm_misc = {
	.minor = KVM_MINOR,
	.name = "kvm",
	.fops = &device_fops,
	.mode = 0660,
};

/*
 * Diagnosis in an order that cannot fault: the CPU's ID register, the GIC, the virtual timer's
 * interrupt (which Linux keeps for itself when it was entered in SVC mode), and last an hvc whose
 * undefined exception is caught.
 */
static int check_cpu(void)
{
	u32 pfr1 = read_cpuid_ext(CPUID_EXT_PFR1);

	if (!ID_PFR1_VIRT(pfr1)) {
		pr_err("this CPU (MIDR 0x%08x) has no Virtualization Extensions; Cortex-A7, A12, A15 and A17 have\n",
		       read_cpuid_id());
		return -ENODEV;
	}
	return 0;
}

static int __init armvmm_init(void)
{
	int ret;

	ret = check_cpu();
	if (ret)
		return ret;
	ret = armvmm_vgic_host_init();
	if (ret)
		return ret;
	ret = armvmm_timer_init();
	if (ret)
		goto err_timer;
	ret = armvmm_takeover_probe();
	if (ret)
		goto err_probe;
	ret = armvmm_cp15_init();
	if (ret)
		goto err_probe;
	ret = armvmm_eventfd_init();
	if (ret)
		goto err_probe;
	armvmm_pmu_init();
	ret = armvmm_vmid_init();
	if (ret)
		goto err_vmid;
	ret = armvmm_vgic_loaded_init();
	if (ret)
		goto err_loaded;
	ret = armvmm_hypmap_init();
	if (ret)
		goto err_hypmap;
	ret = armvmm_takeover_init();
	if (ret)
		goto err_takeover;
	ret = armvmm_hibernate_init();
	if (ret)
		goto err_hibernate;
	ret = armvmm_suspend_init();
	if (ret)
		goto err_suspend;
	armvmm_stat_init();
	armvmm_debug_probe_init();
	/*
	 * /dev/kvm comes first, as it may have another owner: then no node has to be removed again.
	 */
	if (kvm) {
		ret = misc_register(&kvm_misc);
		if (ret) {
			pr_err("kvm=1: /dev/kvm (10:%d) has another owner; unload it, or load armvmm without kvm=1\n",
			       KVM_MINOR);
			goto err_kvm;
		}
	}
	ret = misc_register(&armvmm_misc);
	if (ret)
		goto err_misc;
	pr_info("HYP mode taken over on %u CPUs, %u list registers, EOImode %u\n",
		num_online_cpus(), armvmm_vgic_host.nr_lr, armvmm_vgic_host.split_eoi);
	return 0;

err_misc:
	if (kvm)
		misc_deregister(&kvm_misc);
err_kvm:
	armvmm_stat_exit();
	armvmm_suspend_exit();
err_suspend:
	armvmm_hibernate_exit();
err_hibernate:
	armvmm_takeover_exit();
err_takeover:
	armvmm_hypmap_exit();
err_hypmap:
	armvmm_vgic_loaded_exit();
err_loaded:
	armvmm_vmid_exit();
err_vmid:
	armvmm_eventfd_exit();
err_probe:
	armvmm_timer_exit();
err_timer:
	armvmm_vgic_host_exit();
	return ret;
}

static void __exit armvmm_exit(void)
{
	misc_deregister(&armvmm_misc);
	if (kvm)
		misc_deregister(&kvm_misc);
	armvmm_stat_exit();
	armvmm_suspend_exit();
	armvmm_hibernate_exit();
	armvmm_takeover_exit();
	armvmm_hypmap_exit();
	armvmm_vgic_loaded_exit();
	armvmm_vmid_exit();
	armvmm_eventfd_exit();
	armvmm_timer_exit();
	armvmm_vgic_host_exit();
}

module_init(armvmm_init);
module_exit(armvmm_exit);

MODULE_DESCRIPTION("Virtual machines on ARMv7 hosts: the KVM ABI without KVM");
MODULE_AUTHOR("The armvmm developers");
MODULE_LICENSE("GPL");
MODULE_VERSION(ARMVMM_RELEASE);
