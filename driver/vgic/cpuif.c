// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual CPU interface. The guest reaches it in hardware (GICV); its
 * state is in GICH_VMCR and GICH_APR while the vCPU is loaded on a CPU, and in
 * hyp->vgic otherwise.
 */
#include <linux/io.h>
#include <linux/preempt.h>

#include "arch/gic.h"
#include "core/state.h"
#include "host/hypcpu.h"
#include "hyp/cpu.h"
#include "vgic/ap.h"
#include "vgic/cpuif.h"
#include "vgic/loaded.h"
#include "vgic/vgic.h"

void armvmm_vgic_load(struct armvmm_vcpu *vcpu)
{
	struct hyp_vgic *hv = &vcpu->hyp->vgic;

	if (!vcpu->vm->vgic.in_kernel)
		return;
	writel_relaxed(hv->vmcr, armvmm_vgic_host.gich + GICH_VMCR);
	writel_relaxed(hv->apr, armvmm_vgic_host.gich + GICH_APR);
	/* The list registers are another vCPU's, or as this one left them before it was put. */
	hv->held = 0;
	hv->loaded = 1;
}

static void cpuif_save(struct hyp_vgic *hv)
{
	hv->vmcr = readl_relaxed(armvmm_vgic_host.gich + GICH_VMCR);
	hv->apr = readl_relaxed(armvmm_vgic_host.gich + GICH_APR);
}

void vgic_cpuif_cleared(struct hyp_cpu *hc)
{
	hc->gich_hcr = 0;
	hc->gich_held = 0;
}

void armvmm_vgic_silence(void)
{
	struct hyp_cpu *hc = armvmm_hypcpu_this();

	if (!hc->gich_held || !hc->gich_hcr)
		return;
	writel_relaxed(0, armvmm_vgic_host.gich + GICH_HCR);
	hc->gich_hcr = 0;
}

void armvmm_vgic_put(struct armvmm_vcpu *vcpu)
{
	struct hyp_vgic *hv = &vcpu->hyp->vgic;

	if (!hv->loaded)
		return;
	cpuif_save(hv);
	/* What others left there was silenced when they were put. */
	if (vcpu->hyp->cpu && READ_ONCE(vcpu->hyp->cpu->gich_held))
		armvmm_vgic_silence();
	hv->loaded = 0;
}

/* The guest writes its mask, binary points and mode without a trap. */
static void cpuif_refresh(struct armvmm_vcpu *vcpu)
{
	preempt_disable();
	if (vcpu->hyp->vgic.loaded && armvmm_vgic_loaded() == vcpu)
		cpuif_save(&vcpu->hyp->vgic);
	preempt_enable();
}

/* Before an entry, on the CPU that has it. */
static u32 cpuif_vmcr(const struct armvmm_vcpu *vcpu)
{
	const struct hyp_vgic *hv = &vcpu->hyp->vgic;

	lockdep_assert_irqs_disabled();
	return likely(hv->loaded) ? readl_relaxed(armvmm_vgic_host.gich + GICH_VMCR) : hv->vmcr;
}

unsigned int vgic_cpuif_groups(const struct armvmm_vcpu *vcpu)
{
	BUILD_BUG_ON(GICC_CTLR_EnableGrp0 != VGIC_AP_GROUP(0));
	BUILD_BUG_ON(GICC_CTLR_EnableGrp1 != VGIC_AP_GROUP(1));
	return cpuif_vmcr(vcpu) & VGIC_AP_GROUPS;
}

bool vgic_cpuif_splits_eoi(const struct armvmm_vcpu *vcpu)
{
	return cpuif_vmcr(vcpu) & GICC_CTLR_EOImode;
}

/*
 * One group's highest pending priority against mask and running priority
 * (IHI 0048B 3.3.2, 3.3.3). @bpr: the low @bpr + 1 bits are the subpriority,
 * which preempts nothing.
 */
static bool cpuif_group_signals(const struct hyp_vgic *hv, u32 prio, unsigned int bpr)
{
	u32 mask = (hv->vmcr & GICH_VMCR_PRIMASK_MASK) >> GICH_VMCR_PRIMASK_SHIFT
						       << VGIC_PRIORITY_SHIFT;
	u32 running = hv->apr ? __ffs(hv->apr) << VGIC_PRIORITY_SHIFT : VGIC_PRIORITY_IDLE;
	u32 group_mask = ~0u << (bpr + 1);

	return prio < mask && (prio & group_mask) < (running & group_mask);
}

