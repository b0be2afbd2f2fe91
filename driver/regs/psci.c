// SPDX-License-Identifier: GPL-2.0-only
/*
 * PSCI (ARM DEN 0022D) and SMCCC (ARM DEN 0028B) for guests. Function ids are those of 32-bit
 * callers. Every other call returns -1, which is both PSCI's NOT_SUPPORTED and SMCCC's answer to an
 * unknown call.
 */
#include <linux/arm-smccc.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include <uapi/linux/psci.h>

#include "arch/archregs.h"
#include "arch/psciver.h"
#include "core/guest.h"
#include "core/kick.h"
#include "core/state.h"
#include "core/trace.h"
#include "core/vcpus.h"
#include "host/cpukind.h"
#include "regs/psci.h"
#include "regs/reset.h"

#define PSCI_FN_SYSTEM_RESET2	0x84000012	/* PSCI 1.1 5.11 */

/* SMCCC_ARCH_FEATURES of ARCH_WORKAROUND_1: 0: needed and there; 1: not needed. */
#define PSCI_WA_AVAILABLE	0
#define PSCI_WA_NOT_REQUIRED	1
#define PSCI_NOT_SUPPORTED	(-1)

static u32 psci_arg(struct armvmm_vcpu *vcpu, unsigned int n)
{
	return *armvmm_regs_ptr(vcpu, n);
}

static void psci_result(struct armvmm_vcpu *vcpu, s32 val)
{
	*armvmm_regs_ptr(vcpu, 0) = val;
}

/*
 * The virtual machine has one version, as in KVM, which its first vCPU keeps. A client that guesses
 * the fd of a vCPU that is being created may come here before the VM has that vCPU.
 */
static struct armvmm_vcpu *psci_keeper(struct armvmm_vcpu *vcpu)
{
	struct armvmm_vcpu *first = READ_ONCE(vcpu->vm->vcpus[0]);

	return first ? first : vcpu;
}

u32 armvmm_psci_version(struct armvmm_vcpu *vcpu)
{
	u32 version = READ_ONCE(psci_keeper(vcpu)->psci_version);

	if (!armvmm_vcpu_has_feature(vcpu, KVM_ARM_VCPU_PSCI_0_2))
		return PSCI_V0_1;
	return version ? version : PSCI_V1_1;
}

/* HYP answers PSCI_VERSION by itself, but for PSCI 0.1, which has no such call. */
void armvmm_psci_vcpu_init(struct armvmm_vcpu *vcpu)
{
	u32 version = armvmm_psci_version(vcpu);

	WRITE_ONCE(vcpu->hyp->psci_version, version == PSCI_V0_1 ? 0 : version);
}

/*
 * What guests must do against branch target injection on this CPU: nothing, where it is not
 * affected; else HYP empties the predictor on each entry from a guest, so that the call itself is
 * the workaround, or there is none to promise (cpukind.c).
 */
static u64 psci_workaround_1(void)
{
	const struct armvmm_cpukind *kind;
	enum armvmm_spectre spectre;
	bool as_needed;

	preempt_disable();
	kind = armvmm_cpukind_this();
	spectre = kind->spectre;
	as_needed = kind->predictor == armvmm_cpukind_predictor();
	preempt_enable();

	if (spectre == SPECTRE_UNAFFECTED)
		return KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1_NOT_REQUIRED;
	return spectre == SPECTRE_MITIGATED && as_needed ?
		       KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1_AVAIL :
		       KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1_NOT_AVAIL;
}

static s32 psci_arch_features(u32 fn)
{
	switch (fn) {
	case ARM_SMCCC_VERSION_FUNC_ID:
	case ARM_SMCCC_ARCH_FEATURES_FUNC_ID:
		return 0;
	case ARM_SMCCC_ARCH_WORKAROUND_1:
		switch (psci_workaround_1()) {
		case KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1_AVAIL:
			return PSCI_WA_AVAILABLE;
		case KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1_NOT_REQUIRED:
			return PSCI_WA_NOT_REQUIRED;
		}
		fallthrough;
	default:
		return PSCI_NOT_SUPPORTED;
	}
}

