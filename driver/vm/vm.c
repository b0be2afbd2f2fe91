// SPDX-License-Identifier: GPL-2.0-only
/* A virtual machine's life. */
#include <linux/kernel.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "core/state.h"
#include "eventfd/eventfd.h"
#include "mem/memslot.h"
#include "mem/stage2.h"
#include "mmio/coalesced.h"
#include "mmio/mirror.h"
#include "timer/timer.h"
#include "vgic/vgic.h"
#include "vm/hibernate.h"
#include "vm/owner.h"
#include "vm/stat.h"
#include "vm/suspend.h"
#include "vm/vcpu.h"
#include "vm/vm.h"

static void vm_destroy(struct armvmm_vm *vm)
{
	int i;

	armvmm_stat_vm_del(vm);
	armvmm_suspend_vm_del(vm);
	/* No vCPU runs and no notifier comes any more: tables and slots may go. */
	armvmm_stage2_vm_release(vm);
	armvmm_eventfd_vm_destroy(vm);
	for (i = 0; i < vm->online_vcpus; i++)
		armvmm_vcpu_destroy(vm->vcpus[i]);
	armvmm_vgic_vm_destroy(vm);
	armvmm_mirror_vm_destroy(vm);
	armvmm_coalesced_vm_destroy(vm);
	armvmm_memslot_vm_destroy(vm);
	armvmm_stage2_vm_destroy(vm);
	cleanup_srcu_struct(&vm->srcu);
	mmdrop(vm->mm);
	armvmm_owner_uncharge(vm->owner);
	kfree(vm);
	armvmm_hibernate_vm_del();
}

void armvmm_vm_get(struct armvmm_vm *vm)
{
	refcount_inc(&vm->users);
}

void armvmm_vm_put(struct armvmm_vm *vm)
{
	if (refcount_dec_and_test(&vm->users))
		vm_destroy(vm);
}

struct armvmm_vm *armvmm_vm_alloc(struct file *node)
{
	struct armvmm_vm *vm;
	int ret = armvmm_hibernate_vm_add();

	if (ret)
		return ERR_PTR(ret);
	vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	if (!vm) {
		ret = -ENOMEM;
		goto err_alloc;
	}
	ret = armvmm_owner_charge(node, &vm->owner);
	if (ret)
		goto err_owner;
	refcount_set(&vm->users, 1);
	mutex_init(&vm->lock);
	mutex_init(&vm->slots_lock);
	vm->mm = current->mm;
	mmgrab(vm->mm);

	ret = init_srcu_struct(&vm->srcu);
	if (ret)
		goto err_srcu;
	ret = armvmm_memslot_vm_init(vm);
	if (ret)
		goto err_memslot;
	ret = armvmm_eventfd_vm_init(vm);
	if (ret)
		goto err_eventfd;
	ret = armvmm_coalesced_vm_init(vm);
	if (ret)
		goto err_coalesced;
	ret = armvmm_mirror_vm_init(vm);
	if (ret)
		goto err_mirror;
	armvmm_timer_vm_init(vm);
	armvmm_vgic_vm_init(vm);
	/* From here on the notifier looks at all of it. */
	ret = armvmm_stage2_vm_init(vm);
	if (ret)
		goto err_stage2;
	armvmm_suspend_vm_add(vm);
	return vm;

err_stage2:
	armvmm_mirror_vm_destroy(vm);
err_mirror:
	armvmm_coalesced_vm_destroy(vm);
err_coalesced:
	armvmm_eventfd_vm_destroy(vm);
err_eventfd:
	armvmm_memslot_vm_destroy(vm);
err_memslot:
	cleanup_srcu_struct(&vm->srcu);
err_srcu:
	mmdrop(vm->mm);
	armvmm_owner_uncharge(vm->owner);
err_owner:
	kfree(vm);
err_alloc:
	armvmm_hibernate_vm_del();
	return ERR_PTR(ret);
}