bool vgic_cpuif_signals(struct armvmm_vcpu *vcpu, u32 prio0, u32 prio1)
{
	struct hyp_vgic *hv = &vcpu->hyp->vgic;
	unsigned int bpr, abpr;

	cpuif_refresh(vcpu);
	bpr = (hv->vmcr & GICH_VMCR_BP_MASK) >> GICH_VMCR_BP_SHIFT;
	abpr = (hv->vmcr & GICH_VMCR_ABP_MASK) >> GICH_VMCR_ABP_SHIFT;
	if ((hv->vmcr & GICC_CTLR_EnableGrp0) && cpuif_group_signals(hv, prio0, bpr))
		return true;
	if (!(hv->vmcr & GICC_CTLR_EnableGrp1))
		return false;
	/* Group 1 has a binary point of its own, counted from one, unless CBPR (4.4.3, 4.4.8). */
	if (!(hv->vmcr & GICC_CTLR_CBPR))
		bpr = abpr ? abpr - 1 : 0;
	return cpuif_group_signals(hv, prio1, bpr);
}

int vgic_cpuif_has_attr(u32 offset)
{
	switch (offset) {
	case GICC_CTLR:
	case GICC_PMR:
	case GICC_BPR:
	case GICC_ABPR:
	case GICC_APR0:
	case GICC_APR0 + 4:
	case GICC_APR0 + 8:
	case GICC_APR0 + 12:
	case GICC_IIDR:
		return 0;
	}
	return -ENXIO;
}

int vgic_cpuif_get_attr(struct armvmm_vcpu *vcpu, u32 offset, u32 *val)
{
	const struct hyp_vgic *hv = &vcpu->hyp->vgic;

	switch (offset) {
	case GICC_CTLR:
		*val = hv->vmcr & GICH_VMCR_CTLR_MASK;
		return 0;
	case GICC_PMR:
		/* KVM's ABI: the five bits of GICH_VMCR.VMPriMask, not GICC_PMR's byte. */
		*val = hv->vmcr >> GICH_VMCR_PRIMASK_SHIFT;
		return 0;
	case GICC_BPR:
		*val = (hv->vmcr & GICH_VMCR_BP_MASK) >> GICH_VMCR_BP_SHIFT;
		return 0;
	case GICC_ABPR:
		*val = (hv->vmcr & GICH_VMCR_ABP_MASK) >> GICH_VMCR_ABP_SHIFT;
		return 0;
	case GICC_APR0:
		*val = hv->apr;
		return 0;
	case GICC_IIDR:
		*val = VGIC_CPUIF_IIDR;
		return 0;
	}
	/* 32 preemption levels fill one register (5.3.6): the others are zero. */
	*val = 0;
	return vgic_cpuif_has_attr(offset);
}

static void cpuif_set_field(u32 *reg, u32 mask, unsigned int shift, u32 val)
{
	*reg = (*reg & ~mask) | ((val << shift) & mask);
}

int vgic_cpuif_set_attr(struct armvmm_vcpu *vcpu, u32 offset, u32 val)
{
	struct hyp_vgic *hv = &vcpu->hyp->vgic;

	switch (offset) {
	case GICC_CTLR:
		cpuif_set_field(&hv->vmcr, GICH_VMCR_CTLR_MASK, 0, val);
		return 0;
	case GICC_PMR:
		cpuif_set_field(&hv->vmcr, GICH_VMCR_PRIMASK_MASK, GICH_VMCR_PRIMASK_SHIFT, val);
		return 0;
	case GICC_BPR:
		cpuif_set_field(&hv->vmcr, GICH_VMCR_BP_MASK, GICH_VMCR_BP_SHIFT, val);
		return 0;
	case GICC_ABPR:
		cpuif_set_field(&hv->vmcr, GICH_VMCR_ABP_MASK, GICH_VMCR_ABP_SHIFT, val);
		return 0;
	case GICC_APR0:
		hv->apr = val;
		return 0;
	}
	/* IIDR and the APRs that are zero take any value and keep theirs. */
	return vgic_cpuif_has_attr(offset);
}