static struct armvmm_vcpu *psci_vcpu_by_mpidr(struct armvmm_vm *vm, u32 mpidr)
{
	struct armvmm_vcpu *vcpu;
	int i;

	armvmm_vcpus_for_each(i, vcpu, vm)
		if ((READ_ONCE(vcpu_cp15(vcpu, CP15_MPIDR)) & MPIDR_AFF) == mpidr)
			return vcpu;
	return NULL;
}

/*
 * Of several callers one wins, under start_lock. The request tells the target of its entry point,
 * and is set before others can see that it is on.
 */
static s32 psci_cpu_on(struct armvmm_vcpu *vcpu)
{
	struct armvmm_vcpu *target;
	s32 result = PSCI_RET_SUCCESS;

	/* A caller may pass all of MPIDR, as with KVM. */
	target = psci_vcpu_by_mpidr(vcpu->vm, psci_arg(vcpu, 1) & MPIDR_AFF);
	if (!target || !READ_ONCE(target->initialized))
		return PSCI_RET_INVALID_PARAMS;

	spin_lock(&target->start_lock);
	if (!target->power_off) {
		result = armvmm_psci_version(vcpu) == PSCI_V0_1 ? PSCI_RET_INVALID_PARAMS :
							   PSCI_RET_ALREADY_ON;
	} else {
		target->start.pc = psci_arg(vcpu, 2);
		target->start.r0 = psci_arg(vcpu, 3);
		/* The core starts in the byte order of the caller (PSCI 6.4.3). */
		target->start.big_endian = vcpu->hyp->regs.usr_regs.ARM_cpsr & CPSR_E;
		armvmm_vcpu_request(target, VCPU_REQ_RESET);
		WRITE_ONCE(target->power_off, false);
	}
	spin_unlock(&target->start_lock);

	if (result == PSCI_RET_SUCCESS)
		armvmm_vcpu_kick(target);
	return result;
}

void armvmm_psci_start(struct armvmm_vcpu *vcpu)
{
	struct armvmm_vcpu_start start;
	struct kvm_regs *regs = &vcpu->hyp->regs;

	spin_lock(&vcpu->start_lock);
	start = vcpu->start;
	spin_unlock(&vcpu->start_lock);

	armvmm_regs_reset(vcpu);
	if (start.big_endian) {
		regs->usr_regs.ARM_cpsr |= CPSR_E;
		vcpu_cp15(vcpu, CP15_SCTLR) |= SCTLR_EE;
	}
	if (start.pc & 1) {
		regs->usr_regs.ARM_cpsr |= CPSR_T;
		start.pc &= ~1u;
	}
	regs->usr_regs.ARM_pc = start.pc;
	regs->usr_regs.ARM_r0 = start.r0;
}

static void psci_power_off(struct armvmm_vcpu *vcpu)
{
	spin_lock(&vcpu->start_lock);
	WRITE_ONCE(vcpu->power_off, true);
	spin_unlock(&vcpu->start_lock);
	armvmm_vcpu_request(vcpu, VCPU_REQ_SLEEP);
}

/* On: some vCPU of the affinity instance is; the levels below @level do not count. */
static s32 psci_affinity_info(struct armvmm_vcpu *vcpu)
{
	u32 target = psci_arg(vcpu, 1), level = psci_arg(vcpu, 2), mask;
	struct armvmm_vcpu *other;
	bool found = false;
	int i;

	/* PSCI 5.1.5: levels above the third are none. */
	if (level > 3)
		return PSCI_RET_INVALID_PARAMS;
	mask = level == 3 ? 0 : MPIDR_AFF & (~0u << 8 * level);

	armvmm_vcpus_for_each(i, other, vcpu->vm) {
		if ((READ_ONCE(vcpu_cp15(other, CP15_MPIDR)) ^ target) & mask)
			continue;
		found = true;
		if (!READ_ONCE(other->power_off))
			return PSCI_0_2_AFFINITY_LEVEL_ON;
	}
	return found ? PSCI_0_2_AFFINITY_LEVEL_OFF : PSCI_RET_INVALID_PARAMS;
}

