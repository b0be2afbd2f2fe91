// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 32-bit vCPU behind QEMU's KVM accelerator: QEMU has had none for Arm
 * since 5.2. Written from armvmm's ABI (docs/abi.md there); what does not
 * depend on the guest's register width is QEMU's own kvm.c.
 */
#include "qemu/osdep.h"
#include <sys/ioctl.h>

#include <linux/kvm.h>

#include "cpu.h"
#include "hw/core/cpu.h"
#include "internals.h"
#include "kvm_arm.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/module.h"
#include "sysemu/kvm.h"
#include "sysemu/kvm_int.h"
#include "sysemu/runstate.h"

#define KVM32_CORE(i)	(KVM_REG_ARM | KVM_REG_SIZE_U32 | KVM_REG_ARM_CORE | (i))
#define KVM32_VFP32(i)	(KVM_REG_ARM | KVM_REG_SIZE_U32 | KVM_REG_ARM_VFP | (i))
#define KVM32_DREG(i)	(KVM_REG_ARM | KVM_REG_SIZE_U64 | KVM_REG_ARM_VFP | (i))

#define KVM32_NR_CORE	(sizeof(struct kvm_regs) / sizeof(uint32_t))
#define KVM32_CPSR	16	/* index in pt_regs; the next is the kernel's own */
#define KVM32_ORIG_R0	17

/* -- the host's CPU ------------------------------------------------------- */

static const struct {
	uint32_t part;
	const char *compatible;
} kvm32_parts[] = {
	{ 0xc07, "arm,cortex-a7" },
	{ 0xc0d, "arm,cortex-a12" },
	{ 0xc0e, "arm,cortex-a17" },
	{ 0xc0f, "arm,cortex-a15" },
};

/* Filled with the features, for a CPU of type "host" (there is but one kind). */
static uint32_t kvm32_host_midr;

static const char *kvm32_compatible(uint32_t midr)
{
	for (size_t i = 0; i < ARRAY_SIZE(kvm32_parts); i++)
		if (midr >> 24 == 0x41 && extract32(midr, 4, 12) == kvm32_parts[i].part)
			return kvm32_parts[i].compatible;
	return "arm,arm-v7";
}

static bool kvm32_read(int fd, uint64_t id, uint32_t *value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)value };

	return ioctl(fd, KVM_GET_ONE_REG, &reg) == 0;
}

