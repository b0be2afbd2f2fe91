// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest's caches: operations by set and way, and turning the caches on and off. Operations by set
 * and way do not work for a guest on several CPUs (DDI 0406C B2.2.6), and the A7 may reorder them
 * (erratum 814220), so none is done as such. Instead the first of them, and every change of SCTLR.C
 * and M that traps, cleans and invalidates all of the guest's RAM by address. HCR.TVM is set until
 * the guest has turned its caches on.
 */
#include "arch/archregs.h"
#include "core/guest.h"
#include "core/state.h"
#include "mem/stage2.h"
#include "regs/cp15.h"
#include "regs/cp15_table.h"

void armvmm_cp15_toggle_cache(struct armvmm_vcpu *vcpu, bool was_enabled)
{
	bool enabled = armvmm_guest_caches_on(vcpu);

	/* Turned on: stale lines must be invalidated. Turned off: dirty ones must be cleaned. */
	if (enabled != was_enabled)
		armvmm_stage2_flush_caches(vcpu->vm);
	if (enabled)
		vcpu->hyp->hcr &= ~HCR_TVM;
}

CP15_ACCESS(vm)
{
	bool was_enabled = armvmm_guest_caches_on(vcpu);

	/* TVM traps only writes; if a read came here, it could be answered too. */
	if (!a->is_write) {
		a->val = vcpu_cp15(vcpu, r->index);
		if (r->is64)
			a->val |= (u64)vcpu_cp15(vcpu, r->index + 1) << 32;
		return CP15_DONE;
	}
	vcpu_cp15(vcpu, r->index) = (u32)a->val;
	if (r->is64)
		vcpu_cp15(vcpu, r->index + 1) = a->val >> 32;
	armvmm_cp15_toggle_cache(vcpu, was_enabled);
	return CP15_DONE;
}

CP15_ACCESS(set_way)
{
	if (!a->is_write)
		return CP15_UNDEFINED;
	if (!(vcpu->hyp->hcr & HCR_TVM)) {
		armvmm_stage2_flush_caches(vcpu->vm);
		vcpu->hyp->hcr |= HCR_TVM;
	}
	return CP15_DONE;
}
