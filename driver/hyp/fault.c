// SPDX-License-Identifier: GPL-2.0-only
/* Where an abort hit: the guest's address and the IPA behind it, or the debug event. */
#include "hyp/cpu.h"
#include "hyp/sysreg.h"

/*
 * HPFAR is UNKNOWN on a permission fault outside a stage-1 walk (B3.13.5): then the address is
 * translated by the guest's own tables, and the guest's PAR is kept. If that walk fails, because
 * another vCPU just changed the tables, the guest retries. It also retries if the walk ends in an
 * external abort: HYP mode survives it (hyp/vectors.S), and the guest's own walk takes it. If a
 * guest's tables are in device memory, HCR.PTW makes its own walk fault before. An asynchronous
 * abort that this walk causes must not reach the host.
 */
static void __hyp_text fault_ask_tables(struct hyp_vcpu *vcpu)
{
	u64 guest_par = sysreg_read64(SYS_PAR);
	u64 par = hyp_translate(vcpu->hxfar);

	sysreg_write64(guest_par, SYS_PAR);
	hyp_dsb();
	hyp_isb();
	if (sysreg_read(SYS_ISR) & ISR_A)
		hyp_serror_take();

	if (par & PAR_F)
		vcpu->fault_ipa_valid = 0;
	else	/* as PAR has them: bits 39-12 */
		vcpu->hpfar = (u32)(par >> HPFAR_FIPA_SHIFT) & HPFAR_FIPA;
}

u32 __hyp_text hyp_fault_resolve(struct hyp_vcpu *vcpu, u32 hsr)
{
	u32 fsc = hsr & HSR_ABT_FSC;

	/*
	 * An asynchronous abort of the guest's that HCR.AMO routes here comes as a
	 * trap (B1.9.8): no fault of stage 2, and no address belongs to it.
	 */
	if (HSR_EC(hsr) == HSR_EC_DABT &&
	    (fsc == HSR_FSC_ASYNC_EXTERNAL || fsc == HSR_FSC_ASYNC_PARITY))
		return HYP_EXIT_SERROR;

	if (HSR_EC(hsr) == HSR_EC_IABT)
		vcpu->hxfar = sysreg_read(SYS_HIFAR);
	else
		vcpu->hxfar = sysreg_read(SYS_HDFAR);

	/* Debug exceptions; the emulator has ARMv8's classes for some. */
	if (HSR_EC(hsr) >= HSR_EC_V8_DEBUG || fsc == HSR_FSC_DEBUG) {
		vcpu->debug.moe = hyp_debug_moe(vcpu->cpu);
		return HYP_EXIT_TRAP;
	}

	vcpu->fault_ipa_valid = 1;
	if (HSR_FSC_TYPE(hsr) != HSR_FSC_PERMISSION || hsr & HSR_ABT_S1PTW)
		vcpu->hpfar = sysreg_read(SYS_HPFAR);
	else
		fault_ask_tables(vcpu);
	return HYP_EXIT_TRAP;
}
