// SPDX-License-Identifier: GPL-2.0-only
/* The performance monitors as the client sees them: ONE_REG, device attributes. */
#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/uaccess.h>

#include "arch/gic.h"
#include "core/state.h"
#include "core/vcpus.h"
#include "pmu/pmu.h"
#include "vgic/vgic.h"

/*
 * The architecture's registers that hold state; then the value and the type of
 * each counter. For those ARMv7 has only the window that PMSELR selects, so they
 * have the names of ARMv8's AArch32 state.
 */
enum pmu_user_reg {
	PMU_USER_PMCR,
	PMU_USER_PMCNTENSET,
	PMU_USER_PMOVSR,
	PMU_USER_PMSELR,
	PMU_USER_PMCEID0,
	PMU_USER_PMCEID1,
	PMU_USER_PMCCNTR,
	PMU_USER_PMUSERENR,
	PMU_USER_PMINTENSET,
	PMU_USER_PMCCFILTR,
	PMU_USER_NR,
};

static const u64 pmu_user_ids[PMU_USER_NR] = {
	[PMU_USER_PMCR] = ARM_CP15_REG32(0, 9, 12, 0),
	[PMU_USER_PMCNTENSET] = ARM_CP15_REG32(0, 9, 12, 1),
	[PMU_USER_PMOVSR] = ARM_CP15_REG32(0, 9, 12, 3),
	[PMU_USER_PMSELR] = ARM_CP15_REG32(0, 9, 12, 5),
	[PMU_USER_PMCEID0] = ARM_CP15_REG32(0, 9, 12, 6),
	[PMU_USER_PMCEID1] = ARM_CP15_REG32(0, 9, 12, 7),
	[PMU_USER_PMCCNTR] = ARM_CP15_REG32(0, 9, 13, 0),
	[PMU_USER_PMUSERENR] = ARM_CP15_REG32(0, 9, 14, 0),
	[PMU_USER_PMINTENSET] = ARM_CP15_REG32(0, 9, 14, 1),
	[PMU_USER_PMCCFILTR] = KVM_REG_ARM_PMCCFILTR,
};

/* The id of the @n-th register that the client can name. */
static u64 pmu_user_id(unsigned int n)
{
	unsigned int nr = armvmm_pmu_nr();

	if (n < PMU_USER_NR)
		return pmu_user_ids[n];
	n -= PMU_USER_NR;
	return n < nr ? KVM_REG_ARM_PMEVCNTR(n) : KVM_REG_ARM_PMEVTYPER(n - nr);
}

static unsigned int pmu_user_nr(void)
{
	return PMU_USER_NR + 2 * armvmm_pmu_nr();
}

/* The number of the register with @id; pmu_user_nr() if there is none. */
static unsigned int pmu_user_find(u64 id)
{
	unsigned int n;

	for (n = 0; n < pmu_user_nr(); n++)
		if (pmu_user_id(n) == id)
			break;
	return n;
}

bool armvmm_pmu_is_reg(struct armvmm_vcpu *vcpu, u64 id)
{
	return vcpu->pmu && pmu_user_find(id) < pmu_user_nr();
}

unsigned long armvmm_pmu_count(struct armvmm_vcpu *vcpu)
{
	return vcpu->pmu ? pmu_user_nr() : 0;
}

int armvmm_pmu_list(struct armvmm_vcpu *vcpu, u64 __user **ids)
{
	unsigned int n;

	for (n = 0; n < armvmm_pmu_count(vcpu); n++)
		if (put_user(pmu_user_id(n), (*ids)++))
			return -EFAULT;
	return 0;
}

static u32 pmu_user_get(struct armvmm_pmu *pmu, unsigned int n)
{
	switch (n) {
	case PMU_USER_PMCR:
		return armvmm_pmu_host.pmcr | pmu->pmcr;
	case PMU_USER_PMCNTENSET:
		return pmu->enable;
	case PMU_USER_PMOVSR:
		return armvmm_pmu_overflows(pmu);
	case PMU_USER_PMSELR:
		return pmu->select;
	case PMU_USER_PMCEID0:
	case PMU_USER_PMCEID1:
		return armvmm_pmu_host.pmceid[n - PMU_USER_PMCEID0];
	case PMU_USER_PMCCNTR:
		return armvmm_pmu_read(pmu, PMU_CYCLE);
	case PMU_USER_PMUSERENR:
		return pmu->userenr;
	case PMU_USER_PMINTENSET:
		return pmu->inten;
	case PMU_USER_PMCCFILTR:
		return pmu->counter[PMU_CYCLE].type;
	}
	n -= PMU_USER_NR;
	if (n < armvmm_pmu_nr())
		return armvmm_pmu_read(pmu, n);
	return pmu->counter[n - armvmm_pmu_nr()].type;
}

