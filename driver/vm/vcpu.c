// SPDX-License-Identifier: GPL-2.0-only
/* A virtual CPU's life. */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "compat/compat.h"
#include "core/state.h"
#include "host/hypmap.h"
#include "mmio/coalesced.h"
#include "mmio/mirror.h"
#include "pmu/pmu.h"
#include "timer/timer.h"
#include "vgic/loaded.h"
#include "vgic/vgic.h"
#include "vm/vcpu.h"

struct armvmm_vcpu *armvmm_vcpu_alloc(struct armvmm_vm *vm, unsigned int id)
{
	struct armvmm_vcpu *vcpu = kzalloc(sizeof(*vcpu), GFP_KERNEL_ACCOUNT);
	int ret = -ENOMEM;

	if (!vcpu)
		return ERR_PTR(-ENOMEM);
	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->last_cpu = -1;
	vcpu->loaded_cpu = -1;
	mutex_init(&vcpu->mutex);
	rcuwait_init(&vcpu->wait);
	spin_lock_init(&vcpu->start_lock);

	vcpu->run = (struct kvm_run *)get_zeroed_page(COMPAT_GFP_MAPPED);
	if (!vcpu->run)
		goto err_run;
	vcpu->hyp = armvmm_hypmap_alloc(sizeof(*vcpu->hyp));
	if (!vcpu->hyp)
		goto err_hyp;
	vcpu->hyp->mirrors = armvmm_mirror_in_hyp(vm);
	vcpu->hyp->zones = armvmm_coalesced_in_hyp(vm);
	ret = armvmm_vgic_vcpu_create(vcpu);
	if (ret)
		goto err_vgic;
	armvmm_timer_vcpu_init(vcpu);
	return vcpu;

err_vgic:
	armvmm_hypmap_free(vcpu->hyp, sizeof(*vcpu->hyp));
err_hyp:
	free_page((unsigned long)vcpu->run);
err_run:
	kfree(vcpu);
	return ERR_PTR(ret);
}

void armvmm_vcpu_destroy(struct armvmm_vcpu *vcpu)
{
	armvmm_vgic_unload(vcpu);
	armvmm_pmu_vcpu_destroy(vcpu);
	armvmm_timer_vcpu_destroy(vcpu);
	armvmm_vgic_vcpu_destroy(vcpu);
	armvmm_hypmap_free(vcpu->hyp, sizeof(*vcpu->hyp));
	free_page((unsigned long)vcpu->run);
	kfree(vcpu);
}
