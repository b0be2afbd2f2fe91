// SPDX-License-Identifier: GPL-2.0-only
/* Core registers, reset, and the ways into all other register groups. */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/srcu.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <asm/cputype.h>

#include "archregs.h"
#include "cp14.h"
#include "cp15.h"
#include "exception.h"
#include "pmu.h"
#include "psci.h"
#include "regs.h"
#include "thumbee.h"
#include "timer.h"
#include "vcpu.h"
#include "vfp.h"
#include "vm.h"

#define REGS_FEATURES		(BIT(KVM_ARM_VCPU_POWER_OFF) | BIT(KVM_ARM_VCPU_PSCI_0_2) | \
				 BIT(KVM_ARM_VCPU_PMU_V3))
#define REGS_NR_CORE		(sizeof(struct kvm_regs) / sizeof(u32))
#define REGS_CPSR		(offsetof(struct kvm_regs, usr_regs.ARM_cpsr) / sizeof(u32))

/*
 * Target of this host: the CPUs without a number of their own (A12, A17) are
 * shown as the Cortex-A15 whose system registers theirs are modelled on.
 */
static u32 regs_host_target(void)
{
	u32 midr = read_cpuid_id();

	if (MIDR_IMPLEMENTER(midr) == MIDR_ARM && MIDR_PART(midr) == MIDR_PART_A7)
		return KVM_ARM_TARGET_CORTEX_A7;
	return KVM_ARM_TARGET_CORTEX_A15;
}

int armvmm_regs_preferred_target(struct kvm_vcpu_init *init)
{
	memset(init, 0, sizeof(*init));
	init->target = regs_host_target();
	return 0;
}

/* Traps that every guest runs under; what each is for stands in cp15.c and exit.c. */
static void regs_reset_traps(struct armvmm_vcpu *vcpu)
{
	struct hyp_vcpu *hyp = vcpu->hyp;

	/* TVM until the guest's caches are on: see cp15.c. */
	hyp->hcr = HCR_VM | HCR_SWIO | HCR_FMO | HCR_IMO | HCR_AMO | HCR_FB | HCR_BSU_IS |
		   HCR_TWI | HCR_TWE | HCR_TSC | HCR_TIDCP | HCR_TAC | HCR_TSW | HCR_TVM;
	hyp->hstr = HSTR_T15;
	/* HYP mode adds HPMN, which it keeps as the host has it. */
	hyp->hdcr = HDCR_TDRA | HDCR_TDOSA | HDCR_TDA | HDCR_TDE | HDCR_TPM | HDCR_TPMCR;
	hyp->vpidr = read_cpuid_id();
}

void armvmm_regs_reset(struct armvmm_vcpu *vcpu)
{
	struct hyp_vcpu *hyp = vcpu->hyp;

	memset(&hyp->regs, 0, sizeof(hyp->regs));
	HYP_REG(hyp, REGS_CPSR) = CPSR_M_SVC | CPSR_A | CPSR_I | CPSR_F;
	memset(&hyp->vfp, 0, sizeof(hyp->vfp));
	hyp->teecr = 0;
	hyp->teehbr = 0;
	hyp->serror = 0;
	hyp->hsr = 0;
	regs_reset_traps(vcpu);
	armvmm_cp15_reset(vcpu);
	armvmm_timer_vcpu_reset(vcpu);
	armvmm_vgic_vcpu_reset(vcpu);
	armvmm_pmu_vcpu_reset(vcpu);
	armvmm_mmio_cancel(&vcpu->mmio);
	armvmm_debug_reset(vcpu);
}

/*
 * A client that initializes a vCPU again is about to load another guest: what
 * it writes must reach a guest that starts with its caches off, so every page
 * is mapped anew, and made coherent as that happens (DDI 0406C B3.9).
 */
static void regs_unmap_slots(struct armvmm_vm *vm)
{
	struct armvmm_memslots *slots;
	int i, idx;

	idx = srcu_read_lock(&vm->srcu);
	slots = srcu_dereference(vm->memslots, &vm->srcu);
	for (i = 0; slots && i < slots->nr; i++)
		armvmm_stage2_unmap(vm, slots->slots[i].base_gfn << PAGE_SHIFT,
				    (u64)slots->slots[i].npages << PAGE_SHIFT);
	srcu_read_unlock(&vm->srcu, idx);
}

/* -ENOENT for a feature that does not exist; -EINVAL where it differs from before. */
static int regs_check_features(struct armvmm_vcpu *vcpu, const struct kvm_vcpu_init *init)
{
	size_t i;

	if (init->features[0] & ~REGS_FEATURES)
		return -ENOENT;
	for (i = 1; i < ARRAY_SIZE(init->features); i++)
		if (init->features[i])
			return -ENOENT;
	if (vcpu->initialized && init->features[0] != vcpu->features)
		return -EINVAL;
	return 0;
}

