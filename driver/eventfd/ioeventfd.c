// SPDX-License-Identifier: GPL-2.0-only
/* ioeventfd: a guest's write to an address signals an eventfd, and no more. */
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/kernel.h>
#include <linux/slab.h>

#include "compat/compat.h"
#include "core/iobus.h"
#include "core/state.h"
#include "eventfd/eventfd.h"
#include "eventfd/eventfd_private.h"

/* Each holds its eventfd when no descriptor does any more: a client's limits do not bound them. */
#define IOEVENTFD_MAX	4096

/* There is nothing but MMIO on Arm: what waits on another bus, as KVM allows, never fires. */
enum ioeventfd_bus {
	IOEVENTFD_MMIO,
	IOEVENTFD_PIO,
	IOEVENTFD_CCW,
};

struct ioeventfd {
	struct list_head list;
	struct armvmm_iodev dev;
	struct eventfd_ctx *ctx;
	u64 addr;
	u32 len;
	u64 datamatch;
	bool wildcard;		/* any data matches */
	enum ioeventfd_bus bus;
};

static bool ioeventfd_matches(const struct ioeventfd *io, u64 addr, unsigned int len,
			      const void *val)
{
	u64 data = 0;

	if (addr != io->addr)
		return false;
	if (!io->len)
		return true;
	if (len != io->len)
		return false;
	if (io->wildcard)
		return true;
	/* Little-endian memory: the low bytes of a u64 come first. */
	memcpy(&data, val, len);
	return data == io->datamatch;
}

static int ioeventfd_write(struct armvmm_vcpu *vcpu, struct armvmm_iodev *dev, u64 addr,
			   unsigned int len, const void *val)
{
	struct ioeventfd *io = container_of(dev, struct ioeventfd, dev);

	if (len > sizeof(u64) || !ioeventfd_matches(io, addr, len, val))
		return -EOPNOTSUPP;
	compat_eventfd_signal(io->ctx);
	return 0;
}

static void ioeventfd_free(struct ioeventfd *io)
{
	eventfd_ctx_put(io->ctx);
	kfree(io);
}

/* With the VM, whose list of them is no more looked at. */
static void ioeventfd_destroy(struct armvmm_iodev *dev)
{
	ioeventfd_free(container_of(dev, struct ioeventfd, dev));
}

static const struct armvmm_iodev_ops ioeventfd_ops = {
	.write = ioeventfd_write,
	.destroy = ioeventfd_destroy,
};

/* Two that one write could signal. */
static bool ioeventfd_collides(struct armvmm_vm *vm, const struct ioeventfd *new)
{
	struct ioeventfd *io;

	list_for_each_entry(io, &vm->eventfds->ioeventfds, list) {
		if (io->bus != new->bus || io->addr != new->addr)
			continue;
		if (!io->len || !new->len)
			return true;
		if (io->len == new->len &&
		    (io->wildcard || new->wildcard || io->datamatch == new->datamatch))
			return true;
	}
	return false;
}

static enum ioeventfd_bus ioeventfd_bus(const struct kvm_ioeventfd *args)
{
	if (args->flags & KVM_IOEVENTFD_FLAG_PIO)
		return IOEVENTFD_PIO;
	return args->flags & KVM_IOEVENTFD_FLAG_VIRTIO_CCW_NOTIFY ? IOEVENTFD_CCW : IOEVENTFD_MMIO;
}

static int ioeventfd_check(const struct kvm_ioeventfd *args)
{
	switch (args->len) {
	case 0:
	case 1:
	case 2:
	case 4:
	case 8:
		break;
	default:
		return -EINVAL;
	}
	if (args->addr + args->len < args->addr)
		return -EINVAL;
	if (args->flags & ~KVM_IOEVENTFD_VALID_FLAG_MASK)
		return -EINVAL;
	/* Without a length there is no data to match. */
	if (!args->len && (args->flags & KVM_IOEVENTFD_FLAG_DATAMATCH))
		return -EINVAL;
	return 0;
}

static int ioeventfd_assign(struct armvmm_vm *vm, const struct kvm_ioeventfd *args)
{
	struct eventfd_ctx *ctx;
	struct ioeventfd *io;
	int err;

	err = ioeventfd_check(args);
	if (err)
		return err;
	ctx = eventfd_ctx_fdget(args->fd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	io = kzalloc(sizeof(*io), GFP_KERNEL_ACCOUNT);
	if (!io) {
		err = -ENOMEM;
		goto err_ctx;
	}
	io->ctx = ctx;
	io->addr = args->addr;
	io->len = args->len;
	io->wildcard = !(args->flags & KVM_IOEVENTFD_FLAG_DATAMATCH);
	io->datamatch = io->wildcard ? 0 : args->datamatch;
	io->bus = ioeventfd_bus(args);
	io->dev.ops = &ioeventfd_ops;
	io->dev.base = args->addr;
	io->dev.size = args->len;
	io->dev.unlimited = true;

	mutex_lock(&vm->slots_lock);
	if (ioeventfd_collides(vm, io)) {
		err = -EEXIST;
		goto err_unlock;
	}
	if (vm->eventfds->nr_ioeventfds == IOEVENTFD_MAX) {
		err = -ENOSPC;
		goto err_unlock;
	}
	/* Those of no bus here stand out of reach: IPAs have 40 bits. */
	if (io->bus != IOEVENTFD_MMIO) {
		io->dev.base = ~0ULL;
		io->dev.size = 1;
	}
	err = armvmm_iobus_register(vm, &io->dev);
	if (err)
		goto err_unlock;
	list_add_tail(&io->list, &vm->eventfds->ioeventfds);
	vm->eventfds->nr_ioeventfds++;
	mutex_unlock(&vm->slots_lock);
	return 0;

err_unlock:
	mutex_unlock(&vm->slots_lock);
	kfree(io);
err_ctx:
	eventfd_ctx_put(ctx);
	return err;
}

static bool ioeventfd_is(const struct ioeventfd *io, const struct kvm_ioeventfd *args,
			 const struct eventfd_ctx *ctx)
{
	bool wildcard = !(args->flags & KVM_IOEVENTFD_FLAG_DATAMATCH);

	return io->ctx == ctx && io->bus == ioeventfd_bus(args) && io->addr == args->addr &&
	       io->len == args->len && io->wildcard == wildcard &&
	       (wildcard || io->datamatch == args->datamatch);
}

static int ioeventfd_deassign(struct armvmm_vm *vm, const struct kvm_ioeventfd *args)
{
	struct eventfd_ctx *ctx = eventfd_ctx_fdget(args->fd);
	struct ioeventfd *io;
	int err = -ENOENT;

	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	mutex_lock(&vm->slots_lock);
	list_for_each_entry(io, &vm->eventfds->ioeventfds, list) {
		if (!ioeventfd_is(io, args, ctx))
			continue;
		err = armvmm_iobus_unregister(vm, &io->dev);
		if (!err) {
			list_del(&io->list);
			vm->eventfds->nr_ioeventfds--;
			ioeventfd_free(io);
		}
		break;
	}
	mutex_unlock(&vm->slots_lock);
	eventfd_ctx_put(ctx);
	return err;
}

int armvmm_ioeventfd(struct armvmm_vm *vm, const struct kvm_ioeventfd *args)
{
	if (args->flags & KVM_IOEVENTFD_FLAG_DEASSIGN)
		return ioeventfd_deassign(vm, args);
	return ioeventfd_assign(vm, args);
}
