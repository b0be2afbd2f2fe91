// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_{SET,GET,HAS}_DEVICE_ATTR of KVM_DEV_TYPE_ARM_VGIC_V2: how a client sets up, saves, restores.
 */
#include <linux/kernel.h>
#include <linux/nospec.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>

#include "arch/gic.h"
#include "core/state.h"
#include "core/vcpus.h"
#include "mem/stage2_index.h"
#include "vgic/cpuif.h"
#include "vgic/dist.h"
#include "vgic/irq.h"
#include "vgic/loaded.h"

#define ATTR_NR_IRQS_MIN	64
#define ATTR_NR_IRQS_STEP	32

/* --- where the two frames are --- */

static u64 *attr_addr_field(struct armvmm_vm *vm, u64 type)
{
	if (!vm->vgic.in_kernel)
		return NULL;
	switch (type) {
	case KVM_VGIC_V2_ADDR_TYPE_DIST:
		return &vm->vgic.dist_base;
	case KVM_VGIC_V2_ADDR_TYPE_CPU:
		return &vm->vgic.cpu_base;
	}
	return NULL;
}

static int attr_set_addr(struct armvmm_vm *vm, u64 type, u64 addr)
{
	int ret = 0;
	u64 *field;

	mutex_lock(&vm->lock);
	field = attr_addr_field(vm, type);
	if (!field)
		ret = -ENODEV;
	else if (addr >> STAGE2_IPA_BITS)
		ret = -E2BIG;
	else if (!IS_ALIGNED(addr, SZ_4K))
		ret = -EINVAL;
	else if (*field != VGIC_ADDR_UNDEF)
		ret = -EEXIST;
	else
		*field = addr;
	mutex_unlock(&vm->lock);
	return ret;
}

int armvmm_vgic_set_addr(struct armvmm_vm *vm, u32 type, u64 addr)
{
	return attr_set_addr(vm, type, addr);
}

static int attr_get_addr(struct armvmm_vm *vm, u64 type, u64 *addr)
{
	int ret = -ENXIO;
	u64 *field;

	mutex_lock(&vm->lock);
	field = attr_addr_field(vm, type);
	if (field) {
		*addr = *field;
		ret = 0;
	}
	mutex_unlock(&vm->lock);
	return ret;
}

/* --- how many interrupts --- */

static int attr_set_nr_irqs(struct armvmm_vm *vm, u32 n)
{
	int ret = 0;

	if (n < ATTR_NR_IRQS_MIN || n > GIC_MAX_IRQS || n % ATTR_NR_IRQS_STEP)
		return -EINVAL;

	mutex_lock(&vm->lock);
	if (vm->vgic.nr_spis)	/* set, by init too */
		ret = -EBUSY;
	else
		vm->vgic.nr_spis = n - GIC_NR_PRIVATE;
	mutex_unlock(&vm->lock);
	return ret;
}

/* --- registers --- */

static struct armvmm_vcpu *attr_vcpu(struct armvmm_vm *vm, u64 attr)
{
	unsigned int index = (attr & KVM_DEV_ARM_VGIC_CPUID_MASK) >> KVM_DEV_ARM_VGIC_CPUID_SHIFT;

	if (index >= armvmm_vcpus_online(vm))
		return NULL;
	return vm->vcpus[array_index_nospec(index, ARMVMM_MAX_VCPUS)];
}

static u32 attr_offset(u64 attr)
{
	return (attr & KVM_DEV_ARM_VGIC_OFFSET_MASK) >> KVM_DEV_ARM_VGIC_OFFSET_SHIFT;
}

/*
 * One register of a VM whose vCPUs all stand still: their list registers are
 * read back and their CPU interfaces saved.
 */
static int attr_access_reg(struct armvmm_vm *vm, const struct kvm_device_attr *attr, u32 *val,
			   bool write)
{
	struct armvmm_vcpu *vcpu = attr_vcpu(vm, attr->attr);
	u32 offset = attr_offset(attr->attr);
	int ret;

	if (!vcpu)
		return -EINVAL;

	mutex_lock(&vm->lock);
	ret = armvmm_vgic_init_locked(vm);
	if (ret)
		goto out;
	ret = armvmm_vcpus_trylock(vm);
	if (ret)
		goto out;
	armvmm_vgic_unload_all(vm);
	vgic_sgi_take(vcpu);

	if (attr->group == KVM_DEV_ARM_VGIC_GRP_CPU_REGS)
		ret = write ? vgic_cpuif_set_attr(vcpu, offset, *val) :
			      vgic_cpuif_get_attr(vcpu, offset, val);
	else
		ret = write ? vgic_dist_set_attr(vcpu, offset, *val) :
			      vgic_dist_get_attr(vcpu, offset, val);

	armvmm_vcpus_unlock(vm);
out:
	mutex_unlock(&vm->lock);
	return ret;
}