int armvmm_regs_vcpu_init(struct armvmm_vcpu *vcpu, const struct kvm_vcpu_init *init)
{
	int err;

	if (init->target != regs_host_target())
		return -EINVAL;
	err = regs_check_features(vcpu, init);
	if (!err && init->features[0] & BIT(KVM_ARM_VCPU_PMU_V3) && !vcpu->pmu)
		err = armvmm_pmu_vcpu_create(vcpu);
	if (err)
		return err;

	vcpu->target = init->target;
	vcpu->features = init->features[0];

	armvmm_regs_reset(vcpu);
	/* A client's lines fall with it, as KVM's do; a CPU that PSCI turns on finds them up. */
	xchg(&vcpu->irq_lines, 0);
	armvmm_psci_vcpu_init(vcpu);
	if (vcpu->has_run_once)
		regs_unmap_slots(vcpu->vm);

	/* A start that CPU_ON left is void: the client says how this vCPU starts. */
	spin_lock(&vcpu->start_lock);
	clear_bit(VCPU_REQ_RESET, &vcpu->requests);
	WRITE_ONCE(vcpu->power_off, armvmm_vcpu_has_feature(vcpu, KVM_ARM_VCPU_POWER_OFF));
	vcpu->initialized = true;
	spin_unlock(&vcpu->start_lock);
	return 0;
}

static bool regs_core_index(const struct kvm_one_reg *reg, unsigned long *index)
{
	u64 i = reg->id & ~(KVM_REG_ARCH_MASK | KVM_REG_SIZE_MASK | KVM_REG_ARM_CORE);

	if (KVM_REG_SIZE(reg->id) != sizeof(u32) || i >= REGS_NR_CORE)
		return false;
	*index = array_index_nospec((unsigned long)i, REGS_NR_CORE);
	return true;
}

static int regs_get_core(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	u32 __user *uval = u64_to_user_ptr(reg->addr);
	unsigned long i;

	if (!regs_core_index(reg, &i))
		return -ENOENT;
	return put_user(((u32 *)&vcpu->hyp->regs)[i], uval);
}

static int regs_set_core(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	u32 __user *uval = u64_to_user_ptr(reg->addr);
	unsigned long i;
	u32 val;

	if (!regs_core_index(reg, &i))
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

/* A CPU_ON that the vCPU has not seen yet comes before any look at its registers. */
static void regs_settle(struct armvmm_vcpu *vcpu)
{
	if (armvmm_vcpu_check_request(vcpu, VCPU_REQ_RESET))
		armvmm_psci_start(vcpu);
}

int armvmm_regs_get(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	if ((reg->id & ~KVM_REG_SIZE_MASK) >> 32 != KVM_REG_ARM >> 32)
		return -EINVAL;
	regs_settle(vcpu);

	if (armvmm_timer_is_reg(reg->id))
		return armvmm_timer_get_reg(vcpu, reg);
	if (armvmm_pmu_is_reg(vcpu, reg->id))
		return armvmm_pmu_get_reg(vcpu, reg);
	switch (reg->id & KVM_REG_ARM_COPROC_MASK) {
	case KVM_REG_ARM_CORE:
		return regs_get_core(vcpu, reg);
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
	regs_settle(vcpu);

	if (armvmm_timer_is_reg(reg->id))
		return armvmm_timer_set_reg(vcpu, reg);
	if (armvmm_pmu_is_reg(vcpu, reg->id))
		return armvmm_pmu_set_reg(vcpu, reg);
	switch (reg->id & KVM_REG_ARM_COPROC_MASK) {
	case KVM_REG_ARM_CORE:
		return regs_set_core(vcpu, reg);
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
 * KVM/arm's order: core, firmware, timer, cp15 (invariant, then saved), VFP, demux.
 * Then what it had not: the PMU, cp14.
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
		armvmm_regs_inject_serror(vcpu);
	/* The client's answer to an access that it will not complete: the guest takes the abort. */
	if (events->exception.ext_dabt_pending) {
		armvmm_mmio_cancel(&vcpu->mmio);
		armvmm_regs_inject_dabt(vcpu, vcpu->hyp->hxfar);
	}
	return 0;
}

void armvmm_regs_inject_undef(struct armvmm_vcpu *vcpu)
{
	armvmm_exception_undef(vcpu->hyp);
}

void armvmm_regs_inject_dabt(struct armvmm_vcpu *vcpu, u32 far)
{
	u32 hsr = vcpu_hsr(vcpu);

	armvmm_exception_dabt(vcpu->hyp, far,
			      HSR_EC(hsr) == HSR_EC_DABT && (hsr & HSR_DABT_WNR));
}

void armvmm_regs_inject_pabt(struct armvmm_vcpu *vcpu, u32 far)
{
	armvmm_exception_pabt(vcpu->hyp, far);
}

void armvmm_regs_inject_serror(struct armvmm_vcpu *vcpu)
{
	vcpu->hyp->hcr |= HCR_VA;
}
