// SPDX-License-Identifier: GPL-2.0-only
/* What a client asks of a VM by its fd. */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/nospec.h>

#include <asm/cputype.h>

#include "arch/gic.h"
#include "compat/compat.h"
#include "core/inject.h"
#include "core/ioctl_arg.h"
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
#include "mmio/in_hyp.h"
#include "mmio/mirror.h"
#include "pmu/pmu.h"
#include "vgic/vgic.h"
#include "vm/device.h"
#include "vm/stat.h"
#include "vm/suspend.h"
#include "vm/vcpu_fd.h"
#include "vm/vcpu_init.h"
#include "vm/vm.h"
#include "vm/vm_fd.h"

/* A client may set lines before it has completed its GIC. */
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
		if (id >= armvmm_vcpus_online(vm))
			return -EINVAL;
		vcpu = vm->vcpus[array_index_nospec(id, ARMVMM_MAX_VCPUS)];
	}

	switch (type) {
	case KVM_ARM_IRQ_TYPE_CPU:
		if (num > KVM_ARM_IRQ_CPU_FIQ)
			return -EINVAL;
		return armvmm_inject_line(vcpu, num, line->level);
	case KVM_ARM_IRQ_TYPE_PPI:
		if (num < GIC_NR_SGIS || num >= GIC_NR_PRIVATE)
			return -EINVAL;
		return vm_inject(vm, vcpu, num, line->level);
	default:
		if (num < GIC_NR_PRIVATE)
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
		/* It asks about a VM's ITS, which no VM has here. */
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
	case KVM_CAP_SET_GUEST_DEBUG2:
		return armvmm_debug_flags();
	case ARMVMM_CAP_VERSION:
		return ARMVMM_VERSION;
	case ARMVMM_CAP_GENERIC_TARGET:
		return vm_generic_target();
	case ARMVMM_CAP_MIRRORS:
		return armvmm_mirror_max(vm);
	case ARMVMM_CAP_SUSPEND_STOPS:
		return 1;
	case ARMVMM_CAP_UNPIN:
		return !armvmm_stage2_host_syncs;
	default:
		return 0;
	}
}

static int vm_set_memory(struct armvmm_vm *vm, const struct kvm_userspace_memory_region *mem)
{
	/* A slot hides what is behind it, from HYP mode before the slot is there. */
	bool hide = armvmm_vgic_slots_change(vm, mem->guest_phys_addr, mem->memory_size);
	int ret;

	armvmm_in_hyp_change(vm);
	ret = armvmm_memslot_set(vm, mem);
	armvmm_in_hyp_changed(vm);
	armvmm_vgic_slots_changed(vm, hide);
	return ret;
}

/* Like KVM, ignores arguments that a capability does not use. */
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
	case ARMVMM_CAP_SUSPEND_STOPS:
		if (cap->args[0] & ~1ULL)
			return -EINVAL;
		armvmm_suspend_vm_stops(vm, cap->args[0]);
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
	/* As for a vGIC of another model, which KVM looks for first. */
	if (!armvmm_vgic_in_kernel(&vm->vgic))
		return -ENODEV;
	return armvmm_vgic_set_addr(vm, type, dev->addr);
}

static int vm_irq_line_ioctl(struct armvmm_vm *vm, unsigned int cmd, void __user *argp)
{
	struct kvm_irq_level line;
	int ret = armvmm_arg_in(&line, argp) ?: vm_irq_line(vm, &line);

	/* KVM/arm does not tell of delivery: the struct goes back as it came. */
	if (!ret && cmd == KVM_IRQ_LINE_STATUS)
		ret = armvmm_arg_out(argp, &line);
	return ret;
}

static int vm_create_device(struct armvmm_vm *vm, void __user *argp)
{
	struct kvm_create_device cd;

	return armvmm_arg_in(&cd, argp) ?:
	       armvmm_device_create(vm, &cd) ?:
	       armvmm_arg_out(argp, &cd);
}

