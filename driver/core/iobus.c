// SPDX-License-Identifier: GPL-2.0-only
/*
 * In-kernel devices of a VM's MMIO space. The list is a sorted array that is
 * replaced as a whole, so that an access takes no lock (vm->srcu).
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/srcu.h>

#include "core/iobus.h"
#include "core/state.h"

struct armvmm_iobus_range {
	unsigned int nr;
	struct armvmm_iodev *devs[];
};

/* A device of size zero answers at its one address, whatever the length. */
static bool iobus_covers(const struct armvmm_iodev *dev, u64 addr, unsigned int len)
{
	if (!dev->size)
		return addr == dev->base;
	return addr >= dev->base && addr - dev->base < dev->size &&
	       len <= dev->size - (addr - dev->base);
}

static struct armvmm_iobus_range *iobus_alloc(unsigned int nr)
{
	struct armvmm_iobus_range *range;

	range = kvmalloc(struct_size(range, devs, nr), GFP_KERNEL_ACCOUNT);
	if (range)
		range->nr = nr;
	return range;
}

static struct armvmm_iobus_range *iobus_range(struct armvmm_vm *vm)
{
	return rcu_dereference_protected(vm->mmio_bus.range, lockdep_is_held(&vm->slots_lock));
}

int armvmm_iobus_register(struct armvmm_vm *vm, struct armvmm_iodev *dev)
{
	struct armvmm_iobus_range *old = iobus_range(vm), *new;
	unsigned int nr = old ? old->nr : 0, i;

	lockdep_assert_held(&vm->slots_lock);
	if (!dev->unlimited && vm->mmio_bus.nr_limited >= ARMVMM_IOBUS_MAX_DEVS)
		return -ENOSPC;
	new = iobus_alloc(nr + 1);
	if (!new)
		return -ENOMEM;

	for (i = 0; i < nr && old->devs[i]->base <= dev->base; i++)
		new->devs[i] = old->devs[i];
	new->devs[i] = dev;
	for (; i < nr; i++)
		new->devs[i + 1] = old->devs[i];

	rcu_assign_pointer(vm->mmio_bus.range, new);
	vm->mmio_bus.nr_limited += !dev->unlimited;
	synchronize_srcu_expedited(&vm->srcu);
	kvfree(old);
	return 0;
}

int armvmm_iobus_unregister(struct armvmm_vm *vm, struct armvmm_iodev *dev)
{
	struct armvmm_iobus_range *old = iobus_range(vm), *new = NULL;
	unsigned int i, n = 0;

	lockdep_assert_held(&vm->slots_lock);
	for (i = 0; old && i < old->nr && old->devs[i] != dev; i++)
		;
	if (!old || i == old->nr)
		return -ENOENT;
	vm->mmio_bus.nr_limited -= !dev->unlimited;

	if (old->nr > 1) {
		new = iobus_alloc(old->nr - 1);
		if (!new) {
			/*
			 * The device must go all the same: the array stands
			 * shorter in place, once no reader looks at it.
			 */
			rcu_assign_pointer(vm->mmio_bus.range, NULL);
			synchronize_srcu_expedited(&vm->srcu);
			memmove(&old->devs[i], &old->devs[i + 1],
				(old->nr - 1 - i) * sizeof(old->devs[0]));
			old->nr--;
			rcu_assign_pointer(vm->mmio_bus.range, old);
			return 0;
		}
		for (i = 0; i < old->nr; i++)
			if (old->devs[i] != dev)
				new->devs[n++] = old->devs[i];
	}
	rcu_assign_pointer(vm->mmio_bus.range, new);
	synchronize_srcu_expedited(&vm->srcu);
	kvfree(old);
	return 0;
}

/* The last reference to the VM is gone: no vCPU, no lock is left. */
void armvmm_iobus_destroy(struct armvmm_vm *vm)
{
	struct armvmm_iobus_range *range = rcu_dereference_protected(vm->mmio_bus.range, 1);
	unsigned int i;

	for (i = 0; range && i < range->nr; i++)
		if (range->devs[i]->ops->destroy)
			range->devs[i]->ops->destroy(range->devs[i]);
	kvfree(range);
	RCU_INIT_POINTER(vm->mmio_bus.range, NULL);
}

int armvmm_iobus_read(struct armvmm_vcpu *vcpu, u64 addr, unsigned int len, void *val)
{
	struct armvmm_iobus_range *range =
		srcu_dereference(vcpu->vm->mmio_bus.range, &vcpu->vm->srcu);
	unsigned int i;
	int err;

	for (i = 0; range && i < range->nr && range->devs[i]->base <= addr; i++) {
		struct armvmm_iodev *dev = range->devs[i];

		if (!dev->ops->read || !iobus_covers(dev, addr, len))
			continue;
		err = dev->ops->read(vcpu, dev, addr, len, val);
		if (err != -EOPNOTSUPP)
			return err;
	}
	return -EOPNOTSUPP;
}

int armvmm_iobus_write(struct armvmm_vcpu *vcpu, u64 addr, unsigned int len, const void *val)
{
	struct armvmm_iobus_range *range =
		srcu_dereference(vcpu->vm->mmio_bus.range, &vcpu->vm->srcu);
	unsigned int i;
	int err;

	for (i = 0; range && i < range->nr && range->devs[i]->base <= addr; i++) {
		struct armvmm_iodev *dev = range->devs[i];

		if (!dev->ops->write || !iobus_covers(dev, addr, len))
			continue;
		err = dev->ops->write(vcpu, dev, addr, len, val);
		if (err != -EOPNOTSUPP)
			return err;
	}
	return -EOPNOTSUPP;
}
