// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which of a guest's pages are copies, in the shadow build: those that it touches while no vCPU has
 * its caches on. A page that it had before stays what it was.
 *
 * A guest with a vCPU whose caches are on gets no copies, as the host has to see at once what that
 * one writes. So the change has to be noticed before the vCPU goes on: HCR.TVM has to be set for
 * each. When it traps, cp15_cache.c flushes all of the VM's pages, and the copies go.
 */
#include <linux/mm.h>

#include "arch/archregs.h"
#include "arch/lpae.h"
#include "core/guest.h"
#include "core/state.h"
#include "core/vcpus.h"
#include "host/cache_pfn.h"
#include "host/shadow_page.h"
#include "mem/stage2.h"
#include "mem/stage2_shadow.h"

static unsigned long shadow_pfn(u64 leaf)
{
	return __phys_to_pfn((phys_addr_t)stage2_addr(leaf));
}

static u64 shadow_replace(u64 leaf, unsigned long pfn)
{
	return (leaf & ~LPAE_ADDR_MASK) | __pfn_to_phys(pfn);
}

/* Memory that has cache lines of the host's: what the driver's flushes are for. */
static bool shadow_is_cached(u64 leaf)
{
	return (leaf & LPAE_S2_ATTR_MASK) == LPAE_S2_ATTR_WB &&
	       armvmm_cache_may_flush_pfn(shadow_pfn(leaf));
}

static bool shadow_is_wanted(struct armvmm_vm *vm)
{
	struct armvmm_vcpu *vcpu;
	bool ran = false;
	int i;

	lockdep_assert_held(&vm->stage2.lock);
	armvmm_vcpus_for_each(i, vcpu, vm) {
		if (READ_ONCE(vcpu->last_cpu) < 0)
			continue;
		if (!(READ_ONCE(vcpu->hyp->hcr) & HCR_TVM) || armvmm_guest_caches_on(vcpu))
			return false;
		ran = true;
	}
	return ran;
}

int armvmm_stage2_shadow_hold(struct armvmm_vm *vm, u64 leaf, struct shadow_page **held)
{
	bool wanted;

	might_sleep();
	spin_lock(&vm->stage2.lock);
	wanted = shadow_is_wanted(vm);
	spin_unlock(&vm->stage2.lock);
	if (!wanted || !shadow_is_cached(leaf))
		return 0;
	*held = armvmm_shadow_page_hold(&vm->stage2, shadow_pfn(leaf));
	return *held ? 0 : -ENOMEM;
}

void armvmm_stage2_shadow_release(struct shadow_page *held)
{
	armvmm_shadow_page_release(held);
}

bool armvmm_stage2_shadow_leaf(struct armvmm_vm *vm, u64 ipa, bool mapped, u64 *leaf)
{
	struct stage2 *s2 = &vm->stage2;
	unsigned int level;
	unsigned long copy;
	u64 old;

	*leaf = armvmm_stage2_shadow_host(*leaf);
	if (!shadow_is_cached(*leaf))
		return true;
	old = armvmm_stage2_lookup(s2, ipa, &level);
	if (old && stage2_same_but_perm(armvmm_stage2_shadow_host(old), *leaf)) {
		*leaf = shadow_replace(*leaf, shadow_pfn(old));
		return true;
	}
	/* What the guest had went meanwhile, and for its sake there may have been no flush. */
	if (!old && mapped)
		return false;
	if (!shadow_is_wanted(vm))
		return true;
	copy = armvmm_shadow_page_copy(s2, shadow_pfn(*leaf));
	if (copy)
		*leaf = shadow_replace(*leaf, copy);
	return copy;
}

u64 armvmm_stage2_shadow_host(u64 leaf)
{
	unsigned long pfn = armvmm_shadow_page_host(shadow_pfn(leaf));

	return pfn ? shadow_replace(leaf, pfn) : leaf;
}

bool armvmm_stage2_shadow_is_copy(u64 leaf)
{
	return armvmm_shadow_page_host(shadow_pfn(leaf));
}

void armvmm_stage2_shadow_map(u64 leaf)
{
	armvmm_shadow_page_map(shadow_pfn(leaf));
}

void armvmm_stage2_shadow_unmap(u64 leaf)
{
	armvmm_shadow_page_unmap(shadow_pfn(leaf));
}

void armvmm_stage2_shadow_reap(struct stage2 *s2)
{
	armvmm_shadow_page_reap(s2);
}
