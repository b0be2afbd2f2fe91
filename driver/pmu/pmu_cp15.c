// SPDX-License-Identifier: GPL-2.0-only
/* The performance monitors as the guest accesses them (DDI 0406C B4.1.114 to B4.1.126). */
#include <linux/bits.h>
#include <linux/kernel.h>

#include "arch/archregs.h"
#include "arch/cp15_access.h"
#include "core/state.h"
#include "pmu/pmu.h"

/* c9, by CRm and opc2 */
#define PMU_REG(crm, op2)	((crm) << 3 | (op2))
enum {
	PMU_PMCR = PMU_REG(12, 0),
	PMU_PMCNTENSET = PMU_REG(12, 1),
	PMU_PMCNTENCLR = PMU_REG(12, 2),
	PMU_PMOVSR = PMU_REG(12, 3),
	PMU_PMSWINC = PMU_REG(12, 4),
	PMU_PMSELR = PMU_REG(12, 5),
	PMU_PMCEID0 = PMU_REG(12, 6),
	PMU_PMCEID1 = PMU_REG(12, 7),
	PMU_PMCCNTR = PMU_REG(13, 0),
	PMU_PMXEVTYPER = PMU_REG(13, 1),
	PMU_PMXEVCNTR = PMU_REG(13, 2),
	PMU_PMUSERENR = PMU_REG(14, 0),
	PMU_PMINTENSET = PMU_REG(14, 1),
	PMU_PMINTENCLR = PMU_REG(14, 2),
	PMU_PMOVSSET = PMU_REG(14, 3),
};

static bool pmu_from_user(const struct armvmm_vcpu *vcpu)
{
	return (vcpu->hyp->regs.usr_regs.ARM_cpsr & CPSR_M_MASK) == CPSR_M_USR;
}

/* C12.6: what PL0 may do. Some accesses the hardware has refused before they could trap. */
static bool pmu_user_may(const struct armvmm_pmu *pmu, unsigned int reg, bool is_write)
{
	switch (reg) {
	case PMU_PMUSERENR:
		return !is_write;
	case PMU_PMINTENSET:
	case PMU_PMINTENCLR:
		return false;
	default:
		return pmu->userenr;
	}
}

static void pmu_write_pmcr(struct armvmm_pmu *pmu, u32 val)
{
	unsigned int n;

	/* An event's period depends on the divider. */
	if ((pmu->pmcr ^ val) & PMCR_D || val & PMCR_C)
		armvmm_pmu_stop(pmu, PMU_CYCLE);
	if (val & PMCR_C)
		pmu->counter[PMU_CYCLE].value = 0;
	for (n = 0; val & PMCR_P && n < armvmm_pmu_nr(); n++) {
		armvmm_pmu_stop(pmu, n);
		pmu->counter[n].value = 0;
	}
	pmu->pmcr = val & PMCR_RW;
	pmu->dirty = true;
}

static void pmu_write_counter(struct armvmm_pmu *pmu, unsigned int n, u32 val)
{
	armvmm_pmu_stop(pmu, n);
	pmu->counter[n].value = val;
}

static void pmu_write_type(struct armvmm_pmu *pmu, u32 val)
{
	struct armvmm_pmu_counter *c = &pmu->counter[pmu->select];

	if (pmu->select == PMU_CYCLE) {
		c->type = val & PMU_TYPE_FILTER;
	} else if (pmu->select < armvmm_pmu_nr()) {
		armvmm_pmu_stop(pmu, pmu->select);
		c->type = val & (PMU_TYPE_FILTER | PMU_TYPE_EVENT);
	}
}

static enum cp15_result pmu_write(struct armvmm_vcpu *vcpu, unsigned int reg, u32 val)
{
	struct armvmm_pmu *pmu = vcpu->pmu;

	switch (reg) {
	case PMU_PMCR:
		pmu_write_pmcr(pmu, val);
		break;
	case PMU_PMCNTENSET:
		pmu->enable |= val & armvmm_pmu_mask();
		pmu->dirty = true;
		break;
	case PMU_PMCNTENCLR:
		pmu->enable &= ~val;
		pmu->dirty = true;
		break;
	case PMU_PMOVSR:
		armvmm_pmu_clear_overflow(pmu, val);
		break;
	case PMU_PMSWINC:
		armvmm_pmu_increment(pmu, val, pmu_from_user(vcpu));
		break;
	case PMU_PMSELR:
		pmu->select = val & PMSELR_SEL;
		break;
	case PMU_PMCCNTR:
		pmu_write_counter(pmu, PMU_CYCLE, val);
		break;
	case PMU_PMXEVTYPER:
		pmu_write_type(pmu, val);
		break;
	case PMU_PMXEVCNTR:
		/* UNPREDICTABLE if PMSELR selects no counter that exists: ignored. */
		if (pmu->select < armvmm_pmu_nr())
			pmu_write_counter(pmu, pmu->select, val);
		break;
	case PMU_PMUSERENR:
		pmu->userenr = val & 1;
		break;
	case PMU_PMINTENSET:
		pmu->inten |= val & armvmm_pmu_mask();
		break;
	case PMU_PMINTENCLR:
		pmu->inten &= ~val;
		break;
	case PMU_PMOVSSET:
		armvmm_pmu_set_overflow(pmu, val);
		break;
	default:
		return CP15_UNDEFINED;
	}
	return CP15_DONE;
}

static enum cp15_result pmu_read(struct armvmm_pmu *pmu, unsigned int reg, u64 *val)
{
	bool exists = pmu->select < armvmm_pmu_nr();

	switch (reg) {
	case PMU_PMCR:
		*val = armvmm_pmu_host.pmcr | pmu->pmcr;
		break;
	case PMU_PMCNTENSET:
	case PMU_PMCNTENCLR:
		*val = pmu->enable;
		break;
	case PMU_PMOVSR:
	case PMU_PMOVSSET:
		*val = READ_ONCE(pmu->overflow);
		break;
	case PMU_PMSELR:
		*val = pmu->select;
		break;
	case PMU_PMCEID0:
	case PMU_PMCEID1:
		*val = armvmm_pmu_host.pmceid[reg - PMU_PMCEID0];
		break;
	case PMU_PMCCNTR:
		*val = armvmm_pmu_read(pmu, PMU_CYCLE);
		break;
	case PMU_PMXEVTYPER:
		*val = exists || pmu->select == PMU_CYCLE ? pmu->counter[pmu->select].type : 0;
		break;
	case PMU_PMXEVCNTR:
		*val = exists ? armvmm_pmu_read(pmu, pmu->select) : 0;
		break;
	case PMU_PMUSERENR:
		*val = pmu->userenr;
		break;
	case PMU_PMINTENSET:
	case PMU_PMINTENCLR:
		*val = pmu->inten;
		break;
	default:
		return CP15_UNDEFINED;
	}
	return CP15_DONE;
}

/* Without the feature, all registers read as zero and ignore writes, as in KVM/arm. */
enum cp15_result armvmm_pmu_access(struct armvmm_vcpu *vcpu, struct cp15_access *a)
{
	unsigned int reg = PMU_REG(a->crm, a->op2);

	if (!vcpu->pmu) {
		a->val = 0;
		return CP15_DONE;
	}
	if (pmu_from_user(vcpu) && !pmu_user_may(vcpu->pmu, reg, a->is_write))
		return CP15_UNDEFINED;
	return a->is_write ? pmu_write(vcpu, reg, (u32)a->val) : pmu_read(vcpu->pmu, reg, &a->val);
}
