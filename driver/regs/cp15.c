// SPDX-License-Identifier: GPL-2.0-only
/* cp15 and cp14 as a guest meets them: traps and reset. */
#include <linux/kernel.h>
#include <linux/printk.h>

#include <asm/cputype.h>

#include "arch/archregs.h"
#include "core/guest.h"
#include "core/inject.h"
#include "core/state.h"
#include "core/vcpus.h"
#include "debug/cp14.h"
#include "hyp/sysreg.h"
#include "pmu/pmu.h"
#include "regs/cp15.h"
#include "regs/cp15_table.h"
#include "timer/timer.h"

CP15_ACCESS(saved)
{
	a->val = vcpu_cp15(vcpu, r->index);
	return CP15_DONE;
}

CP15_ACCESS(raz_wi)
{
	a->val = 0;
	return CP15_DONE;
}

CP15_ACCESS(raz_ro)
{
	a->val = 0;
	return a->is_write ? CP15_UNDEFINED : CP15_DONE;
}

static enum cp15_result cp15_access_cntp(struct armvmm_vcpu *vcpu, struct cp15_access *a,
					 enum armvmm_timer_reg reg)
{
	if (a->is_write)
		armvmm_timer_phys_write(vcpu, reg, a->val);
	else
		a->val = armvmm_timer_phys_read(vcpu, reg);
	return CP15_DONE;
}

CP15_ACCESS(pmu)
{
	return armvmm_pmu_access(vcpu, a);
}

CP15_ACCESS(cntpct)
{
	return a->is_write ? CP15_UNDEFINED : cp15_access_cntp(vcpu, a, TIMER_REG_CNT);
}

CP15_ACCESS(cntp_ctl)
{
	return cp15_access_cntp(vcpu, a, TIMER_REG_CTL);
}

CP15_ACCESS(cntp_tval)
{
	return cp15_access_cntp(vcpu, a, TIMER_REG_TVAL);
}

CP15_ACCESS(cntp_cval)
{
	return cp15_access_cntp(vcpu, a, TIMER_REG_CVAL);
}

static void cp15_operands_get(struct armvmm_vcpu *vcpu, struct cp15_access *a)
{
	a->val = *armvmm_regs_ptr(vcpu, a->rt);
	if (a->is64)
		a->val |= (u64)*armvmm_regs_ptr(vcpu, a->rt2) << 32;
}

static void cp15_operands_put(struct armvmm_vcpu *vcpu, const struct cp15_access *a)
{
	u32 *cpsr = (u32 *)&vcpu->hyp->regs.usr_regs.ARM_cpsr;

	if (a->is64) {
		/* R15 is UNPREDICTABLE in MRRC (A8.8.108): nothing is written. */
		if (a->rt != 15)
			*armvmm_regs_ptr(vcpu, a->rt) = (u32)a->val;
		if (a->rt2 != 15)
			*armvmm_regs_ptr(vcpu, a->rt2) = a->val >> 32;
	} else if (a->rt == 15) {
		/* MRC to APSR_nzcv (A8.8.107) */
		*cpsr = (*cpsr & ~CPSR_NZCV) | ((u32)a->val & CPSR_NZCV);
	} else {
		*armvmm_regs_ptr(vcpu, a->rt) = (u32)a->val;
	}
}

static int cp15_finish(struct armvmm_vcpu *vcpu, const struct cp15_access *a,
		       enum cp15_result result)
{
	if (result == CP15_UNDEFINED) {
		armvmm_inject_undef(vcpu);
		return 1;
	}
	if (!a->is_write)
		cp15_operands_put(vcpu, a);
	armvmm_regs_skip(vcpu);
	return 1;
}

static int cp15_emulate(struct armvmm_vcpu *vcpu, struct cp15_access *a)
{
	const struct cp15_reg *r;
	enum cp15_result result = CP15_UNDEFINED;

	r = cp15_find(cp15_regs, cp15_nr_regs,
		      cp15_key(a->crn, a->crm, a->op1, a->op2, a->is64));
	if (a->is_write)
		cp15_operands_get(vcpu, a);
	if (r && r->access)
		result = r->access(vcpu, a, r);
	if (result == CP15_UNDEFINED)
		pr_debug_ratelimited("undefined cp15 access: %s opc1 %u CRn %u CRm %u opc2 %u\n",
				     a->is_write ? "write" : "read", a->op1, a->crn, a->crm,
				     a->op2);
	return cp15_finish(vcpu, a, result);
}

int armvmm_cp15_trap32(struct armvmm_vcpu *vcpu)
{
	struct cp15_access a;

	cp15_decode32(vcpu_hsr(vcpu), &a);
	return cp15_emulate(vcpu, &a);
}