static int vm_preferred_target(void __user *argp)
{
	struct kvm_vcpu_init init;

	return armvmm_vcpu_preferred_target(&init) ?: armvmm_arg_out(argp, &init);
}

/* The ioctls that read a struct of the client's and write none. */
static int vm_ioctl_in(struct armvmm_vm *vm, unsigned int cmd, void __user *argp)
{
	union {
		struct kvm_enable_cap cap;
		struct kvm_userspace_memory_region mem;
		struct kvm_dirty_log log;
		struct kvm_clear_dirty_log clear;
		struct kvm_irqfd irqfd;
		struct kvm_msi msi;
		struct kvm_ioeventfd ioeventfd;
		struct kvm_coalesced_mmio_zone zone;
		struct armvmm_mirror mirror;
		struct armvmm_range range;
		struct kvm_arm_device_addr dev;
	} in;

	switch (cmd) {
	case KVM_ENABLE_CAP:
		return armvmm_arg_in(&in.cap, argp) ?: vm_enable_cap(vm, &in.cap);
	case KVM_SET_USER_MEMORY_REGION:
		return armvmm_arg_in(&in.mem, argp) ?: vm_set_memory(vm, &in.mem);
	case KVM_GET_DIRTY_LOG:
		return armvmm_arg_in(&in.log, argp) ?: armvmm_dirty_get_log(vm, &in.log);
	case KVM_CLEAR_DIRTY_LOG:
		return armvmm_arg_in(&in.clear, argp) ?: armvmm_dirty_clear_log(vm, &in.clear);
	case KVM_IRQFD:
		return armvmm_arg_in(&in.irqfd, argp) ?: armvmm_irqfd(vm, &in.irqfd);
	case KVM_SIGNAL_MSI:
		return armvmm_arg_in(&in.msi, argp) ?: armvmm_irqroute_signal_msi(vm, &in.msi);
	case KVM_IOEVENTFD:
		return armvmm_arg_in(&in.ioeventfd, argp) ?: armvmm_ioeventfd(vm, &in.ioeventfd);
	case KVM_REGISTER_COALESCED_MMIO:
		return armvmm_arg_in(&in.zone, argp) ?: armvmm_coalesced_register(vm, &in.zone);
	case KVM_UNREGISTER_COALESCED_MMIO:
		return armvmm_arg_in(&in.zone, argp) ?: armvmm_coalesced_unregister(vm, &in.zone);
	case ARMVMM_UNPIN:
		return armvmm_arg_in(&in.range, argp) ?: armvmm_memslot_unpin(vm, &in.range);
	case ARMVMM_SET_MIRROR:
		return armvmm_arg_in(&in.mirror, argp) ?: armvmm_mirror_set(vm, &in.mirror);
	case KVM_ARM_SET_DEVICE_ADDR:
		return armvmm_arg_in(&in.dev, argp) ?: vm_set_device_addr(vm, &in.dev);
	default:
		/* KVM's answer to a VM ioctl that no architecture has. */
		return -EINVAL;
	}
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
	case KVM_IRQ_LINE:
	case KVM_IRQ_LINE_STATUS:
		return vm_irq_line_ioctl(vm, cmd, argp);
	case KVM_SET_GSI_ROUTING:
		return armvmm_irqroute_set(vm, argp);
	case KVM_CREATE_DEVICE:
		return vm_create_device(vm, argp);
	case KVM_GET_STATS_FD:
		return armvmm_stat_vm_fd(vm);
	case KVM_CREATE_IRQCHIP:
		return vm_create_irqchip(vm);
	case KVM_ARM_PREFERRED_TARGET:
		return vm_preferred_target(argp);
	default:
		return vm_ioctl_in(vm, cmd, argp);
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

int armvmm_vm_create(struct file *node, unsigned long type)
{
	struct armvmm_vm *vm;
	struct file *file;
	int fd, ret;

	if (type)
		return -EINVAL;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	vm = armvmm_vm_alloc(node);
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
