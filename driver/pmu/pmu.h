/* SPDX-License-Identifier: GPL-2.0-only */
/* The performance monitors of a vCPU (DDI 0406C C12), counted by the host's perf. */
#ifndef ARMVMM_PMU_H
#define ARMVMM_PMU_H

#include <linux/spinlock.h>
#include <linux/types.h>

#include "arch/cp15_access.h"
#include "arch/pmuregs.h"
#include "core/state.h"

struct armvmm_vcpu;
struct hyp_pmu;
struct kvm_device_attr;
struct kvm_one_reg;
struct perf_event;
struct task_struct;

#define PMU_CYCLE	31	/* the cycle counter's number, and bit */

/* No event of the architecture's: perf's number for the cycle counter. */
#define PMU_EVENT_CYCLE_COUNTER	0xff

/* The host's PMU; constant from module load on. */
struct armvmm_pmu_host {
	bool present;		/* perf counts for guests */
	u32 pmcr;		/* IMP, IDCODE, and as N what guests may have */
	u32 pmceid[2];
};
extern struct armvmm_pmu_host armvmm_pmu_host;

/* Module load: tests whether perf counts for guests, and reads what the host's PMU has. */
void armvmm_pmu_init(void);

/* KVM_ARM_VCPU_INIT with the feature, the first time. -EINVAL: the host has no PMU; -ENOMEM. */
int armvmm_pmu_vcpu_create(struct armvmm_vcpu *vcpu);
/* Both do nothing on a vCPU without a PMU; may sleep. */
void armvmm_pmu_vcpu_reset(struct armvmm_vcpu *vcpu);
void armvmm_pmu_vcpu_destroy(struct armvmm_vcpu *vcpu);

/*
 * The functions from here on are for a vCPU that has a PMU. First RUN: -EINVAL if
 * KVM_ARM_VCPU_PMU_V3_INIT is missing, or an interrupt is set that nothing could deliver.
 */
int armvmm_pmu_enable(struct armvmm_vcpu *vcpu);
/* Before each entry, in the vCPU's thread; may sleep. Updates the events and the interrupt line. */
void armvmm_pmu_prepare(struct armvmm_vcpu *vcpu);
/* Before an entry, IRQs off: tells HYP mode which of the CPU's counters are the guest's. */
void armvmm_pmu_load(struct armvmm_vcpu *vcpu);
/* User-space irqchip: writes run->s.regs.device_irq_level; true if it changed. */
bool armvmm_pmu_update_run(struct armvmm_vcpu *vcpu);

/* True if PMOVSR and PMINTENSET raise the interrupt. */
bool armvmm_pmu_level(const struct armvmm_pmu *pmu);
/* Counter @n as it is now; may sleep. */
u32 armvmm_pmu_read(struct armvmm_pmu *pmu, unsigned int n);
/* Stops counter @n, which keeps its value, until the next entry; may sleep. */
void armvmm_pmu_stop(struct armvmm_pmu *pmu, unsigned int n);
void armvmm_pmu_stop_all(struct armvmm_pmu *pmu);
/* PMOVSR, with the overflows that perf has not reported yet; may sleep. */
u32 armvmm_pmu_overflows(struct armvmm_pmu *pmu);
void armvmm_pmu_clear_overflow(struct armvmm_pmu *pmu, u32 mask);
void armvmm_pmu_set_overflow(struct armvmm_pmu *pmu, u32 mask);
/* Software increments of the counters in @mask (PMSWINC). */
void armvmm_pmu_increment(struct armvmm_pmu *pmu, u32 mask, bool user);

static inline unsigned int armvmm_pmu_nr(void)
{
	return PMCR_N(armvmm_pmu_host.pmcr);
}

/* The bits that exist in PMCNTENSET and the registers like it. */
static inline u32 armvmm_pmu_mask(void)
{
	return 1u << PMU_CYCLE | ((1u << armvmm_pmu_nr()) - 1);
}

/* A trapped access to one of the registers (HDCR.TPM). May sleep. */
enum cp15_result armvmm_pmu_access(struct armvmm_vcpu *vcpu, struct cp15_access *a);

/* ONE_REG. On a vCPU without a PMU is_reg is false for every id. */
bool armvmm_pmu_is_reg(struct armvmm_vcpu *vcpu, u64 id);
int armvmm_pmu_get_reg(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg);
int armvmm_pmu_set_reg(struct armvmm_vcpu *vcpu, const struct kvm_one_reg *reg);
unsigned long armvmm_pmu_count(struct armvmm_vcpu *vcpu);
int armvmm_pmu_list(struct armvmm_vcpu *vcpu, u64 __user **ids);

/* vCPU device attributes, group KVM_ARM_VCPU_PMU_V3_CTRL, with KVM/arm64's errno. */
int armvmm_pmu_set_attr(struct armvmm_vcpu *vcpu, struct kvm_device_attr *attr);
int armvmm_pmu_get_attr(struct armvmm_vcpu *vcpu, struct kvm_device_attr *attr);
int armvmm_pmu_has_attr(struct armvmm_vcpu *vcpu, struct kvm_device_attr *attr);

#endif
