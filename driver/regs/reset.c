// SPDX-License-Identifier: GPL-2.0-only
/* A vCPU as it is after a power-up. */
#include <linux/string.h>

#include <asm/cputype.h>

#include "arch/archregs.h"
#include "core/state.h"
#include "debug/debug.h"
#include "mmio/mmio.h"
#include "pmu/pmu.h"
#include "regs/cp15.h"
#include "regs/reset.h"
#include "regs/thumbee.h"
#include "timer/timer.h"
#include "vgic/vgic.h"

#define RESET_CPSR	(offsetof(struct kvm_regs, usr_regs.ARM_cpsr) / sizeof(u32))

/* The traps of every guest; cp15.c and exit.c say what each is for. */
static void reset_traps(struct armvmm_vcpu *vcpu)
{
	struct hyp_vcpu *hyp = vcpu->hyp;

	/*
	 * TVM until the guest's caches are on: see cp15.c. PTW: a walk of the guest's
	 * tables never touches a device (hyp/fault.c).
	 */
	hyp->hcr = HCR_VM | HCR_SWIO | HCR_PTW | HCR_FMO | HCR_IMO | HCR_AMO | HCR_FB | HCR_BSU_IS |
		   HCR_TWI | HCR_TWE | HCR_TSC | HCR_TIDCP | HCR_TAC | HCR_TSW | HCR_TVM;
	hyp->hstr = HSTR_T15;
	/* HYP mode adds HPMN, which it keeps as the host has it. */
	hyp->hdcr = HDCR_TDRA | HDCR_TDOSA | HDCR_TDA | HDCR_TDE | HDCR_TPM | HDCR_TPMCR;
}

void armvmm_regs_reset(struct armvmm_vcpu *vcpu)
{
	struct hyp_vcpu *hyp = vcpu->hyp;

	memset(&hyp->regs, 0, sizeof(hyp->regs));
	HYP_REG(hyp, RESET_CPSR) = CPSR_M_SVC | CPSR_A | CPSR_I | CPSR_F;
	memset(&hyp->vfp, 0, sizeof(hyp->vfp));
	hyp->serror = 0;
	clear_bit(VCPU_REQ_WFI, &vcpu->requests);
	hyp->hsr = 0;
	reset_traps(vcpu);
	armvmm_thumbee_reset(vcpu);
	armvmm_cp15_reset(vcpu);
	armvmm_timer_vcpu_reset(vcpu);
	armvmm_vgic_vcpu_reset(vcpu);
	armvmm_pmu_vcpu_reset(vcpu);
	armvmm_mmio_cancel(&vcpu->mmio);
	armvmm_debug_reset(vcpu);
}
