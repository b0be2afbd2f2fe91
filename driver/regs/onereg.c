// SPDX-License-Identifier: GPL-2.0-only
/* KVM_GET_ONE_REG and its kin: core registers, events, and calls of all other groups. */
#include <linux/kernel.h>
#include <linux/nospec.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "arch/archregs.h"
#include "arch/exception.h"
#include "core/inject.h"
#include "core/kick.h"
#include "core/state.h"
#include "debug/cp14.h"
#include "mmio/mmio.h"
#include "pmu/pmu.h"
#include "regs/cp15.h"
#include "regs/onereg.h"
#include "regs/psci.h"
#include "regs/thumbee.h"
#include "regs/vfp.h"
#include "timer/timer.h"

#define REGS_NR_CORE		(sizeof(struct kvm_regs) / sizeof(u32))
#define REGS_CPSR		(offsetof(struct kvm_regs, usr_regs.ARM_cpsr) / sizeof(u32))

static bool onereg_core_index(const struct kvm_one_reg *reg, unsigned long *index)
{
	u64 i = reg->id & ~(KVM_REG_ARCH_MASK | KVM_REG_SIZE_MASK | KVM_REG_ARM_CORE);

	if (KVM_REG_SIZE(reg->id) != sizeof(u32) || i >= REGS_NR_CORE)
		return false;
	*index = array_index_nospec((unsigned long)i, REGS_NR_CORE);
	return true;
}

static int onereg_get_core(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	u32 __user *uval = u64_to_user_ptr(reg->addr);
	unsigned long i;

	if (!onereg_core_index(reg, &i))
		return -ENOENT;
	return put_user(((u32 *)&vcpu->hyp->regs)[i], uval);
}

static int onereg_set_core(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	u32 __user *uval = u64_to_user_ptr(reg->addr);
	unsigned long i;
	u32 val;

	if (!onereg_core_index(reg, &i))
		return -ENOENT;
	if (get_user(val, uval))
		return -EFAULT;
	if (i == REGS_CPSR && !armvmm_exception_mode_valid(val))
		return -EINVAL;
	if (i == REGS_CPSR)
		val = armvmm_exception_cpsr_state(val);
	((u32 *)&vcpu->hyp->regs)[i] = val;
	return 0;
}

/* A CPU_ON that the vCPU has not handled yet comes before any access to its registers. */
static void onereg_take_start(struct armvmm_vcpu *vcpu)
{
	if (armvmm_vcpu_check_request(vcpu, VCPU_REQ_RESET))
		armvmm_psci_start(vcpu);
}

int armvmm_regs_get(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	if ((reg->id & ~KVM_REG_SIZE_MASK) >> 32 != KVM_REG_ARM >> 32)
		return -EINVAL;
	onereg_take_start(vcpu);

	if (armvmm_timer_is_reg(reg->id))
		return armvmm_timer_get_reg(vcpu, reg);
	if (armvmm_pmu_is_reg(vcpu, reg->id))
		return armvmm_pmu_get_reg(vcpu, reg);
	switch (reg->id & KVM_REG_ARM_COPROC_MASK) {
	case KVM_REG_ARM_CORE:
		return onereg_get_core(vcpu, reg);
	case KVM_REG_ARM_FW:
		return armvmm_psci_get_reg(vcpu, reg);
	case KVM_REG_ARM_VFP:
		return armvmm_vfp_get_reg(vcpu, reg);
	case 14 << KVM_REG_ARM_COPROC_SHIFT:
		return armvmm_thumbee_is_reg(reg->id) ? armvmm_thumbee_get_reg(vcpu, reg) :
							armvmm_cp14_get_reg(vcpu, reg);
	default:
		return armvmm_cp15_get_reg(vcpu, reg);
	}
}

int armvmm_regs_set(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	if ((reg->id & ~KVM_REG_SIZE_MASK) >> 32 != KVM_REG_ARM >> 32)
		return -EINVAL;
	onereg_take_start(vcpu);

	if (armvmm_timer_is_reg(reg->id))
		return armvmm_timer_set_reg(vcpu, reg);
	if (armvmm_pmu_is_reg(vcpu, reg->id))
		return armvmm_pmu_set_reg(vcpu, reg);
	switch (reg->id & KVM_REG_ARM_COPROC_MASK) {
	case KVM_REG_ARM_CORE:
		return onereg_set_core(vcpu, reg);
	case KVM_REG_ARM_FW:
		return armvmm_psci_set_reg(vcpu, reg);
	case KVM_REG_ARM_VFP:
		return armvmm_vfp_set_reg(vcpu, reg);
	case 14 << KVM_REG_ARM_COPROC_SHIFT:
		return armvmm_thumbee_is_reg(reg->id) ? armvmm_thumbee_set_reg(vcpu, reg) :
							armvmm_cp14_set_reg(vcpu, reg);
	default:
		return armvmm_cp15_set_reg(vcpu, reg);
	}
}

/*
 * KVM/arm's order: core, firmware, timer, cp15 (invariant, then saved), VFP, demux. Then the groups
 * that KVM/arm did not have: the PMU, cp14.
 */
unsigned long armvmm_regs_count(struct armvmm_vcpu *vcpu)
{
	return REGS_NR_CORE + armvmm_psci_count(vcpu) + armvmm_timer_count() +
	       armvmm_cp15_count(vcpu) + armvmm_pmu_count(vcpu) + armvmm_cp14_count() +
	       armvmm_thumbee_count();
}

int armvmm_regs_list(struct armvmm_vcpu *vcpu, u64 __user *ids)
{
	unsigned int i;
	int err;

	for (i = 0; i < REGS_NR_CORE; i++)
		if (put_user(KVM_REG_ARM | KVM_REG_SIZE_U32 | KVM_REG_ARM_CORE | i, ids++))
			return -EFAULT;
	err = armvmm_psci_list(vcpu, &ids);
	if (!err)
		err = armvmm_timer_list(vcpu, &ids);
	if (!err)
		err = armvmm_cp15_list(vcpu, &ids);
	if (!err)
		err = armvmm_pmu_list(vcpu, &ids);
	if (!err)
		err = armvmm_cp14_list(&ids);
	if (!err)
		err = armvmm_thumbee_list(&ids);
	return err;
}

int armvmm_regs_get_events(struct armvmm_vcpu *vcpu, struct kvm_vcpu_events *events)
{
	memset(events, 0, sizeof(*events));
	events->exception.serror_pending = !!(vcpu->hyp->hcr & HCR_VA);
	return 0;
}

int armvmm_regs_set_events(struct armvmm_vcpu *vcpu, const struct kvm_vcpu_events *events)
{
	if (memchr_inv(events->reserved, 0, sizeof(events->reserved)) ||
	    memchr_inv(events->exception.pad, 0, sizeof(events->exception.pad)))
		return -EINVAL;
	/* An ESR comes with the RAS extension, which no ARMv7 CPU has. */
	if (events->exception.serror_pending && events->exception.serror_has_esr)
		return -EINVAL;
	if (events->exception.serror_pending)
		armvmm_inject_serror(vcpu);
	/* The client's answer to an access that it will not complete: the guest takes the abort. */
	if (events->exception.ext_dabt_pending) {
		armvmm_mmio_cancel(&vcpu->mmio);
		armvmm_inject_dabt(vcpu, vcpu->hyp->hxfar);
	}
	return 0;
}
