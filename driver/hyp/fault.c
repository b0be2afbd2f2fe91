// SPDX-License-Identifier: GPL-2.0-only
/* Where an abort hit: the guest's address and the IPA behind it, or the debug event. */
#include <linux/bits.h>

#include "hyp/cpu.h"
#include "hyp/sysreg.h"

/* HSR.ISS of an abort (DDI 0406C B3.13.6) */
#define ISS_FSC_TYPE(hsr)	((hsr) & 0x3c)
#define ISS_FSC_PERMISSION	0x0c
#define ISS_S1PTW		BIT(7)

#define PAR_F			BIT(0)

#define ISS_FSC(hsr)		((hsr) & 0x3f)
#define ISS_FSC_DEBUG		0x22

/*
 * HPFAR is UNKNOWN on a permission fault outside a stage-1 walk (B3.13.5): the
 * guest's own tables are asked then, with the guest's PAR kept. A walk that
 * fails, because another vCPU just changed the tables, lets the guest retry.
 */
void __hyp_text hyp_fault_resolve(struct hyp_vcpu *vcpu, u32 hsr)
{
	u64 par, guest_par;

	if (HSR_EC(hsr) == HSR_EC_IABT)
		vcpu->hxfar = sysreg_read(SYS_HIFAR);
	else
		vcpu->hxfar = sysreg_read(SYS_HDFAR);

	/* Debug exceptions; the emulator has ARMv8's classes for some. */
	if (HSR_EC(hsr) >= HSR_EC_V8_DEBUG || ISS_FSC(hsr) == ISS_FSC_DEBUG) {
		vcpu->debug.moe = hyp_debug_moe(vcpu->cpu);
		return;
	}

	vcpu->fault_ipa_valid = 1;
	if (ISS_FSC_TYPE(hsr) != ISS_FSC_PERMISSION || hsr & ISS_S1PTW) {
		vcpu->hpfar = sysreg_read(SYS_HPFAR);
		return;
	}

	guest_par = sysreg_read64(SYS_PAR);
	sysreg_write(vcpu->hxfar, SYS_ATS1CPR);
	hyp_isb();
	par = sysreg_read64(SYS_PAR);
	sysreg_write64(guest_par, SYS_PAR);

	if (par & PAR_F)
		vcpu->fault_ipa_valid = 0;
	else	/* PAR bits 39-12 to HPFAR bits 31-4 */
		vcpu->hpfar = (u32)(par >> 8) & 0xfffffff0;
}
