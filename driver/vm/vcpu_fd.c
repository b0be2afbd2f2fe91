// SPDX-License-Identifier: GPL-2.0-only
/* What a client asks of a vCPU by its fd. */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "core/inject.h"
#include "core/ioctl_arg.h"
#include "core/kick.h"
#include "core/state.h"
#include "core/vcpus.h"
#include "debug/debug.h"
#include "mmio/coalesced.h"
#include "pmu/pmu.h"
#include "regs/onereg.h"
#include "run/run.h"
#include "timer/timer.h"
#include "vgic/loaded.h"
#include "vm/stat.h"
#include "vm/vcpu.h"
#include "vm/vcpu_fd.h"
#include "vm/vcpu_init.h"
#include "vm/vm.h"

static int vcpu_get_mp_state(struct armvmm_vcpu *vcpu, struct kvm_mp_state *state)
{
	state->mp_state = READ_ONCE(vcpu->power_off) ? KVM_MP_STATE_STOPPED :
						       KVM_MP_STATE_RUNNABLE;
	return 0;
}

static int vcpu_set_mp_state(struct armvmm_vcpu *vcpu, const struct kvm_mp_state *state)
{
	switch (state->mp_state) {
	case KVM_MP_STATE_RUNNABLE:
		WRITE_ONCE(vcpu->power_off, false);
		return 0;
	case KVM_MP_STATE_STOPPED:
		WRITE_ONCE(vcpu->power_off, true);
		armvmm_vcpu_request(vcpu, VCPU_REQ_SLEEP);
		armvmm_vcpu_kick(vcpu);
		return 0;
	default:
		return -EINVAL;
	}
}

static int vcpu_set_sigmask(struct armvmm_vcpu *vcpu, void __user *argp)
{
	struct kvm_signal_mask head;
	sigset_t set;

	if (!argp) {
		vcpu->sigset_active = false;
		return 0;
	}
	if (armvmm_arg_in(&head, argp))
		return -EFAULT;
	if (head.len != sizeof(set))
		return -EINVAL;
	if (armvmm_arg_in(&set, argp + sizeof(head)))
		return -EFAULT;
	sigdelsetmask(&set, sigmask(SIGKILL) | sigmask(SIGSTOP));
	vcpu->sigset = set;
	vcpu->sigset_active = true;
	return 0;
}

static int vcpu_reg_list(struct armvmm_vcpu *vcpu, struct kvm_reg_list __user *user)
{
	struct kvm_reg_list list;
	u64 room;

	if (armvmm_arg_in(&list, user))
		return -EFAULT;
	room = list.n;
	list.n = armvmm_regs_count(vcpu);
	if (armvmm_arg_out(user, &list))
		return -EFAULT;
	if (room < list.n)
		return -E2BIG;
	return armvmm_regs_list(vcpu, user->reg);
}

static int vcpu_one_reg(struct armvmm_vcpu *vcpu, unsigned int cmd, void __user *argp)
{
	struct kvm_one_reg reg;

	if (armvmm_arg_in(&reg, argp))
		return -EFAULT;
	if (cmd == KVM_SET_ONE_REG)
		return armvmm_regs_set(vcpu, &reg);
	return armvmm_regs_get(vcpu, &reg);
}

static int vcpu_device_attr(struct armvmm_vcpu *vcpu, unsigned int cmd, void __user *argp)
{
	struct kvm_device_attr attr;

	if (armvmm_arg_in(&attr, argp))
		return -EFAULT;
	switch (attr.group) {
	case KVM_ARM_VCPU_PMU_V3_CTRL:
		if (cmd == KVM_SET_DEVICE_ATTR)
			return armvmm_pmu_set_attr(vcpu, &attr);
		if (cmd == KVM_GET_DEVICE_ATTR)
			return armvmm_pmu_get_attr(vcpu, &attr);
		return armvmm_pmu_has_attr(vcpu, &attr);
	case KVM_ARM_VCPU_TIMER_CTRL:
		if (cmd == KVM_SET_DEVICE_ATTR)
			return armvmm_timer_set_attr(vcpu, &attr);
		if (cmd == KVM_GET_DEVICE_ATTR)
			return armvmm_timer_get_attr(vcpu, &attr);
		return armvmm_timer_has_attr(vcpu, &attr);
	default:
		return -ENXIO;
	}
}

static int vcpu_events(struct armvmm_vcpu *vcpu, unsigned int cmd, void __user *argp)
{
	struct kvm_vcpu_events events = {};

	if (cmd == KVM_SET_VCPU_EVENTS)
		return armvmm_arg_in(&events, argp) ?: armvmm_regs_set_events(vcpu, &events);
	return armvmm_regs_get_events(vcpu, &events) ?: armvmm_arg_out(argp, &events);
}