/* All vCPUs stop; the client decides what becomes of the machine. */
static int psci_system_event(struct armvmm_vcpu *vcpu, u32 type)
{
	struct armvmm_vcpu *other;
	int i;

	armvmm_vcpus_for_each(i, other, vcpu->vm)
		psci_power_off(other);
	armvmm_kick_all(vcpu->vm, VCPU_REQ_SLEEP, vcpu);

	/* What the guest reads if the client lets it run on. */
	psci_result(vcpu, PSCI_RET_INTERNAL_FAILURE);
	memset(&vcpu->run->system_event, 0, sizeof(vcpu->run->system_event));
	vcpu->run->system_event.type = type;
	vcpu->run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	return 0;
}

static s32 psci_features(struct armvmm_vcpu *vcpu)
{
	u32 fn = psci_arg(vcpu, 1);

	switch (fn) {
	case PSCI_0_2_FN_PSCI_VERSION:
	case PSCI_0_2_FN_CPU_SUSPEND:
	case PSCI_0_2_FN_CPU_OFF:
	case PSCI_0_2_FN_CPU_ON:
	case PSCI_0_2_FN_AFFINITY_INFO:
	case PSCI_0_2_FN_MIGRATE_INFO_TYPE:
	case PSCI_0_2_FN_SYSTEM_OFF:
	case PSCI_0_2_FN_SYSTEM_RESET:
	case PSCI_1_0_FN_PSCI_FEATURES:
	case ARM_SMCCC_VERSION_FUNC_ID:
		return 0;
	case PSCI_FN_SYSTEM_RESET2:
		return armvmm_psci_version(vcpu) >= PSCI_V1_1 ? 0 : PSCI_NOT_SUPPORTED;
	default:
		return PSCI_NOT_SUPPORTED;
	}
}

/* A standby state: retention, left by an interrupt, which WFI is (PSCI 5.1.2). */
static int psci_cpu_suspend(struct armvmm_vcpu *vcpu)
{
	psci_result(vcpu, PSCI_RET_SUCCESS);
	armvmm_vcpu_request(vcpu, VCPU_REQ_WFI);
	return 1;
}

static int psci_call_0_2(struct armvmm_vcpu *vcpu, u32 fn)
{
	u32 version = armvmm_psci_version(vcpu);
	s32 result = PSCI_NOT_SUPPORTED;

	switch (fn) {
	case PSCI_0_2_FN_PSCI_VERSION:
		result = version;
		break;
	case PSCI_0_2_FN_CPU_SUSPEND:
		return psci_cpu_suspend(vcpu);
	case PSCI_0_2_FN_CPU_OFF:
		psci_power_off(vcpu);
		result = PSCI_RET_SUCCESS;
		break;
	case PSCI_0_2_FN_CPU_ON:
		result = psci_cpu_on(vcpu);
		break;
	case PSCI_0_2_FN_AFFINITY_INFO:
		result = psci_affinity_info(vcpu);
		break;
	case PSCI_0_2_FN_MIGRATE_INFO_TYPE:
		/* No Trusted OS that would have to migrate. */
		result = PSCI_0_2_TOS_MP;
		break;
	case PSCI_0_2_FN_SYSTEM_OFF:
		return psci_system_event(vcpu, KVM_SYSTEM_EVENT_SHUTDOWN);
	case PSCI_0_2_FN_SYSTEM_RESET:
		return psci_system_event(vcpu, KVM_SYSTEM_EVENT_RESET);
	case PSCI_1_0_FN_PSCI_FEATURES:
		if (version >= PSCI_V1_0)
			result = psci_features(vcpu);
		break;
	case PSCI_FN_SYSTEM_RESET2:
		if (version < PSCI_V1_1)
			break;
		/* SYSTEM_WARM_RESET is the only architectural type. */
		if (!psci_arg(vcpu, 1))
			return psci_system_event(vcpu, KVM_SYSTEM_EVENT_RESET);
		result = PSCI_RET_INVALID_PARAMS;
		break;
	}
	psci_result(vcpu, result);
	return 1;
}

