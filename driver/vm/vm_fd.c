// SPDX-License-Identifier: GPL-2.0-only
/* What a client asks of a VM by its fd. */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>

#include <asm/cputype.h>

#include "compat/compat.h"
#include "core/inject.h"
#include "core/state.h"
#include "core/vcpus.h"
#include "debug/debug.h"
#include "eventfd/eventfd.h"
#include "eventfd/irqroute.h"
#include "host/debug_host.h"
#include "mem/memslot.h"
#include "mem/memslot_check.h"
#include "mem/stage2_host.h"
#include "mmio/coalesced.h"
#include "pmu/pmu.h"
#include "vgic/vgic.h"
#include "vm/device.h"
#include "vm/stat.h"
#include "vm/vcpu_fd.h"
#include "vm/vcpu_init.h"
#include "vm/vm.h"
#include "vm/vm_fd.h"

/* A client may set lines before it has said that its GIC is complete. */
static int vm_inject(struct armvmm_vm *vm, struct armvmm_vcpu *vcpu, unsigned int num, bool level)
{
	int ret = armvmm_vgic_init(vm);

	return ret ? ret : armvmm_vgic_inject(vm, vcpu, num, level, NULL);
}

static int vm_irq_line(struct armvmm_vm *vm, const struct kvm_irq_level *line)
{
	unsigned int type = (line->irq >> KVM_ARM_IRQ_TYPE_SHIFT) & KVM_ARM_IRQ_TYPE_MASK;
	unsigned int id = (line->irq >> KVM_ARM_IRQ_VCPU_SHIFT) & KVM_ARM_IRQ_VCPU_MASK;
	unsigned int num = (line->irq >> KVM_ARM_IRQ_NUM_SHIFT) & KVM_ARM_IRQ_NUM_MASK;
	struct armvmm_vcpu *vcpu = NULL;

	id += ((line->irq >> KVM_ARM_IRQ_VCPU2_SHIFT) & KVM_ARM_IRQ_VCPU2_MASK) *
	      (KVM_ARM_IRQ_VCPU_MASK + 1);
	/* CPU lines are those of a GIC in the client; the others are those of one in the kernel. */
	if (type > KVM_ARM_IRQ_TYPE_PPI)
		return -EINVAL;
	if (armvmm_vgic_in_kernel(&vm->vgic) == (type == KVM_ARM_IRQ_TYPE_CPU))
		return -ENXIO;
	if (type != KVM_ARM_IRQ_TYPE_SPI) {
		if (id >= armvmm_vm_online_vcpus(vm))
			return -EINVAL;
		vcpu = vm->vcpus[array_index_nospec(id, ARMVMM_MAX_VCPUS)];
	}

	switch (type) {
	case KVM_ARM_IRQ_TYPE_CPU:
		if (num > KVM_ARM_IRQ_CPU_FIQ)
			return -EINVAL;
		return armvmm_vcpu_set_irq_line(vcpu, num, line->level);
	case KVM_ARM_IRQ_TYPE_PPI:
		if (num < VGIC_NR_SGIS || num >= VGIC_NR_PRIVATE)
			return -EINVAL;
		return vm_inject(vm, vcpu, num, line->level);
	default:
		if (num < VGIC_NR_PRIVATE)
			return -EINVAL;
		return vm_inject(vm, NULL, num, line->level);
	}
}

/* The KVM ABI has no target number for the A12 and A17: they pass as an A15. */
static bool vm_generic_target(void)
{
	unsigned int part = read_cpuid_part();

	return part == ARM_CPU_PART_CORTEX_A12 || part == ARM_CPU_PART_CORTEX_A17;
}

