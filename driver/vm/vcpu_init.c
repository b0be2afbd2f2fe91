// SPDX-License-Identifier: GPL-2.0-only
/* KVM_ARM_VCPU_INIT: which CPU a vCPU is, and how it starts. */
#include <linux/kernel.h>
#include <linux/srcu.h>
#include <linux/string.h>

#include <asm/cputype.h>

#include "arch/archregs.h"
#include "core/kick.h"
#include "core/state.h"
#include "mem/stage2.h"
#include "pmu/pmu.h"
#include "regs/psci.h"
#include "regs/reset.h"
#include "vm/vcpu_init.h"

#define INIT_FEATURES		(BIT(KVM_ARM_VCPU_POWER_OFF) | BIT(KVM_ARM_VCPU_PSCI_0_2) | \
				 BIT(KVM_ARM_VCPU_PMU_V3))

/*
 * Target of this host: the CPUs without a number of their own (A12, A17) are
 * shown as the Cortex-A15 whose system registers theirs are modelled on.
 */
static u32 init_target(u32 midr)
{
	if (MIDR_IMPLEMENTER(midr) == MIDR_ARM && MIDR_PART(midr) == MIDR_PART_A7)
		return KVM_ARM_TARGET_CORTEX_A7;
	return KVM_ARM_TARGET_CORTEX_A15;
}

int armvmm_vcpu_preferred_target(struct kvm_vcpu_init *init)
{
	memset(init, 0, sizeof(*init));
	init->target = init_target(read_cpuid_id());
	return 0;
}

/*
 * A client that initializes a vCPU again is about to load another guest. That guest starts with its
 * caches off and must see what the client writes. So all pages are unmapped, and each is made
 * coherent when it is mapped again (DDI 0406C A3.5.7).
 */
static void init_unmap_slots(struct armvmm_vm *vm)
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
static int init_check_features(struct armvmm_vcpu *vcpu, const struct kvm_vcpu_init *init)
{
	size_t i;

	if (init->features[0] & ~INIT_FEATURES)
		return -ENOENT;
	for (i = 1; i < ARRAY_SIZE(init->features); i++)
		if (init->features[i])
			return -ENOENT;
	if (vcpu->initialized && init->features[0] != vcpu->features)
		return -EINVAL;
	return 0;
}

int armvmm_vcpu_init(struct armvmm_vcpu *vcpu, const struct kvm_vcpu_init *init)
{
	/* Read once: the thread may move to a CPU of another part. */
	u32 midr = read_cpuid_id();
	int err;

	if (init->target != init_target(midr))
		return -EINVAL;
	err = init_check_features(vcpu, init);
	if (!err && init->features[0] & BIT(KVM_ARM_VCPU_PMU_V3) && !vcpu->pmu)
		err = armvmm_pmu_vcpu_create(vcpu);
	if (err)
		return err;

	vcpu->target = init->target;
	vcpu->features = init->features[0];
	vcpu->hyp->vpidr = midr;
	/* The CPU that it is loaded on was not compared with this one. */
	vcpu->hyp->rare.vpidr = true;

	armvmm_regs_reset(vcpu);
	/* It lowers the client's lines, as in KVM. A CPU that PSCI turns on keeps them. */
	xchg(&vcpu->irq_lines, 0);
	armvmm_psci_vcpu_init(vcpu);
	if (vcpu->has_run_once)
		init_unmap_slots(vcpu->vm);
	/* This also brought to memory what it wrote past the caches (armvmm_stage2_uncached). */
	WRITE_ONCE(vcpu->last_cpu, -1);

	/* Cancels a start that CPU_ON left: the client says how this vCPU starts. */
	spin_lock(&vcpu->start_lock);
	clear_bit(VCPU_REQ_RESET, &vcpu->requests);
	WRITE_ONCE(vcpu->power_off, armvmm_vcpu_has_feature(vcpu, KVM_ARM_VCPU_POWER_OFF));
	armvmm_vcpu_request(vcpu, VCPU_REQ_SLEEP);
	WRITE_ONCE(vcpu->initialized, true);
	spin_unlock(&vcpu->start_lock);
	return 0;
}
