// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest's caches: operations by set and way, and turning them on and off. What goes by set and
 * way cannot be carried out for one guest on several CPUs (DDI 0406C B2.2.6), and on the A7 may
 * come out of order (erratum 814220): none of it is carried out as such. The first of them, and
 * every change of SCTLR.C and M while traps for it are on, cleans and invalidates all RAM of the
 * guest by address; HCR.TVM shows when the caches are on, and then goes.
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

	/* Turned on: stale lines must go. Turned off: dirty ones must come out. */
	if (enabled != was_enabled)
		armvmm_stage2_flush_caches(vcpu->vm);
	if (enabled)
		vcpu->hyp->hcr &= ~HCR_TVM;
}

CP15_ACCESS(vm)
{
	bool was_enabled = armvmm_guest_caches_on(vcpu);

	/* TVM traps writes only; a read could be answered all the same. */
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
