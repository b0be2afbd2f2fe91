// SPDX-License-Identifier: GPL-2.0-only
/* Exceptions and interrupt lines that the host gives the guest. */
#include "arch/archregs.h"
#include "arch/exception.h"
#include "core/exception_entry.h"
#include "core/inject.h"
#include "core/kick.h"
#include "core/state.h"

void armvmm_inject_undef(struct armvmm_vcpu *vcpu)
{
	armvmm_exception_entry_undef(vcpu->hyp);
}

void armvmm_inject_dabt(struct armvmm_vcpu *vcpu, u32 far)
{
	u32 hsr = vcpu_hsr(vcpu);

	armvmm_exception_entry_dabt(vcpu->hyp, far,
				    HSR_EC(hsr) == HSR_EC_DABT && (hsr & HSR_DABT_WNR));
}

void armvmm_inject_pabt(struct armvmm_vcpu *vcpu, u32 far)
{
	armvmm_exception_entry_pabt(vcpu->hyp, far);
}

void armvmm_inject_serror(struct armvmm_vcpu *vcpu)
{
	vcpu->hyp->hcr |= HCR_VA;
}

/* Interrupt lines of a user-space irqchip: HCR.VI and HCR.VF at the next entry. */
int armvmm_inject_line(struct armvmm_vcpu *vcpu, unsigned int line, bool level)
{
	bool changed;

	if (level)
		changed = !test_and_set_bit(line, &vcpu->irq_lines);
	else
		changed = test_and_clear_bit(line, &vcpu->irq_lines);
	if (changed) {
		armvmm_vcpu_request(vcpu, VCPU_REQ_IRQ_PENDING);
		armvmm_vcpu_kick(vcpu);
	}
	return 0;
}
