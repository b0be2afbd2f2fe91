// SPDX-License-Identifier: GPL-2.0-only
/*
 * Coalesced MMIO. The ring is the client's memory as much as ours: its indices are read once and
 * checked, and nothing but the address and the data of guest writes goes there.
 */
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "compat/compat.h"
#include "core/iobus.h"
#include "core/state.h"
#include "mmio/coalesced.h"

struct armvmm_coalesced {
	spinlock_t lock;		/* writers of the ring */
	struct kvm_coalesced_mmio_ring *ring;
	struct list_head zones;		/* vm->slots_lock */
};

struct coalesced_zone {
	struct list_head list;
	struct armvmm_iodev dev;
	u64 addr;
	u32 size;
	u32 pio;
};

static bool coalesced_covers(const struct coalesced_zone *zone, u64 addr, u32 len)
{
	return addr >= zone->addr && addr - zone->addr <= zone->size &&
	       len <= zone->size - (addr - zone->addr);
}

/* One entry stays unused, so that a full ring is not an empty one. */
static int coalesced_push(struct armvmm_coalesced *c, u64 addr, unsigned int len, const void *val)
{
	struct kvm_coalesced_mmio_ring *ring = c->ring;
	u32 last = READ_ONCE(ring->last), next;
	struct kvm_coalesced_mmio *entry;

	lockdep_assert_held(&c->lock);
	if (last >= KVM_COALESCED_MMIO_MAX)
		return -EOPNOTSUPP;
	next = (last + 1) % KVM_COALESCED_MMIO_MAX;
	if (next == READ_ONCE(ring->first))
		return -EOPNOTSUPP;
	/* The client has done with the entry before it moved first on. */
	smp_mb();
	entry = &ring->coalesced_mmio[array_index_nospec(last, KVM_COALESCED_MMIO_MAX)];
	entry->phys_addr = addr;
	entry->len = len;
	entry->pio = 0;
	memset(entry->data, 0, sizeof(entry->data));
	memcpy(entry->data, val, len);
	/* Pairs with the barrier of the client between last and the entry. */
	smp_store_release(&ring->last, next);
	return 0;
}

static int coalesced_write(struct armvmm_vcpu *vcpu, struct armvmm_iodev *dev, u64 addr,
			   unsigned int len, const void *val)
{
	struct coalesced_zone *zone = container_of(dev, struct coalesced_zone, dev);
	struct armvmm_coalesced *c = vcpu->vm->coalesced;
	int ret;

	if (zone->pio || len > sizeof(c->ring->coalesced_mmio[0].data) ||
	    !coalesced_covers(zone, addr, len))
		return -EOPNOTSUPP;
	spin_lock(&c->lock);
	ret = coalesced_push(c, addr, len, val);
	spin_unlock(&c->lock);
	return ret;
}

/* With the VM, whose list of them is no more looked at. */
static void coalesced_destroy(struct armvmm_iodev *dev)
{
	kfree(container_of(dev, struct coalesced_zone, dev));
}

static const struct armvmm_iodev_ops coalesced_ops = {
	.write = coalesced_write,
	.destroy = coalesced_destroy,
};

int armvmm_coalesced_register(struct armvmm_vm *vm, const struct kvm_coalesced_mmio_zone *args)
{
	struct coalesced_zone *zone;
	int ret;

	if (args->pio > 1)
		return -EINVAL;
	zone = kzalloc(sizeof(*zone), GFP_KERNEL_ACCOUNT);
	if (!zone)
		return -ENOMEM;
	zone->addr = args->addr;
	zone->size = args->size;
	zone->pio = args->pio;
	zone->dev.ops = &coalesced_ops;
	zone->dev.base = zone->addr;
	zone->dev.size = zone->size;
	/* Those of the port space stand on the bus out of reach: IPAs have 40 bits. */
	if (zone->pio) {
		zone->dev.base = ~0ULL;
		zone->dev.size = 1;
	}

	mutex_lock(&vm->slots_lock);
	ret = armvmm_iobus_register(vm, &zone->dev);
	if (!ret)
		list_add_tail(&zone->list, &vm->coalesced->zones);
	mutex_unlock(&vm->slots_lock);
	if (ret)
		kfree(zone);
	return ret;
}

int armvmm_coalesced_unregister(struct armvmm_vm *vm, const struct kvm_coalesced_mmio_zone *args)
{
	struct coalesced_zone *zone, *tmp;

	if (args->pio > 1)
		return -EINVAL;
	mutex_lock(&vm->slots_lock);
	list_for_each_entry_safe(zone, tmp, &vm->coalesced->zones, list) {
		if (zone->pio != args->pio || !coalesced_covers(zone, args->addr, args->size))
			continue;
		/* Each zone of the list is on the bus: it goes for sure. */
		armvmm_iobus_unregister(vm, &zone->dev);
		list_del(&zone->list);
		kfree(zone);
	}
	mutex_unlock(&vm->slots_lock);
	return 0;
}

struct page *armvmm_coalesced_page(struct armvmm_vm *vm)
{
	return virt_to_page(vm->coalesced->ring);
}

int armvmm_coalesced_vm_init(struct armvmm_vm *vm)
{
	struct armvmm_coalesced *c = kzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);

	if (!c)
		return -ENOMEM;
	c->ring = (struct kvm_coalesced_mmio_ring *)get_zeroed_page(COMPAT_GFP_MAPPED);
	if (!c->ring) {
		kfree(c);
		return -ENOMEM;
	}
	spin_lock_init(&c->lock);
	INIT_LIST_HEAD(&c->zones);
	vm->coalesced = c;
	return 0;
}

/* A client that has the page mapped keeps it until it unmaps it. */
void armvmm_coalesced_vm_destroy(struct armvmm_vm *vm)
{
	if (!vm->coalesced)
		return;
	free_page((unsigned long)vm->coalesced->ring);
	kfree(vm->coalesced);
	vm->coalesced = NULL;
}
