// SPDX-License-Identifier: GPL-2.0-only
/* The stage-2 translation of a VM, from its first table to its last. */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/percpu.h>

#include "compat/compat.h"

#include "arch/archregs.h"
#include "arch/lpae.h"
#include "core/guest.h"
#include "core/in_guest.h"
#include "core/state.h"
#include "core/vcpus.h"
#include "host/share.h"
#include "mem/stage2.h"
#include "mem/stage2_host.h"

u32 armvmm_stage2_vtcr(void)
{
	return STAGE2_VTCR | (armvmm_host_shareable() ? TCR_SH0_INNER : 0);
}

int armvmm_stage2_vm_init(struct armvmm_vm *vm)
{
	struct stage2 *s2 = &vm->stage2;
	int ret;

	spin_lock_init(&s2->lock);
	s2->sh = armvmm_host_shareable() ? LPAE_SH_INNER : 0;
	atomic64_set(&s2->vmid, 0);
	s2->last_vcpu = alloc_percpu_gfp(u8, GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	/* Blocks of the page allocator are aligned to their size: that of BADDR. */
	BUILD_BUG_ON(STAGE2_PGD_SIZE != STAGE2_VTTBR_ALIGN);
	s2->pgd = (u64 *)__get_free_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO,
					  get_order(STAGE2_PGD_SIZE));
	if (!s2->last_vcpu || !s2->pgd) {
		ret = -ENOMEM;
		goto err;
	}
	s2->pgd_pa = virt_to_phys(s2->pgd);
	ret = armvmm_stage2_host_vm_init(vm);
	if (ret)
		goto err;
	return 0;

err:
	armvmm_stage2_vm_destroy(vm);
	return ret;
}

bool armvmm_stage2_uncached(struct armvmm_vm *vm)
{
	struct armvmm_vcpu *vcpu;
	int i;

	lockdep_assert_held(&vm->stage2.lock);
	armvmm_vcpus_for_each(i, vcpu, vm) {
		/* A vCPU that never ran wrote nothing, such as one that waits for CPU_ON. */
		if (READ_ONCE(vcpu->last_cpu) < 0)
			continue;
		if (READ_ONCE(vcpu->hyp->hcr) & HCR_TVM || !armvmm_guest_caches_on(vcpu))
			return true;
	}
	return false;
}

static void stage2_left_guest(void *unused)
{
}

bool armvmm_stage2_uncached_since(struct armvmm_vm *vm)
{
	struct stage2 *s2 = &vm->stage2;
	bool uncached;

	might_sleep();
	preempt_disable();
	armvmm_in_guest_call(vm, stage2_left_guest);
	preempt_enable();
	spin_lock(&s2->lock);
	uncached = armvmm_stage2_uncached(vm);
	spin_unlock(&s2->lock);
	return uncached;
}

void armvmm_stage2_flush_uncached(struct armvmm_vm *vm)
{
	struct stage2 *s2 = &vm->stage2;
	bool uncached;

	might_sleep();
	spin_lock(&s2->lock);
	uncached = armvmm_stage2_uncached(vm);
	spin_unlock(&s2->lock);
	if (uncached)
		armvmm_stage2_flush_caches(vm);
}

void armvmm_stage2_vm_release(struct armvmm_vm *vm)
{
	armvmm_stage2_host_vm_release(vm);
	armvmm_stage2_unmap(vm, 0, STAGE2_IPA_SIZE);
}

void armvmm_stage2_vm_destroy(struct armvmm_vm *vm)
{
	struct stage2 *s2 = &vm->stage2;

	armvmm_stage2_host_vm_destroy(vm);
	free_pages((unsigned long)s2->pgd, get_order(STAGE2_PGD_SIZE));
	free_percpu(s2->last_vcpu);
	s2->pgd = NULL;
	s2->last_vcpu = NULL;
}