/* The ID registers that @isar and QEMU's view of the CPU are made of. */
static bool kvm32_read_isar(int fd, ARMISARegisters *isar)
{
	const struct {
		uint64_t id;
		uint32_t *field;
	} regs[] = {
		{ ARM_CP15_REG32(0, 0, 1, 0), &isar->id_pfr0 },
		{ ARM_CP15_REG32(0, 0, 1, 1), &isar->id_pfr1 },
		{ ARM_CP15_REG32(0, 0, 1, 2), &isar->id_dfr0 },
		{ ARM_CP15_REG32(0, 0, 1, 4), &isar->id_mmfr0 },
		{ ARM_CP15_REG32(0, 0, 1, 5), &isar->id_mmfr1 },
		{ ARM_CP15_REG32(0, 0, 1, 6), &isar->id_mmfr2 },
		{ ARM_CP15_REG32(0, 0, 1, 7), &isar->id_mmfr3 },
		{ ARM_CP15_REG32(0, 0, 2, 0), &isar->id_isar0 },
		{ ARM_CP15_REG32(0, 0, 2, 1), &isar->id_isar1 },
		{ ARM_CP15_REG32(0, 0, 2, 2), &isar->id_isar2 },
		{ ARM_CP15_REG32(0, 0, 2, 3), &isar->id_isar3 },
		{ ARM_CP15_REG32(0, 0, 2, 4), &isar->id_isar4 },
		{ ARM_CP15_REG32(0, 0, 2, 5), &isar->id_isar5 },
		{ KVM32_VFP32(KVM_REG_ARM_VFP_MVFR0), &isar->mvfr0 },
		{ KVM32_VFP32(KVM_REG_ARM_VFP_MVFR1), &isar->mvfr1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(regs); i++)
		if (!kvm32_read(fd, regs[i].id, regs[i].field))
			return false;
	return true;
}

bool kvm_arm_get_host_cpu_features(ARMHostCPUFeatures *ahcf)
{
	static const uint32_t no_guess[] = { QEMU_KVM_ARM_TARGET_NONE };
	struct kvm_vcpu_init init = { .target = -1 };
	int fds[3];
	bool ok;

	if (!kvm_arm_create_scratch_host_vcpu(no_guess, fds, &init))
		return false;
	ok = kvm32_read(fds[2], ARM_CP15_REG32(0, 0, 0, 0), &kvm32_host_midr) &&
	     kvm32_read_isar(fds[2], &ahcf->isar);
	kvm_arm_destroy_scratch_host_vcpu(fds);
	if (!ok)
		return false;

	ahcf->target = init.target;
	ahcf->dtb_compatible = kvm32_compatible(kvm32_host_midr);
	/* What every CPU with the Virtualization Extensions has. */
	ahcf->features = 1ULL << ARM_FEATURE_V7VE | 1ULL << ARM_FEATURE_GENERIC_TIMER |
			 1ULL << ARM_FEATURE_PMU;
	if (FIELD_EX32(ahcf->isar.mvfr1, MVFR1, SIMDLS))
		ahcf->features |= 1ULL << ARM_FEATURE_NEON;
	if (FIELD_EX32(ahcf->isar.id_pfr0, ID_PFR0, STATE3))
		ahcf->features |= 1ULL << ARM_FEATURE_THUMB2EE;
	return true;
}

static void kvm32_host_initfn(Object *obj)
{
	ARMCPU *cpu = ARM_CPU(obj);

	kvm_arm_set_cpu_features_from_host(cpu);
	cpu->midr = kvm32_host_midr;
}

static const ARMCPUInfo kvm32_host = { .name = "host", .initfn = kvm32_host_initfn };

static void kvm32_register_types(void)
{
	arm_cpu_register(&kvm32_host);
}

type_init(kvm32_register_types)

/* -- what only 64-bit hosts have ------------------------------------------ */

bool kvm_arm_aarch32_supported(void)
{
	return true;
}

bool kvm_arm_sve_supported(void)
{
	return false;
}

bool kvm_arm_steal_time_supported(void)
{
	return false;
}

void kvm_arm_steal_time_finalize(ARMCPU *cpu, Error **errp)
{
	if (cpu->kvm_steal_time == ON_OFF_AUTO_ON)
		error_setg(errp, "'kvm-steal-time' cannot be enabled for AArch32 guests");
	else
		cpu->kvm_steal_time = ON_OFF_AUTO_OFF;
}

void kvm_arm_pvtime_init(CPUState *cs, uint64_t ipa)
{
}

/* -- the PMU -------------------------------------------------------------- */

static void kvm32_pmu_attr(CPUState *cs, uint64_t attr, void *value, const char *what)
{
	struct kvm_device_attr a = {
		.group = KVM_ARM_VCPU_PMU_V3_CTRL,
		.attr = attr,
		.addr = (uintptr_t)value,
	};
	int ret;

	if (!ARM_CPU(cs)->has_pmu)
		return;
	ret = kvm_vcpu_ioctl(cs, KVM_SET_DEVICE_ATTR, &a);
	if (ret) {
		error_report("%s: %s", what, strerror(-ret));
		exit(1);
	}
}

void kvm_arm_pmu_init(CPUState *cs)
{
	kvm32_pmu_attr(cs, KVM_ARM_VCPU_PMU_V3_INIT, NULL, "failed to init PMU");
}

void kvm_arm_pmu_set_irq(CPUState *cs, int irq)
{
	kvm32_pmu_attr(cs, KVM_ARM_VCPU_PMU_V3_IRQ, &irq, "failed to set irq for PMU");
}

/* c9, c12-c14 (DDI 0406C B4.1.114 to B4.1.133), and the counters' ARMv8 names in c14, c8-c15. */
static bool kvm32_reg_is_pmu(uint64_t id)
{
	uint64_t crn = (id & KVM_REG_ARM_32_CRN_MASK) >> KVM_REG_ARM_32_CRN_SHIFT;
	uint64_t crm = (id & KVM_REG_ARM_CRM_MASK) >> KVM_REG_ARM_CRM_SHIFT;

	return (id & (KVM_REG_SIZE_MASK | KVM_REG_ARM_COPROC_MASK)) ==
	       (KVM_REG_SIZE_U32 | 15 << KVM_REG_ARM_COPROC_SHIFT) &&
	       ((crn == 9 && crm >= 12) || (crn == 14 && crm >= 8));
}

/*
 * Of the PMU's registers QEMU's model takes values by the guest's road alone, by which they set
 * its own PMU going. What the model does not know stays in the list, and goes from there to the
 * kernel and into snapshots: so it forgets them.
 */
static void kvm32_forget_pmu(ARMCPU *cpu)
{
	for (int i = 0; i < cpu->cpreg_array_len; i++) {
		uint64_t id = cpu->cpreg_indexes[i];

		if (kvm32_reg_is_pmu(id))
			g_hash_table_remove(cpu->cp_regs,
					    (gpointer)(uintptr_t)kvm_to_cpreg_id(id));
	}
}

/* -- a vCPU's life -------------------------------------------------------- */

/* Which of a vCPU's optional features it is created with. */
static void kvm32_features(CPUState *cs)
{
	ARMCPU *cpu = ARM_CPU(cs);

	memset(cpu->kvm_init_features, 0, sizeof(cpu->kvm_init_features));
	if (cs->start_powered_off)
		cpu->kvm_init_features[0] |= 1 << KVM_ARM_VCPU_POWER_OFF;
	if (kvm_check_extension(cs->kvm_state, KVM_CAP_ARM_PSCI_0_2)) {
		cpu->psci_version = QEMU_PSCI_VERSION_0_2;
		cpu->kvm_init_features[0] |= 1 << KVM_ARM_VCPU_PSCI_0_2;
	}
	if (!kvm_check_extension(cs->kvm_state, KVM_CAP_ARM_PMU_V3))
		cpu->has_pmu = false;
	if (cpu->has_pmu)
		cpu->kvm_init_features[0] |= 1 << KVM_ARM_VCPU_PMU_V3;
	else
		cpu->env.features &= ~(1ULL << ARM_FEATURE_PMU);
}

int kvm_arch_init_vcpu(CPUState *cs)
{
	ARMCPU *cpu = ARM_CPU(cs);
	uint32_t mpidr;
	uint64_t psci;
	int ret;

	if (cpu->kvm_target == QEMU_KVM_ARM_TARGET_NONE) {
		error_report("KVM is not supported for this guest CPU type");
		return -EINVAL;
	}
	qemu_add_vm_change_state_handler(kvm_arm_vm_state_change, cs);

	kvm32_features(cs);
	ret = kvm_arm_vcpu_init(cs);
	if (ret)
		return ret;

	/* The device tree names the version that the guest will find. */
	if (!kvm_get_one_reg(cs, KVM_REG_ARM_PSCI_VERSION, &psci))
		cpu->psci_version = psci;

	/* PSCI is the kernel's, and so is what its CPU_ON calls the vCPUs by. */
	ret = kvm_get_one_reg(cs, ARM_CP15_REG32(0, 0, 0, 5), &mpidr);
	if (ret)
		return ret;
	cpu->mp_affinity = mpidr & ARM32_AFFINITY_MASK;

	kvm_arm_init_serror_injection(cs);
	ret = kvm_arm_init_cpreg_list(cpu);
	if (!ret)
		kvm32_forget_pmu(cpu);
	return ret;
}

int kvm_arch_destroy_vcpu(CPUState *cs)
{
	return 0;
}

/* -- registers ------------------------------------------------------------ */

bool kvm_arm_reg_syncs_via_cpreg_list(uint64_t regidx)
{
	switch (regidx & KVM_REG_ARM_COPROC_MASK) {
	case KVM_REG_ARM_CORE:
	case KVM_REG_ARM_VFP:
		return false;
	default:
		return true;
	}
}

/* A counter is written when a whole machine is loaded, never between: it would go back. */
int kvm_arm_cpreg_level(uint64_t regidx)
{
	switch (regidx) {
	case KVM_REG_ARM_TIMER_CNT:
	case KVM_REG_ARM_PTIMER_CNT:
		return KVM_PUT_FULL_STATE;
	default:
		return KVM_PUT_RUNTIME_STATE;
	}
}

/* Each mode's SP, LR and SPSR, and where QEMU and the ABI have them. */
static const struct kvm32_bank {
	unsigned int bank;
	size_t regs;
} kvm32_banks[] = {
	{ BANK_SVC, offsetof(struct kvm_regs, svc_regs) },
	{ BANK_ABT, offsetof(struct kvm_regs, abt_regs) },
	{ BANK_UND, offsetof(struct kvm_regs, und_regs) },
	{ BANK_IRQ, offsetof(struct kvm_regs, irq_regs) },
	{ BANK_FIQ, offsetof(struct kvm_regs, fiq_regs[5]) },
};

/* QEMU keeps the current mode's registers in place, and the others in banks. */
static void kvm32_core_to_env(const uint32_t *core, CPUARMState *env)
{
	const uint32_t *fiq = core + offsetof(struct kvm_regs, fiq_regs) / sizeof(uint32_t);
	unsigned int mode = core[KVM32_CPSR] & CPSR_M;

	/* First: a change of mode by any but a raw write swaps the banks. */
	cpsr_write(env, core[KVM32_CPSR], 0xffffffff, CPSRWriteRaw);
	memcpy(env->regs, core, 16 * sizeof(uint32_t));
	memcpy(env->usr_regs, core + 8, 5 * sizeof(uint32_t));
	memcpy(env->fiq_regs, fiq, 5 * sizeof(uint32_t));
	if (mode == ARM_CPU_MODE_FIQ)
		memcpy(env->regs + 8, fiq, 5 * sizeof(uint32_t));

	env->banked_r13[BANK_USRSYS] = core[13];
	env->banked_r14[BANK_USRSYS] = core[14];
	for (size_t i = 0; i < ARRAY_SIZE(kvm32_banks); i++) {
		const uint32_t *regs = core + kvm32_banks[i].regs / sizeof(uint32_t);

		env->banked_r13[kvm32_banks[i].bank] = regs[0];
		env->banked_r14[kvm32_banks[i].bank] = regs[1];
		env->banked_spsr[kvm32_banks[i].bank] = regs[2];
	}
	env->regs[13] = env->banked_r13[bank_number(mode)];
	env->regs[14] = env->banked_r14[r14_bank_number(mode)];
	env->spsr = env->banked_spsr[bank_number(mode)];
}

static void kvm32_env_to_core(CPUARMState *env, uint32_t *core)
{
	uint32_t *fiq = core + offsetof(struct kvm_regs, fiq_regs) / sizeof(uint32_t);
	unsigned int mode = env->uncached_cpsr & CPSR_M;

	env->banked_r13[bank_number(mode)] = env->regs[13];
	env->banked_r14[r14_bank_number(mode)] = env->regs[14];
	env->banked_spsr[bank_number(mode)] = env->spsr;

	memcpy(core, env->regs, 16 * sizeof(uint32_t));
	memcpy(fiq, env->fiq_regs, 5 * sizeof(uint32_t));
	if (mode == ARM_CPU_MODE_FIQ) {
		memcpy(fiq, env->regs + 8, 5 * sizeof(uint32_t));
		memcpy(core + 8, env->usr_regs, 5 * sizeof(uint32_t));
	}
	core[13] = env->banked_r13[BANK_USRSYS];
	core[14] = env->banked_r14[BANK_USRSYS];
	core[KVM32_CPSR] = cpsr_read(env);
	for (size_t i = 0; i < ARRAY_SIZE(kvm32_banks); i++) {
		uint32_t *regs = core + kvm32_banks[i].regs / sizeof(uint32_t);

		regs[0] = env->banked_r13[kvm32_banks[i].bank];
		regs[1] = env->banked_r14[kvm32_banks[i].bank];
		regs[2] = env->banked_spsr[kvm32_banks[i].bank];
	}
}

static unsigned int kvm32_nr_dregs(ARMCPU *cpu)
{
	return cpu_isar_feature(aa32_simd_r32, cpu) ? 32 : 16;
}

static int kvm32_put_vfp(CPUState *cs)
{
	ARMCPU *cpu = ARM_CPU(cs);
	CPUARMState *env = &cpu->env;
	uint32_t fpscr = vfp_get_fpscr(env);
	int ret = 0;

	for (unsigned int i = 0; !ret && i < kvm32_nr_dregs(cpu); i++)
		ret = kvm_set_one_reg(cs, KVM32_DREG(i), aa32_vfp_dreg(env, i));
	ret = ret ?: kvm_set_one_reg(cs, KVM32_VFP32(KVM_REG_ARM_VFP_FPSCR), &fpscr);
	return ret ?: kvm_set_one_reg(cs, KVM32_VFP32(KVM_REG_ARM_VFP_FPEXC),
				      &env->vfp.xregs[ARM_VFP_FPEXC]);
}

static int kvm32_get_vfp(CPUState *cs)
{
	ARMCPU *cpu = ARM_CPU(cs);
	CPUARMState *env = &cpu->env;
	uint32_t fpscr;
	int ret = 0;

	for (unsigned int i = 0; !ret && i < kvm32_nr_dregs(cpu); i++)
		ret = kvm_get_one_reg(cs, KVM32_DREG(i), aa32_vfp_dreg(env, i));
	ret = ret ?: kvm_get_one_reg(cs, KVM32_VFP32(KVM_REG_ARM_VFP_FPEXC),
				     &env->vfp.xregs[ARM_VFP_FPEXC]);
	ret = ret ?: kvm_get_one_reg(cs, KVM32_VFP32(KVM_REG_ARM_VFP_FPSCR), &fpscr);
	if (!ret)
		vfp_set_fpscr(env, fpscr);
	return ret;
}

int kvm_arch_put_registers(CPUState *cs, int level)
{
	ARMCPU *cpu = ARM_CPU(cs);
	uint32_t core[KVM32_NR_CORE] = { 0 };
	int ret;

	kvm32_env_to_core(&cpu->env, core);
	for (unsigned int i = 0; i < KVM32_NR_CORE; i++) {
		if (i == KVM32_ORIG_R0)
			continue;
		ret = kvm_set_one_reg(cs, KVM32_CORE(i), core + i);
		if (ret)
			return ret;
	}
	ret = kvm32_put_vfp(cs);
	if (ret)
		return ret;

	write_cpustate_to_list(cpu, true);
	if (!write_list_to_kvmstate(cpu, level))
		return -EINVAL;
	/* After the registers, which an injected abort changes. */
	ret = kvm_put_vcpu_events(cpu);
	/*
	 * PSCI is the kernel's: while the guest runs, another vCPU's CPU_ON may have come
	 * since the state was read, and writing the old one back would undo it.
	 */
	if (ret || level == KVM_PUT_RUNTIME_STATE)
		return ret;
	return kvm_arm_sync_mpstate_to_kvm(cpu);
}

int kvm_arch_get_registers(CPUState *cs)
{
	ARMCPU *cpu = ARM_CPU(cs);
	uint32_t core[KVM32_NR_CORE];
	int ret;

	for (unsigned int i = 0; i < KVM32_NR_CORE; i++) {
		if (i == KVM32_ORIG_R0)
			continue;
		ret = kvm_get_one_reg(cs, KVM32_CORE(i), core + i);
		if (ret)
			return ret;
	}
	kvm32_core_to_env(core, &cpu->env);
	ret = kvm32_get_vfp(cs);
	ret = ret ?: kvm_get_vcpu_events(cpu);
	if (ret)
		return ret;

	if (!write_kvmstate_to_list(cpu))
		return -EINVAL;
	/* The kernel has registers that QEMU's model has not: they stay in the list. */
	write_list_to_cpustate(cpu);
	return kvm_arm_sync_mpstate_to_qemu(cpu);
}

/* Did the abort that the client asked for reach the guest (DDI 0406C B4.1.52)? */
bool kvm_arm_verify_ext_dabt_pending(CPUState *cs)
{
	uint32_t dfsr, ttbcr;

	if (kvm_get_one_reg(cs, ARM_CP15_REG32(0, 5, 0, 0), &dfsr) ||
	    kvm_get_one_reg(cs, ARM_CP15_REG32(0, 2, 0, 2), &ttbcr))
		return false;
	if (ttbcr & TTBCR_EAE)
		return (dfsr & 0x3f) == 0x10;
	return ((dfsr >> 6 & 0x10) | (dfsr & 0xf)) == 0x8;
}
