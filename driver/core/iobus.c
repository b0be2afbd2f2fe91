// SPDX-License-Identifier: GPL-2.0-only
/* In-kernel devices of a VM's MMIO space. An access takes no lock (vm->srcu). */
#include <linux/kernel.h>
#include <linux/srcu.h>

#include "core/iobus.h"
#include "core/state.h"

static bool iobus_covers(const struct armvmm_iodev *dev, u64 addr, unsigned int len)
{
	u64 offset = addr - dev->base;

	/* No device wraps around: for an address below its base the offset is beyond its size. */
	return offset < dev->size && offset + len <= dev->size;
}

void armvmm_iobus_register(struct armvmm_vm *vm, enum armvmm_iobus_place place,
			   struct armvmm_iodev *dev)
{
	lockdep_assert_held(&vm->slots_lock);
	rcu_assign_pointer(vm->mmio_bus.dev[place], dev);
}

void armvmm_iobus_unregister(struct armvmm_vm *vm, enum armvmm_iobus_place place)
{
	lockdep_assert_held(&vm->slots_lock);
	RCU_INIT_POINTER(vm->mmio_bus.dev[place], NULL);
	synchronize_srcu_expedited(&vm->srcu);
}

static struct armvmm_iodev *iobus_dev(struct armvmm_vm *vm, unsigned int place)
{
	return srcu_dereference(vm->mmio_bus.dev[place], &vm->srcu);
}

bool armvmm_iobus_taken(struct armvmm_vm *vm, enum armvmm_iobus_place place, bool is_write,
			u64 addr, u64 size)
{
	struct armvmm_iodev *dev;
	unsigned int i;

	for (i = 0; i < place; i++) {
		dev = srcu_dereference_check(vm->mmio_bus.dev[i], &vm->srcu,
					     lockdep_is_held(&vm->slots_lock));
		if (!dev || !(is_write ? !!dev->ops->write : !!dev->ops->read))
			continue;
		if (addr >= dev->base + dev->size || dev->base >= addr + size)
			continue;
		if (!is_write || !dev->ops->takes_write ||
		    dev->ops->takes_write(vm, addr, addr + size))
			return true;
	}
	return false;
}

int armvmm_iobus_read(struct armvmm_vcpu *vcpu, u64 addr, unsigned int len, void *val)
{
	struct armvmm_iodev *dev;
	unsigned int i;
	int err;

	for (i = 0; i < ARMVMM_IOBUS_PLACES; i++) {
		dev = iobus_dev(vcpu->vm, i);
		if (!dev || !dev->ops->read || !iobus_covers(dev, addr, len))
			continue;
		err = dev->ops->read(vcpu, dev, addr, len, val);
		if (err != -EOPNOTSUPP)
			return err;
	}
	return -EOPNOTSUPP;
}

int armvmm_iobus_write(struct armvmm_vcpu *vcpu, u64 addr, unsigned int len, const void *val)
{
	struct armvmm_iodev *dev;
	unsigned int i;
	int err;

	for (i = 0; i < ARMVMM_IOBUS_PLACES; i++) {
		dev = iobus_dev(vcpu->vm, i);
		if (!dev || !dev->ops->write || !iobus_covers(dev, addr, len))
			continue;
		err = dev->ops->write(vcpu, dev, addr, len, val);
		if (err != -EOPNOTSUPP)
			return err;
	}
	return -EOPNOTSUPP;
}