static int psci_call_0_1(struct armvmm_vcpu *vcpu, u32 fn)
{
	s32 result = PSCI_NOT_SUPPORTED;

	switch (fn) {
	case KVM_PSCI_FN_CPU_OFF:
		psci_power_off(vcpu);
		result = PSCI_RET_SUCCESS;
		break;
	case KVM_PSCI_FN_CPU_ON:
		result = psci_cpu_on(vcpu);
		break;
	}
	psci_result(vcpu, result);
	return 1;
}

int armvmm_psci_call(struct armvmm_vcpu *vcpu)
{
	u32 fn = psci_arg(vcpu, 0);

	trace_armvmm_psci(vcpu->id, fn, psci_arg(vcpu, 1), psci_arg(vcpu, 2), psci_arg(vcpu, 3));
	switch (fn) {
	case ARM_SMCCC_VERSION_FUNC_ID:
		psci_result(vcpu, ARM_SMCCC_VERSION_1_1);
		return 1;
	case ARM_SMCCC_ARCH_FEATURES_FUNC_ID:
		psci_result(vcpu, psci_arch_features(psci_arg(vcpu, 1)));
		return 1;
	case ARM_SMCCC_ARCH_WORKAROUND_1:
		/* Done by the entry to HYP; returns nothing (SMCCC 7.4). */
		if (psci_workaround_1() != KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1_NOT_AVAIL)
			return 1;
		psci_result(vcpu, PSCI_NOT_SUPPORTED);
		return 1;
	}
	if (armvmm_psci_version(vcpu) == PSCI_V0_1)
		return psci_call_0_1(vcpu, fn);
	return psci_call_0_2(vcpu, fn);
}

/* Firmware registers, in KVM's order. */
static const u64 psci_regs[] = {
	KVM_REG_ARM_PSCI_VERSION,
	KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1,
	KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2,
};

unsigned long armvmm_psci_count(struct armvmm_vcpu *vcpu)
{
	return ARRAY_SIZE(psci_regs);
}

int armvmm_psci_list(struct armvmm_vcpu *vcpu, u64 __user **ids)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(psci_regs); i++)
		if (put_user(psci_regs[i], (*ids)++))
			return -EFAULT;
	return 0;
}

int armvmm_psci_get_reg(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	u64 val;

	switch (reg->id) {
	case KVM_REG_ARM_PSCI_VERSION:
		val = armvmm_psci_version(vcpu);
		break;
	case KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1:
		val = psci_workaround_1();
		break;
	case KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2:
		val = KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_UNKNOWN;
		break;
	default:
		return -ENOENT;
	}
	return copy_to_user(u64_to_user_ptr(reg->addr), &val, sizeof(val)) ? -EFAULT : 0;
}

static int psci_set_version(struct armvmm_vcpu *vcpu, u64 val)
{
	bool v0_2 = armvmm_vcpu_has_feature(vcpu, KVM_ARM_VCPU_PSCI_0_2);
	struct armvmm_vcpu *other;
	int i;

	switch (val) {
	case PSCI_V0_1:
		return v0_2 ? -EINVAL : 0;
	case PSCI_V0_2:
	case PSCI_V1_0:
	case PSCI_V1_1:
		if (!v0_2)
			return -EINVAL;
		WRITE_ONCE(psci_keeper(vcpu)->psci_version, (u32)val);
		armvmm_vcpus_for_each(i, other, vcpu->vm)
			armvmm_psci_vcpu_init(other);
		return 0;
	default:
		return -EINVAL;
	}
}

int armvmm_psci_set_reg(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	unsigned int i;
	u64 val;

	for (i = 0; i < ARRAY_SIZE(psci_regs); i++)
		if (psci_regs[i] == reg->id)
			break;
	if (i == ARRAY_SIZE(psci_regs))
		return -ENOENT;
	if (copy_from_user(&val, u64_to_user_ptr(reg->addr), sizeof(val)))
		return -EFAULT;

	switch (reg->id) {
	case KVM_REG_ARM_PSCI_VERSION:
		return psci_set_version(vcpu, val);
	case KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_1:
		/* A client may not promise the guest more than this host does. */
		return val > psci_workaround_1() ? -EINVAL : 0;
	default:
		return val > KVM_REG_ARM_SMCCC_ARCH_WORKAROUND_2_UNKNOWN ? -EINVAL : 0;
	}
}
