// SPDX-License-Identifier: GPL-2.0-only
/* KVM_CREATE_DEVICE and the attributes of what it creates: the vGIC alone. */
#include <linux/anon_inodes.h>
#include <linux/fs.h>
#include <linux/module.h>

#include "compat/compat.h"
#include "core/ioctl_arg.h"
#include "core/state.h"
#include "vgic/vgic.h"
#include "vm/device.h"
#include "vm/vm.h"

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct armvmm_vm *vm = file->private_data;
	struct kvm_device_attr attr;

	if (vm->mm != current->mm)
		return -EIO;
	switch (cmd) {
	case KVM_SET_DEVICE_ATTR:
	case KVM_GET_DEVICE_ATTR:
	case KVM_HAS_DEVICE_ATTR:
		break;
	default:
		return -ENOTTY;
	}
	if (armvmm_arg_in(&attr, (void __user *)arg))
		return -EFAULT;
	if (cmd == KVM_SET_DEVICE_ATTR)
		return armvmm_vgic_set_attr(vm, &attr);
	if (cmd == KVM_GET_DEVICE_ATTR)
		return armvmm_vgic_get_attr(vm, &attr);
	return armvmm_vgic_has_attr(vm, &attr);
}

static int device_release(struct inode *inode, struct file *file)
{
	armvmm_vm_put(file->private_data);
	return 0;
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.release = device_release,
	.unlocked_ioctl = device_ioctl,
	.llseek = noop_llseek,
};

int armvmm_device_create(struct armvmm_vm *vm, struct kvm_create_device *cd)
{
	int ret;

	if (cd->type != KVM_DEV_TYPE_ARM_VGIC_V2 || !armvmm_vgic_host.gich)
		return -ENODEV;
	if (cd->flags & KVM_CREATE_DEVICE_TEST)
		return 0;

	mutex_lock(&vm->lock);
	ret = armvmm_vgic_create(vm);
	mutex_unlock(&vm->lock);
	if (ret)
		return ret;
	armvmm_vm_get(vm);
	ret = anon_inode_getfd("armvmm-vgic", &device_fops, vm, O_RDWR | O_CLOEXEC);
	if (ret < 0) {
		/* The vGIC is the VM's, and stays; only its attributes can no longer be reached. */
		armvmm_vm_put(vm);
		return ret;
	}
	cd->fd = ret;
	return 0;
}