static int pmu_user_set(struct armvmm_pmu *pmu, unsigned int n, u32 val)
{
	/* Identity and number of counters are the host's. */
	if (n == PMU_USER_PMCR && (val & PMCR_RO) != armvmm_pmu_host.pmcr)
		return -EINVAL;
	if (n == PMU_USER_PMCEID0 || n == PMU_USER_PMCEID1)
		return val == armvmm_pmu_host.pmceid[n - PMU_USER_PMCEID0] ? 0 : -EINVAL;

	/* The next RUN makes events from all that was set, in whatever order. */
	armvmm_pmu_stop_all(pmu);
	switch (n) {
	case PMU_USER_PMCR:
		pmu->pmcr = val & PMCR_RW;
		return 0;
	case PMU_USER_PMCNTENSET:
		pmu->enable = val & armvmm_pmu_mask();
		return 0;
	case PMU_USER_PMOVSR:
		armvmm_pmu_clear_overflow(pmu, ~0u);
		armvmm_pmu_set_overflow(pmu, val);
		return 0;
	case PMU_USER_PMSELR:
		pmu->select = val & PMSELR_SEL;
		return 0;
	case PMU_USER_PMCCNTR:
		pmu->counter[PMU_CYCLE].value = val;
		return 0;
	case PMU_USER_PMUSERENR:
		pmu->userenr = val & 1;
		return 0;
	case PMU_USER_PMINTENSET:
		pmu->inten = val & armvmm_pmu_mask();
		return 0;
	case PMU_USER_PMCCFILTR:
		pmu->counter[PMU_CYCLE].type = val & PMU_TYPE_FILTER;
		return 0;
	}
	n -= PMU_USER_NR;
	if (n < armvmm_pmu_nr())
		pmu->counter[n].value = val;
	else
		pmu->counter[n - armvmm_pmu_nr()].type = val & (PMU_TYPE_FILTER | PMU_TYPE_EVENT);
	return 0;
}

int armvmm_pmu_get_reg(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	return put_user(pmu_user_get(vcpu->pmu, pmu_user_find(reg->id)),
			(u32 __user *)u64_to_user_ptr(reg->addr));
}

int armvmm_pmu_set_reg(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	u32 val;

	if (get_user(val, (u32 __user *)u64_to_user_ptr(reg->addr)))
		return -EFAULT;
	return pmu_user_set(vcpu->pmu, pmu_user_find(reg->id), val);
}

/* All vCPUs have the same PPI, or each an SPI of its own. */
static bool pmu_irq_fits(struct armvmm_vm *vm, u32 irq)
{
	struct armvmm_vcpu *vcpu;
	int i;

	armvmm_vcpus_for_each(i, vcpu, vm) {
		struct armvmm_pmu *pmu = READ_ONCE(vcpu->pmu);
		u32 other = pmu ? READ_ONCE(pmu->irq) : 0;

		if (other && (irq < GIC_NR_PRIVATE) != (other == irq))
			return false;
	}
	return true;
}

static int pmu_set_irq(struct armvmm_vcpu *vcpu, int __user *uaddr)
{
	struct armvmm_vm *vm = vcpu->vm;
	int irq, ret = 0;

	if (!armvmm_vgic_in_kernel(&vm->vgic))
		return -EINVAL;
	if (get_user(irq, uaddr))
		return -EFAULT;
	if (irq < GIC_NR_SGIS || irq >= GIC_MAX_IRQS)
		return -EINVAL;

	/* Threads of other vCPUs may do the same at this moment. */
	mutex_lock(&vm->lock);
	if (!pmu_irq_fits(vm, irq))
		ret = -EINVAL;
	else if (vcpu->pmu->irq)
		ret = -EBUSY;
	else
		WRITE_ONCE(vcpu->pmu->irq, irq);
	mutex_unlock(&vm->lock);
	return ret;
}

static int pmu_create(struct armvmm_vcpu *vcpu)
{
	struct armvmm_pmu *pmu = vcpu->pmu;
	int ret;

	if (armvmm_vgic_in_kernel(&vcpu->vm->vgic)) {
		if (!vcpu->vm->vgic.initialized)
			return -ENODEV;
		if (!pmu->irq)
			return -ENXIO;
		ret = armvmm_vgic_set_owner(vcpu, pmu->irq, pmu);
		if (ret)
			return ret;
	}
	pmu->created = true;
	return 0;
}

int armvmm_pmu_set_attr(struct armvmm_vcpu *vcpu, struct kvm_device_attr *attr)
{
	if (!vcpu->pmu)
		return -ENODEV;
	if (vcpu->pmu->created)
		return -EBUSY;
	switch (attr->attr) {
	case KVM_ARM_VCPU_PMU_V3_IRQ:
		return pmu_set_irq(vcpu, u64_to_user_ptr(attr->addr));
	case KVM_ARM_VCPU_PMU_V3_INIT:
		return pmu_create(vcpu);
	default:
		return -ENXIO;
	}
}

int armvmm_pmu_get_attr(struct armvmm_vcpu *vcpu, struct kvm_device_attr *attr)
{
	if (attr->attr != KVM_ARM_VCPU_PMU_V3_IRQ)
		return -ENXIO;
	if (!armvmm_vgic_in_kernel(&vcpu->vm->vgic))
		return -EINVAL;
	if (!vcpu->pmu)
		return -ENODEV;
	if (!vcpu->pmu->irq)
		return -ENXIO;
	return put_user((int)vcpu->pmu->irq, (int __user *)u64_to_user_ptr(attr->addr));
}

int armvmm_pmu_has_attr(struct armvmm_vcpu *vcpu, struct kvm_device_attr *attr)
{
	switch (attr->attr) {
	case KVM_ARM_VCPU_PMU_V3_IRQ:
	case KVM_ARM_VCPU_PMU_V3_INIT:
		return vcpu->pmu ? 0 : -ENXIO;
	default:
		return -ENXIO;
	}
}
