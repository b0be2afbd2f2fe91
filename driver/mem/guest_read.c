// SPDX-License-Identifier: GPL-2.0-only
/* Guest memory as the guest itself would read it: its code, and its stage 1 tables. */
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "arch/gva.h"
#include "core/guest.h"
#include "core/state.h"
#include "mem/guest_ram.h"
#include "mem/guest_read.h"
#include "mem/memslot.h"
#include "mem/stage2_host.h"

bool armvmm_guest_read(struct armvmm_vcpu *vcpu, u64 ipa, void *buf, unsigned int len)
{
	struct armvmm_memslot *slot;
	unsigned long hva;

	if (offset_in_page(ipa) + len > PAGE_SIZE)
		return false;
	/*
	 * The host's caches may not hold what a guest wrote past its caches. With SCTLR.M clear a
	 * guest's data accesses are Strongly-ordered, whatever C is (DDI 0406C B3.2.1). And a
	 * pinned page may be another one than the client has at that address.
	 */
	if (!armvmm_stage2_host_syncs || !armvmm_guest_caches_on(vcpu))
		return armvmm_guest_ram(vcpu, ipa, buf, len, false) > 0;

	slot = armvmm_memslot_find(vcpu->vm, ipa >> PAGE_SHIFT);
	if (!slot)
		return false;
	hva = armvmm_memslot_hva(slot, ipa >> PAGE_SHIFT) + offset_in_page(ipa);
	return !copy_from_user(buf, (const void __user *)hva, len);
}

static bool guest_read_table(void *vcpu, u64 ipa, void *buf, unsigned int len)
{
	return armvmm_guest_read(vcpu, ipa, buf, len);
}

void armvmm_guest_mmu(struct armvmm_vcpu *vcpu, struct gva_mmu *mmu)
{
	*mmu = (struct gva_mmu) {
		.sctlr = vcpu_cp15(vcpu, CP15_SCTLR),
		.ttbcr = vcpu_cp15(vcpu, CP15_TTBCR),
		.ttbr0 = (u64)vcpu_cp15(vcpu, CP15_TTBR0_HI) << 32 | vcpu_cp15(vcpu, CP15_TTBR0),
		.ttbr1 = (u64)vcpu_cp15(vcpu, CP15_TTBR1_HI) << 32 | vcpu_cp15(vcpu, CP15_TTBR1),
		.dacr = vcpu_cp15(vcpu, CP15_DACR),
		.read = guest_read_table,
		.ctx = vcpu,
	};
}

bool armvmm_guest_read_virt(const struct gva_mmu *mmu, u32 va, void *buf, unsigned int len)
{
	u64 ipa;

	return armvmm_gva_translate(mmu, va, &ipa) && armvmm_guest_read(mmu->ctx, ipa, buf, len);
}