int armvmm_cp15_trap64(struct armvmm_vcpu *vcpu)
{
	struct cp15_access a;

	cp15_decode64(vcpu_hsr(vcpu), &a);
	return cp15_emulate(vcpu, &a);
}

/* Debug registers (HDCR.TDA, TDRA, TDOSA): the guest's own, in cp14.c. */
int armvmm_cp14_trap32(struct armvmm_vcpu *vcpu)
{
	struct cp15_access a;

	cp15_decode32(vcpu_hsr(vcpu), &a);
	if (a.is_write)
		cp15_operands_get(vcpu, &a);
	return cp15_finish(vcpu, &a, armvmm_cp14_access(vcpu, &a));
}

int armvmm_cp14_trap64(struct armvmm_vcpu *vcpu)
{
	struct cp15_access a;

	cp15_decode64(vcpu_hsr(vcpu), &a);
	if (a.is_write)
		cp15_operands_get(vcpu, &a);
	return cp15_finish(vcpu, &a, armvmm_cp14_access(vcpu, &a));
}

/* LDC and STC of DBGDTR: there is no external debugger to talk to. */
int armvmm_cp14_trap_ldst(struct armvmm_vcpu *vcpu)
{
	armvmm_inject_undef(vcpu);
	return 1;
}

/* HCR.TID0 and TID3 are clear: nothing comes here on a correct CPU. */
int armvmm_cp10_trap(struct armvmm_vcpu *vcpu)
{
	armvmm_inject_undef(vcpu);
	return 1;
}

/* True where L2CTLR exists: implementation defined, in these CPUs' TRMs. */
static bool cp15_has_l2ctlr(void)
{
	u32 midr = read_cpuid_id();

	if (MIDR_IMPLEMENTER(midr) != MIDR_ARM)
		return false;
	switch (MIDR_PART(midr)) {
	case MIDR_PART_A7:
	case MIDR_PART_A12:
	case MIDR_PART_A15:
	case MIDR_PART_A17:
		return true;
	default:
		return false;
	}
}

/* Bits 25:24: the number of CPUs in the vCPU's cluster less one (A15 TRM 4.3.48). */
static u32 cp15_reset_l2ctlr(struct armvmm_vcpu *vcpu)
{
	int online = armvmm_vcpus_online(vcpu->vm), first = vcpu->id & ~3;
	u32 val = 0, others = clamp(online - 1 - first, 0, 3);

	if (cp15_has_l2ctlr())
		asm volatile("mrc p15, 1, %0, c9, c0, 2" : "=r" (val));
	return (val & ~(3u << 24)) | others << 24;
}

/* The host's value, but the SMP bit tells whether the virtual machine has several CPUs. */
static u32 cp15_reset_actlr(struct armvmm_vcpu *vcpu)
{
	u32 val = sysreg_read(SYS_ACTLR);

	return armvmm_vcpus_online(vcpu->vm) > 1 ? val | ACTLR_SMP : val & ~ACTLR_SMP;
}

/*
 * Clusters of four, as KVM/arm makes them: L2CTLR cannot tell of more CPUs. Bit 31 is one with
 * the Multiprocessing Extensions; U, bit 30, would say that there is no other CPU (B4.1.106). On a
 * host with one core, where it is set, a guest would then leave its other vCPUs alone.
 */
static u32 cp15_reset_mpidr(struct armvmm_vcpu *vcpu)
{
	return MPIDR_MP | (vcpu->id >> 2) << MPIDR_AFF1_SHIFT | (vcpu->id & 3);
}

static u32 cp15_reset_value(struct armvmm_vcpu *vcpu, const struct cp15_reg *r)
{
	switch (r->reset) {
	case CP15_RESET_MPIDR:
		return cp15_reset_mpidr(vcpu);
	case CP15_RESET_ACTLR:
		return cp15_reset_actlr(vcpu);
	case CP15_RESET_L2CTLR:
		return cp15_reset_l2ctlr(vcpu);
	default:
		return r->value;
	}
}

void armvmm_cp15_reset(struct armvmm_vcpu *vcpu)
{
	unsigned int i;

	for (i = 0; i < cp15_nr_regs; i++) {
		const struct cp15_reg *r = &cp15_regs[i];

		if (r->index == CP15_NOT_SAVED)
			continue;
		/* PSCI calls of other vCPUs look at MPIDR meanwhile, which stays as it is. */
		WRITE_ONCE(vcpu_cp15(vcpu, r->index), cp15_reset_value(vcpu, r));
		if (r->is64)
			vcpu_cp15(vcpu, r->index + 1) = 0;
	}
}