long armvmm_vm_check_extension(struct armvmm_vm *vm, long cap)
{
	switch (cap) {
	case KVM_CAP_IRQCHIP:
		return armvmm_vgic_host.gich ? 1 : 0;
	case KVM_CAP_SYNC_MMU:
		return armvmm_stage2_host_syncs;
	case KVM_CAP_USER_MEMORY:
	case KVM_CAP_DESTROY_MEMORY_REGION_WORKS:
	case KVM_CAP_JOIN_MEMORY_REGIONS_WORKS:
	case KVM_CAP_ONE_REG:
	case KVM_CAP_ARM_PSCI:
	case KVM_CAP_ARM_PSCI_0_2:
	case KVM_CAP_READONLY_MEM:
	case KVM_CAP_MP_STATE:
	case KVM_CAP_IMMEDIATE_EXIT:
	case KVM_CAP_DEVICE_CTRL:
	case KVM_CAP_ARM_USER_IRQ:
	case KVM_CAP_ARM_IRQ_LINE_LAYOUT_2:
	case KVM_CAP_VCPU_EVENTS:
	case KVM_CAP_ARM_INJECT_EXT_DABT:
	case KVM_CAP_ARM_NISV_TO_USER:
	case KVM_CAP_CHECK_EXTENSION_VM:
	case KVM_CAP_INTERNAL_ERROR_DATA:
	case KVM_CAP_ENABLE_CAP:
	case KVM_CAP_ENABLE_CAP_VM:
	case KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2:
	case KVM_CAP_SIGNAL_MSI:
	case KVM_CAP_BINARY_STATS_FD:
		return 1;
	case KVM_CAP_ARM_SET_DEVICE_ADDR:
		return 1;
	case KVM_CAP_IOEVENTFD:
	case KVM_CAP_IOEVENTFD_ANY_LENGTH:
	case KVM_CAP_IOEVENTFD_NO_LENGTH:
	case KVM_CAP_IRQFD:
	case KVM_CAP_IRQFD_RESAMPLE:
		return COMPAT_HAS_EVENTFD;
	case KVM_CAP_COALESCED_MMIO:
		return KVM_COALESCED_MMIO_PAGE_OFFSET;
	case KVM_CAP_COALESCED_PIO:
		return 1;
	case KVM_CAP_MSI_DEVID:
		/* A question about a VM's ITS, which no VM here has. */
		return vm ? 0 : -EINVAL;
	case KVM_CAP_IRQ_ROUTING:
		return ARMVMM_MAX_IRQ_ROUTES;
	case KVM_CAP_ARM_PMU_V3:
		return armvmm_pmu_host.present;
	case KVM_CAP_NR_VCPUS:
		return num_online_cpus();
	case KVM_CAP_MAX_VCPUS:
	case KVM_CAP_MAX_VCPU_ID:
		return ARMVMM_MAX_VCPUS;
	case KVM_CAP_NR_MEMSLOTS:
		return ARMVMM_NR_MEMSLOTS;
	case KVM_CAP_SET_GUEST_DEBUG:
		return 1;
	case KVM_CAP_GUEST_DEBUG_HW_BPS:
		return armvmm_debug_host.nr_brp;
	case KVM_CAP_GUEST_DEBUG_HW_WPS:
		return armvmm_debug_host.nr_wrp;
	case ARMVMM_CAP_GUEST_DEBUG:
		return armvmm_debug_flags();
	case ARMVMM_CAP_VERSION:
		return ARMVMM_VERSION;
	case ARMVMM_CAP_GENERIC_TARGET:
		return vm_generic_target();
	default:
		return 0;
	}
}

/* KVM ignores the arguments that a capability has no use for. */
static int vm_enable_cap(struct armvmm_vm *vm, const struct kvm_enable_cap *cap)
{
	if (cap->flags)
		return -EINVAL;
	switch (cap->cap) {
	case KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2:
		if (cap->args[0] & ~1ULL)
			return -EINVAL;
		WRITE_ONCE(vm->manual_dirty_log_protect, cap->args[0]);
		return 0;
	case KVM_CAP_ARM_NISV_TO_USER:
		WRITE_ONCE(vm->return_nisv_to_user, true);
		return 0;
	default:
		return -EINVAL;
	}
}

static int vm_create_irqchip(struct armvmm_vm *vm)
{
	int ret;

	if (!armvmm_vgic_host.gich)
		return -ENXIO;
	mutex_lock(&vm->lock);
	ret = armvmm_vgic_create(vm);
	mutex_unlock(&vm->lock);
	return ret;
}

static int vm_set_device_addr(struct armvmm_vm *vm, const struct kvm_arm_device_addr *dev)
{
	unsigned int id = (dev->id & KVM_ARM_DEVICE_ID_MASK) >> KVM_ARM_DEVICE_ID_SHIFT;
	unsigned int type = (dev->id & KVM_ARM_DEVICE_TYPE_MASK) >> KVM_ARM_DEVICE_TYPE_SHIFT;

	if (id != KVM_ARM_DEVICE_VGIC_V2)
		return -ENODEV;
	/* As for a vGIC of another model: KVM asks for the device first. */
	if (!armvmm_vgic_in_kernel(&vm->vgic))
		return -ENODEV;
	return armvmm_vgic_set_addr(vm, type, dev->addr);
}

