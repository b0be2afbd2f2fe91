// SPDX-License-Identifier: GPL-2.0-only
/* The timers as the client sees them: ONE_REG, and which PPIs they raise. */
#include <linux/kernel.h>
#include <linux/uaccess.h>

#include "arch/archregs.h"
#include "arch/gic.h"
#include "core/kick.h"
#include "core/state.h"
#include "core/vcpus.h"
#include "timer/timer.h"
#include "timer/timer_host.h"
#include "timer/timer_math.h"
#include "timer/timer_user.h"
#include "vgic/vgic.h"

/*
 * KVM/arm's three, then the physical timer's, without which a saved vCPU is
 * not whole. The physical counter can be read, but never set.
 */
static const u64 timer_regs[] = {
	KVM_REG_ARM_TIMER_CTL,
	KVM_REG_ARM_TIMER_CNT,
	KVM_REG_ARM_TIMER_CVAL,
	KVM_REG_ARM_PTIMER_CTL,
	KVM_REG_ARM_PTIMER_CVAL,
};

bool armvmm_timer_is_reg(u64 id)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(timer_regs); i++)
		if (timer_regs[i] == id)
			return true;
	return id == KVM_REG_ARM_PTIMER_CNT;
}

unsigned long armvmm_timer_count(void)
{
	return ARRAY_SIZE(timer_regs);
}

int armvmm_timer_list(struct armvmm_vcpu *vcpu, u64 __user **ids)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(timer_regs); i++)
		if (put_user(timer_regs[i], (*ids)++))
			return -EFAULT;
	return 0;
}

int armvmm_timer_get_reg(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	struct hyp_vcpu *hyp = vcpu->hyp;
	u64 val;

	switch (reg->id) {
	case KVM_REG_ARM_TIMER_CTL:
		val = timer_ctl_read(hyp->cntv_ctl, armvmm_timer_virt_now(vcpu), hyp->cntv_cval);
		break;
	case KVM_REG_ARM_TIMER_CNT:
		val = armvmm_timer_virt_now(vcpu);
		break;
	case KVM_REG_ARM_TIMER_CVAL:
		val = hyp->cntv_cval;
		break;
	case KVM_REG_ARM_PTIMER_CTL:
		val = armvmm_timer_phys_read(vcpu, TIMER_REG_CTL);
		break;
	case KVM_REG_ARM_PTIMER_CNT:
		val = armvmm_timer_phys_read(vcpu, TIMER_REG_CNT);
		break;
	case KVM_REG_ARM_PTIMER_CVAL:
		val = armvmm_timer_phys_read(vcpu, TIMER_REG_CVAL);
		break;
	default:
		return -ENOENT;
	}
	/* Little-endian: the low word of a u64 is the u32. */
	return copy_to_user(u64_to_user_ptr(reg->addr), &val, KVM_REG_SIZE(reg->id)) ?
		-EFAULT : 0;
}

int armvmm_timer_set_reg(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	struct hyp_vcpu *hyp = vcpu->hyp;
	u64 val = 0;

	if (!armvmm_timer_is_reg(reg->id))
		return -ENOENT;
	if (copy_from_user(&val, u64_to_user_ptr(reg->addr), KVM_REG_SIZE(reg->id)))
		return -EFAULT;

	switch (reg->id) {
	case KVM_REG_ARM_TIMER_CTL:
		hyp->cntv_ctl = val & (CNT_CTL_ENABLE | CNT_CTL_IMASK);
		armvmm_timer_virt_changed(vcpu);
		break;
	case KVM_REG_ARM_TIMER_CNT:
		/* The counter is the VM's: the others look at their lines before they go on. */
		armvmm_timer_set_cntvoff(vcpu->vm, armvmm_timer_now() - val);
		armvmm_kick_all(vcpu->vm, VCPU_REQ_COUNTER, vcpu);
		armvmm_timer_virt_changed(vcpu);
		break;
	case KVM_REG_ARM_TIMER_CVAL:
		hyp->cntv_cval = val;
		armvmm_timer_virt_changed(vcpu);
		break;
	case KVM_REG_ARM_PTIMER_CTL:
		armvmm_timer_phys_write(vcpu, TIMER_REG_CTL, val);
		break;
	case KVM_REG_ARM_PTIMER_CVAL:
		armvmm_timer_phys_write(vcpu, TIMER_REG_CVAL, val);
		break;
	default:
		return -EINVAL;
	}
	return 0;
}

static bool timer_irqs_fixed(struct armvmm_vm *vm)
{
	struct armvmm_vcpu *vcpu;
	int i;

	armvmm_vcpus_for_each(i, vcpu, vm)
		if (vcpu->timer.irqs_fixed)
			return true;
	return false;
}

/* The number is the whole machine's: every vCPU raises the same PPI. */
int armvmm_timer_set_attr(struct armvmm_vcpu *vcpu, struct kvm_device_attr *attr)
{
	struct armvmm_vm *vm = vcpu->vm;
	struct armvmm_vcpu *other;
	int i, irq, ret = 0;

	if (!armvmm_vgic_in_kernel(&vm->vgic))
		return -EINVAL;
	if (get_user(irq, (int __user *)u64_to_user_ptr(attr->addr)))
		return -EFAULT;
	if (irq < GIC_NR_SGIS || irq >= GIC_NR_PRIVATE)
		return -EINVAL;

	mutex_lock(&vm->lock);
	if (timer_irqs_fixed(vm)) {
		ret = -EBUSY;
	} else if (attr->attr == KVM_ARM_VCPU_TIMER_IRQ_VTIMER) {
		armvmm_vcpus_for_each(i, other, vm)
			other->timer.virt_irq = irq;
	} else if (attr->attr == KVM_ARM_VCPU_TIMER_IRQ_PTIMER) {
		armvmm_vcpus_for_each(i, other, vm)
			other->timer.phys_irq = irq;
	} else {
		ret = -ENXIO;
	}
	mutex_unlock(&vm->lock);
	return ret;
}

int armvmm_timer_get_attr(struct armvmm_vcpu *vcpu, struct kvm_device_attr *attr)
{
	int __user *uaddr = u64_to_user_ptr(attr->addr);

	switch (attr->attr) {
	case KVM_ARM_VCPU_TIMER_IRQ_VTIMER:
		return put_user((int)vcpu->timer.virt_irq, uaddr);
	case KVM_ARM_VCPU_TIMER_IRQ_PTIMER:
		return put_user((int)vcpu->timer.phys_irq, uaddr);
	default:
		return -ENXIO;
	}
}

int armvmm_timer_has_attr(struct armvmm_vcpu *vcpu, struct kvm_device_attr *attr)
{
	switch (attr->attr) {
	case KVM_ARM_VCPU_TIMER_IRQ_VTIMER:
	case KVM_ARM_VCPU_TIMER_IRQ_PTIMER:
		return 0;
	default:
		return -ENXIO;
	}
}
