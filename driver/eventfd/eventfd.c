// SPDX-License-Identifier: GPL-2.0-only
/* The life of a VM's eventfds. */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "core/state.h"
#include "eventfd/eventfd.h"
#include "eventfd/eventfd_private.h"
#include "eventfd/irqroute.h"

int armvmm_eventfd_vm_init(struct armvmm_vm *vm)
{
	struct armvmm_eventfds *e = kzalloc(sizeof(*e), GFP_KERNEL_ACCOUNT);

	if (!e)
		return -ENOMEM;
	spin_lock_init(&e->lock);
	e->irqfds = RB_ROOT;
	mutex_init(&e->resample_lock);
	INIT_LIST_HEAD(&e->resample_irqfds);
	armvmm_ioeventfd_vm_init(e);
	vm->eventfds = e;
	return 0;
}

void armvmm_eventfd_vm_release(struct armvmm_vm *vm)
{
	if (vm->eventfds)
		armvmm_irqfd_release(vm);
}

void armvmm_eventfd_vm_destroy(struct armvmm_vm *vm)
{
	if (vm->eventfds) {
		armvmm_irqroute_vm_destroy(vm);
		armvmm_ioeventfd_vm_destroy(vm);
		kvfree(vm->eventfds->resample_at);
	}
	kfree(vm->eventfds);
	vm->eventfds = NULL;
}

int armvmm_eventfd_init(void)
{
	return armvmm_irqfd_init();
}

void armvmm_eventfd_exit(void)
{
	armvmm_irqfd_exit();
}