/* --- the three calls --- */

int armvmm_vgic_set_attr(struct armvmm_vm *vm, struct kvm_device_attr *attr)
{
	u32 __user *user32 = (u32 __user *)(unsigned long)attr->addr;
	u64 addr;
	u32 val;
	int ret;

	switch (attr->group) {
	case KVM_DEV_ARM_VGIC_GRP_ADDR:
		if (copy_from_user(&addr, user32, sizeof(addr)))
			return -EFAULT;
		ret = attr_set_addr(vm, attr->attr, addr);
		return ret == -ENODEV ? -ENXIO : ret;

	case KVM_DEV_ARM_VGIC_GRP_NR_IRQS:
		if (get_user(val, user32))
			return -EFAULT;
		return attr_set_nr_irqs(vm, val);

	case KVM_DEV_ARM_VGIC_GRP_CTRL:
		if (attr->attr != KVM_DEV_ARM_VGIC_CTRL_INIT)
			return -ENXIO;
		return armvmm_vgic_init(vm);

	case KVM_DEV_ARM_VGIC_GRP_DIST_REGS:
	case KVM_DEV_ARM_VGIC_GRP_CPU_REGS:
		if (get_user(val, user32))
			return -EFAULT;
		return attr_access_reg(vm, attr, &val, true);
	}
	return -ENXIO;
}

int armvmm_vgic_get_attr(struct armvmm_vm *vm, struct kvm_device_attr *attr)
{
	u32 __user *user32 = (u32 __user *)(unsigned long)attr->addr;
	u32 val = 0;
	u64 addr;
	int ret;

	switch (attr->group) {
	case KVM_DEV_ARM_VGIC_GRP_ADDR:
		ret = attr_get_addr(vm, attr->attr, &addr);
		if (ret)
			return ret;
		return copy_to_user(user32, &addr, sizeof(addr)) ? -EFAULT : 0;

	case KVM_DEV_ARM_VGIC_GRP_NR_IRQS:
		return put_user(READ_ONCE(vm->vgic.nr_spis) + GIC_NR_PRIVATE, user32);

	case KVM_DEV_ARM_VGIC_GRP_DIST_REGS:
	case KVM_DEV_ARM_VGIC_GRP_CPU_REGS:
		ret = attr_access_reg(vm, attr, &val, false);
		if (ret)
			return ret;
		return put_user(val, user32);
	}
	return -ENXIO;
}

int armvmm_vgic_has_attr(struct armvmm_vm *vm, struct kvm_device_attr *attr)
{
	struct armvmm_vcpu *vcpu;
	u32 offset = attr_offset(attr->attr);

	switch (attr->group) {
	case KVM_DEV_ARM_VGIC_GRP_ADDR:
		switch (attr->attr) {
		case KVM_VGIC_V2_ADDR_TYPE_DIST:
		case KVM_VGIC_V2_ADDR_TYPE_CPU:
			return 0;
		}
		return -ENXIO;

	case KVM_DEV_ARM_VGIC_GRP_NR_IRQS:
		return 0;

	case KVM_DEV_ARM_VGIC_GRP_CTRL:
		return attr->attr == KVM_DEV_ARM_VGIC_CTRL_INIT ? 0 : -ENXIO;

	case KVM_DEV_ARM_VGIC_GRP_DIST_REGS:
	case KVM_DEV_ARM_VGIC_GRP_CPU_REGS:
		vcpu = attr_vcpu(vm, attr->attr);
		if (!vcpu)
			return -EINVAL;
		if (attr->group == KVM_DEV_ARM_VGIC_GRP_CPU_REGS)
			return vgic_cpuif_has_attr(offset);
		return vgic_dist_has_attr(vcpu, offset);
	}
	return -ENXIO;
}