static long vm_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct armvmm_vm *vm = file->private_data;
	void __user *argp = (void __user *)arg;

	if (vm->mm != current->mm)
		return -EIO;

	switch (cmd) {
	case KVM_CREATE_VCPU:
		return armvmm_vcpu_create(vm, arg);
	case KVM_CHECK_EXTENSION:
		return armvmm_vm_check_extension(vm, arg);
	case KVM_ENABLE_CAP: {
		struct kvm_enable_cap cap;

		if (copy_from_user(&cap, argp, sizeof(cap)))
			return -EFAULT;
		return vm_enable_cap(vm, &cap);
	}
	case KVM_SET_USER_MEMORY_REGION: {
		struct kvm_userspace_memory_region mem;

		if (copy_from_user(&mem, argp, sizeof(mem)))
			return -EFAULT;
		return armvmm_memslot_set(vm, &mem);
	}
	case KVM_GET_DIRTY_LOG: {
		struct kvm_dirty_log log;

		if (copy_from_user(&log, argp, sizeof(log)))
			return -EFAULT;
		return armvmm_dirty_get_log(vm, &log);
	}
	case KVM_CLEAR_DIRTY_LOG: {
		struct kvm_clear_dirty_log log;

		if (copy_from_user(&log, argp, sizeof(log)))
			return -EFAULT;
		return armvmm_dirty_clear_log(vm, &log);
	}
	case KVM_IRQ_LINE:
	case KVM_IRQ_LINE_STATUS: {
		struct kvm_irq_level line;
		int ret;

		if (copy_from_user(&line, argp, sizeof(line)))
			return -EFAULT;
		ret = vm_irq_line(vm, &line);
		/* KVM/arm has no word on delivery: what came in goes back. */
		if (!ret && cmd == KVM_IRQ_LINE_STATUS && copy_to_user(argp, &line, sizeof(line)))
			ret = -EFAULT;
		return ret;
	}
	case KVM_IRQFD: {
		struct kvm_irqfd irqfd;

		if (copy_from_user(&irqfd, argp, sizeof(irqfd)))
			return -EFAULT;
		return armvmm_irqfd(vm, &irqfd);
	}
	case KVM_SET_GSI_ROUTING:
		return armvmm_irqroute_set(vm, argp);
	case KVM_SIGNAL_MSI: {
		struct kvm_msi msi;

		if (copy_from_user(&msi, argp, sizeof(msi)))
			return -EFAULT;
		return armvmm_irqroute_signal_msi(vm, &msi);
	}
	case KVM_IOEVENTFD: {
		struct kvm_ioeventfd ioeventfd;

		if (copy_from_user(&ioeventfd, argp, sizeof(ioeventfd)))
			return -EFAULT;
		return armvmm_ioeventfd(vm, &ioeventfd);
	}
	case KVM_REGISTER_COALESCED_MMIO:
	case KVM_UNREGISTER_COALESCED_MMIO: {
		struct kvm_coalesced_mmio_zone zone;

		if (copy_from_user(&zone, argp, sizeof(zone)))
			return -EFAULT;
		if (cmd == KVM_REGISTER_COALESCED_MMIO)
			return armvmm_coalesced_register(vm, &zone);
		return armvmm_coalesced_unregister(vm, &zone);
	}
	case KVM_CREATE_DEVICE: {
		struct kvm_create_device cd;
		int ret;

		if (copy_from_user(&cd, argp, sizeof(cd)))
			return -EFAULT;
		ret = armvmm_device_create(vm, &cd);
		if (ret)
			return ret;
		return copy_to_user(argp, &cd, sizeof(cd)) ? -EFAULT : 0;
	}
	case KVM_GET_STATS_FD:
		return armvmm_stat_vm_fd(vm);
	case KVM_CREATE_IRQCHIP:
		return vm_create_irqchip(vm);
	case KVM_ARM_SET_DEVICE_ADDR: {
		struct kvm_arm_device_addr dev;

		if (copy_from_user(&dev, argp, sizeof(dev)))
			return -EFAULT;
		return vm_set_device_addr(vm, &dev);
	}
	case KVM_ARM_PREFERRED_TARGET: {
		struct kvm_vcpu_init init;
		int ret = armvmm_regs_preferred_target(&init);

		if (ret)
			return ret;
		return copy_to_user(argp, &init, sizeof(init)) ? -EFAULT : 0;
	}
	default:
		/* KVM's answer to a VM ioctl of no architecture's. */
		return -EINVAL;
	}
}

static int vm_release(struct inode *inode, struct file *file)
{
	struct armvmm_vm *vm = file->private_data;

	armvmm_eventfd_vm_release(vm);
	armvmm_vm_put(vm);
	return 0;
}

static const struct file_operations vm_fops = {
	.owner = THIS_MODULE,
	.release = vm_release,
	.unlocked_ioctl = vm_ioctl,
	.llseek = noop_llseek,
};

int armvmm_vm_create(unsigned long type)
{
	struct armvmm_vm *vm;
	struct file *file;
	int fd, ret;

	if (type)
		return -EINVAL;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	vm = armvmm_vm_alloc();
	if (IS_ERR(vm)) {
		ret = PTR_ERR(vm);
		goto err_alloc;
	}
	file = anon_inode_getfile("armvmm-vm", &vm_fops, vm, O_RDWR);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		goto err_file;
	}
	armvmm_stat_vm_add(vm, fd);
	fd_install(fd, file);
	return fd;

err_file:
	armvmm_vm_put(vm);
err_alloc:
	put_unused_fd(fd);
	return ret;
}