static long vcpu_do_ioctl(struct armvmm_vcpu *vcpu, unsigned int cmd, unsigned long arg)
{
	void __user *argp = (void __user *)arg;

	switch (cmd) {
	case KVM_ARM_VCPU_INIT: {
		struct kvm_vcpu_init init;

		return armvmm_arg_in(&init, argp) ?: armvmm_vcpu_init(vcpu, &init);
	}
	case KVM_SET_ONE_REG:
	case KVM_GET_ONE_REG:
		return vcpu->initialized ? vcpu_one_reg(vcpu, cmd, argp) : -ENOEXEC;
	case KVM_GET_REG_LIST:
		return vcpu->initialized ? vcpu_reg_list(vcpu, argp) : -ENOEXEC;
	case KVM_GET_MP_STATE: {
		struct kvm_mp_state state;

		vcpu_get_mp_state(vcpu, &state);
		return armvmm_arg_out(argp, &state);
	}
	case KVM_SET_MP_STATE: {
		struct kvm_mp_state state;

		return armvmm_arg_in(&state, argp) ?: vcpu_set_mp_state(vcpu, &state);
	}
	case KVM_SET_SIGNAL_MASK:
		return vcpu_set_sigmask(vcpu, argp);
	case KVM_SET_DEVICE_ATTR:
	case KVM_GET_DEVICE_ATTR:
	case KVM_HAS_DEVICE_ATTR:
		return vcpu_device_attr(vcpu, cmd, argp);
	case KVM_GET_VCPU_EVENTS:
	case KVM_SET_VCPU_EVENTS:
		return vcpu_events(vcpu, cmd, argp);
	case ARMVMM_DEBUG_IOCTL_BARE:
	case KVM_SET_GUEST_DEBUG:
		return armvmm_debug_ioctl(vcpu, cmd, argp);
	default:
		return -EINVAL;
	}
}

static long vcpu_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct armvmm_vcpu *vcpu = file->private_data;
	long ret;

	if (unlikely(vcpu->vm->mm != current->mm))
		return -EIO;
	/* Does not touch the vCPU, which may run meanwhile. */
	if (cmd == KVM_GET_STATS_FD)
		return armvmm_stat_vcpu_fd(vcpu);
	/* Mostly nobody else has it. */
	if (!mutex_trylock(&vcpu->mutex) && mutex_lock_killable(&vcpu->mutex))
		return -EINTR;
	if (unlikely(cmd != KVM_RUN)) {
		armvmm_vgic_unload(vcpu);
		vcpu->last_task = NULL;
	}
	ret = cmd == KVM_RUN && !arg ? armvmm_vcpu_run(vcpu) : vcpu_do_ioctl(vcpu, cmd, arg);
	mutex_unlock(&vcpu->mutex);
	return ret;
}

static vm_fault_t vcpu_mmap_fault(struct vm_fault *vmf)
{
	struct armvmm_vcpu *vcpu = vmf->vma->vm_file->private_data;

	if (vmf->pgoff == 0)
		vmf->page = virt_to_page(vcpu->run);
	else if (vmf->pgoff == KVM_COALESCED_MMIO_PAGE_OFFSET)
		vmf->page = armvmm_coalesced_page(vcpu->vm);
	else
		return VM_FAULT_SIGBUS;
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct vcpu_vm_ops = {
	.fault = vcpu_mmap_fault,
};

static int vcpu_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_ops = &vcpu_vm_ops;
	return 0;
}

static int vcpu_release(struct inode *inode, struct file *file)
{
	struct armvmm_vcpu *vcpu = file->private_data;

	armvmm_vm_put(vcpu->vm);
	return 0;
}

static const struct file_operations vcpu_fops = {
	.owner = THIS_MODULE,
	.release = vcpu_release,
	.unlocked_ioctl = vcpu_ioctl,
	.mmap = vcpu_mmap,
	.llseek = noop_llseek,
};

static int vcpu_check(struct armvmm_vm *vm, unsigned long id)
{
	if (id >= ARMVMM_MAX_VCPUS)
		return -EINVAL;
	if (vm->vgic.initialized)
		return -EBUSY;
	return armvmm_vcpus_by_id(vm, id) ? -EEXIST : 0;
}

/* The vCPU joins the VM only when its fd can no longer fail. */
int armvmm_vcpu_create(struct armvmm_vm *vm, unsigned long id)
{
	struct armvmm_vcpu *vcpu;
	struct file *file;
	int fd, ret;

	mutex_lock(&vm->lock);
	ret = vcpu_check(vm, id);
	if (ret)
		goto out;
	vcpu = armvmm_vcpu_alloc(vm, id);
	if (IS_ERR(vcpu)) {
		ret = PTR_ERR(vcpu);
		goto out;
	}
	vcpu->index = vm->online_vcpus;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		ret = fd;
		goto err_fd;
	}
	file = anon_inode_getfile("armvmm-vcpu", &vcpu_fops, vcpu, O_RDWR);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		goto err_file;
	}
	armvmm_vm_get(vm);
	vm->vcpus[vm->online_vcpus] = vcpu;
	vm->created_vcpus++;
	/* Pairs with armvmm_vcpus_online(). */
	smp_store_release(&vm->online_vcpus, vm->online_vcpus + 1);
	/* Last: another thread may guess the number, and use or close it at once. */
	fd_install(fd, file);
	mutex_unlock(&vm->lock);
	/* Whatever becomes of its fd, the vCPU stays as long as the VM, which the caller has. */
	armvmm_stat_vcpu_add(vcpu);
	return fd;

err_file:
	put_unused_fd(fd);
err_fd:
	armvmm_vcpu_destroy(vcpu);
out:
	mutex_unlock(&vm->lock);
	return ret;
}
