// SPDX-License-Identifier: GPL-2.0-only
/* ioeventfd: a guest's write to an address does nothing but signal an eventfd. */
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/kernel.h>
#include <linux/rbtree.h>
#include <linux/rcupdate.h>
#include <linux/seqlock.h>
#include <linux/slab.h>
#include <linux/srcu.h>

#include "compat/compat.h"
#include "core/iobus.h"
#include "core/state.h"
#include "eventfd/eventfd.h"
#include "eventfd/eventfd_private.h"
#include "mmio/coalesced.h"

/* RLIMIT_NOFILE is no bound: an ioeventfd holds its eventfd after the descriptor is closed. */
#define IOEVENTFD_MAX	4096

/* Arm has only MMIO. As in KVM, an ioeventfd on another bus is accepted, and never fires. */
enum ioeventfd_bus {
	IOEVENTFD_MMIO,
	IOEVENTFD_PIO,
	IOEVENTFD_CCW,
};

/*
 * The order of the tree. At each address, an ioeventfd without a length comes last; within a
 * length, one that any data matches comes last. No other can be there beside them
 * (ioeventfd_collides). So the first one that is not before a write's key is the only one that the
 * write can signal.
 */
struct ioeventfd_key {
	u64 addr;
	u64 data;
	u16 order;		/* bus, then length */
};

#define IOEVENTFD_NO_LENGTH	0xff

struct ioeventfd {
	struct rb_node node;
	struct ioeventfd_key key;
	struct eventfd_ctx *ctx;
	u64 addr;
	u32 len;
	u64 datamatch;
	bool wildcard;		/* any data matches */
	enum ioeventfd_bus bus;
};

static u16 ioeventfd_order(enum ioeventfd_bus bus, u32 len)
{
	return bus << 8 | len;
}

static int ioeventfd_compare(const struct ioeventfd_key *a, const struct ioeventfd_key *b)
{
	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	return a->data < b->data ? -1 : a->data > b->data;
}

/*
 * The first ioeventfd that is not before @key. Without slots_lock the tree may change meanwhile:
 * the search may miss one (linux/lib/rbtree.c, "lockless lookups"), but it ends, and what it finds
 * is in the tree.
 */
static struct ioeventfd *ioeventfd_find(const struct armvmm_eventfds *e,
					const struct ioeventfd_key *key)
{
	struct rb_node *node = rcu_dereference_raw(e->ioeventfds.rb_node);
	struct ioeventfd *io, *found = NULL;

	while (node) {
		io = rb_entry(node, struct ioeventfd, node);
		if (ioeventfd_compare(&io->key, key) < 0) {
			node = rcu_dereference_raw(node->rb_right);
		} else {
			found = io;
			node = rcu_dereference_raw(node->rb_left);
		}
	}
	return found;
}

static bool ioeventfd_matches(const struct ioeventfd *io, u64 addr, unsigned int len, u64 data)
{
	if (io->bus != IOEVENTFD_MMIO || addr != io->addr)
		return false;
	if (!io->len)
		return true;
	return len == io->len && (io->wildcard || data == io->datamatch);
}

/* The value that a write of @len bytes carries: @val is little-endian. */
static u64 ioeventfd_data(const void *val, unsigned int len)
{
	const u8 *bytes = val;
	u64 data = 0;
	u32 word;

	if (likely(len == sizeof(word))) {
		memcpy(&word, val, sizeof(word));
		return word;
	}
	while (len--)
		data = data << 8 | bytes[len];
	return data;
}

/*
 * The ioeventfd that the write signals, or NULL. The search passes it on its way down: a match ends
 * the search, no matter what else changes in the tree meanwhile.
 */
static struct ioeventfd *ioeventfd_hit(const struct armvmm_eventfds *e, u64 addr,
				       unsigned int len, u64 data)
{
	struct rb_node *node = rcu_dereference_raw(e->ioeventfds.rb_node);
	u16 order = ioeventfd_order(IOEVENTFD_MMIO, len);
	struct ioeventfd *io;
	bool before;

	while (node) {
		io = rb_entry(node, struct ioeventfd, node);
		if (io->addr != addr) {
			before = io->addr < addr;
		} else if (ioeventfd_matches(io, addr, len, data)) {
			return io;
		} else {
			before = io->key.order < order ||
				 (io->key.order == order && io->key.data < data);
		}
		node = rcu_dereference_raw(*(before ? &node->rb_right : &node->rb_left));
	}
	return NULL;
}

static int ioeventfd_write(struct armvmm_vcpu *vcpu, struct armvmm_iodev *dev, u64 addr,
			   unsigned int len, const void *val)
{
	struct armvmm_eventfds *e = vcpu->vm->eventfds;
	struct ioeventfd *io;
	unsigned int seq;
	u64 data;

	if (len > sizeof(u64))
		return -EOPNOTSUPP;
	data = ioeventfd_data(val, len);
	do {
		seq = read_seqcount_begin(&e->ioeventfd_seq);
		io = ioeventfd_hit(e, addr, len, data);
		if (likely(io)) {
			eventfd_signal(io->ctx);
			return 0;
		}
	} while (read_seqcount_retry(&e->ioeventfd_seq, seq));
	return -EOPNOTSUPP;
}

/* Each takes writes at its own address, whatever their length. */
static bool ioeventfd_takes_write(struct armvmm_vm *vm, u64 addr, u64 end)
{
	struct ioeventfd_key key = { .addr = addr };
	struct ioeventfd *io;

	lockdep_assert_held(&vm->slots_lock);
	io = ioeventfd_find(vm->eventfds, &key);
	return io && io->addr < end;
}

static const struct armvmm_iodev_ops ioeventfd_ops = {
	.write = ioeventfd_write,
	.takes_write = ioeventfd_takes_write,
};

static void ioeventfd_free(struct ioeventfd *io)
{
	eventfd_ctx_put(io->ctx);
	kfree(io);
}

/* True if one write could signal both @new and an ioeventfd that exists. */
static bool ioeventfd_collides(const struct armvmm_eventfds *e, const struct ioeventfd *new)
{
	struct ioeventfd_key key = {
		.addr = new->addr, .data = new->datamatch,
		.order = ioeventfd_order(new->bus, new->len),
	};
	struct ioeventfd *io = ioeventfd_find(e, &key);

	if (!io || io->bus != new->bus || io->addr != new->addr)
		return false;
	if (!io->len || !new->len)
		return true;
	return io->len == new->len &&
	       (io->wildcard || new->wildcard || io->datamatch == new->datamatch);
}

/* A writer may have IRQs on, but must not be scheduled out: readers would wait for it. */
static void ioeventfd_change_begin(struct armvmm_eventfds *e)
{
	preempt_disable();
	write_seqcount_begin(&e->ioeventfd_seq);
}

static void ioeventfd_change_end(struct armvmm_eventfds *e)
{
	write_seqcount_end(&e->ioeventfd_seq);
	preempt_enable();
}

static void ioeventfd_insert(struct armvmm_vm *vm, struct ioeventfd *new)
{
	struct armvmm_eventfds *e = vm->eventfds;
	struct rb_node **link = &e->ioeventfds.rb_node, *parent = NULL;
	struct ioeventfd *io;

	lockdep_assert_held(&vm->slots_lock);
	ioeventfd_change_begin(e);
	while (*link) {
		parent = *link;
		io = rb_entry(parent, struct ioeventfd, node);
		if (ioeventfd_compare(&new->key, &io->key) < 0)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node_rcu(&new->node, parent, link);
	rb_insert_color(&new->node, &e->ioeventfds);
	ioeventfd_change_end(e);
	if (!e->nr_ioeventfds++)
		armvmm_iobus_register(vm, ARMVMM_IOBUS_IOEVENTFDS, &e->ioeventfd_dev);
}

/* When this returns, no write finds the ioeventfd any more. */
static void ioeventfd_remove(struct armvmm_vm *vm, struct ioeventfd *io)
{
	struct armvmm_eventfds *e = vm->eventfds;

	lockdep_assert_held(&vm->slots_lock);
	ioeventfd_change_begin(e);
	rb_erase(&io->node, &e->ioeventfds);
	ioeventfd_change_end(e);
	if (--e->nr_ioeventfds)
		synchronize_srcu_expedited(&vm->srcu);
	else
		armvmm_iobus_unregister(vm, ARMVMM_IOBUS_IOEVENTFDS);
}

static enum ioeventfd_bus ioeventfd_bus(const struct kvm_ioeventfd *args)
{
	if (args->flags & KVM_IOEVENTFD_FLAG_PIO)
		return IOEVENTFD_PIO;
	return args->flags & KVM_IOEVENTFD_FLAG_VIRTIO_CCW_NOTIFY ? IOEVENTFD_CCW : IOEVENTFD_MMIO;
}

static struct ioeventfd_key ioeventfd_key(const struct kvm_ioeventfd *args)
{
	return (struct ioeventfd_key){
		.addr = args->addr,
		.data = args->flags & KVM_IOEVENTFD_FLAG_DATAMATCH ? args->datamatch : ~0ULL,
		.order = ioeventfd_order(ioeventfd_bus(args), args->len ?: IOEVENTFD_NO_LENGTH),
	};
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
	io->key = ioeventfd_key(args);

	mutex_lock(&vm->slots_lock);
	if (ioeventfd_collides(vm->eventfds, io)) {
		err = -EEXIST;
		goto err_unlock;
	}
	if (vm->eventfds->nr_ioeventfds == IOEVENTFD_MAX) {
		err = -ENOSPC;
		goto err_unlock;
	}
	ioeventfd_insert(vm, io);
	/* HYP mode posts no write that the ioeventfd may take, from here on. */
	armvmm_coalesced_look(vm);
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
	struct ioeventfd_key key = ioeventfd_key(args);
	struct eventfd_ctx *ctx = eventfd_ctx_fdget(args->fd);
	struct ioeventfd *io;
	int err = -ENOENT;

	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	mutex_lock(&vm->slots_lock);
	io = ioeventfd_find(vm->eventfds, &key);
	if (io && ioeventfd_is(io, args, ctx)) {
		ioeventfd_remove(vm, io);
		armvmm_coalesced_look(vm);
		ioeventfd_free(io);
		err = 0;
	}
	mutex_unlock(&vm->slots_lock);
	eventfd_ctx_put(ctx);
	return err;
}

void armvmm_ioeventfd_vm_init(struct armvmm_eventfds *e)
{
	e->ioeventfds = RB_ROOT;
	seqcount_init(&e->ioeventfd_seq);
	e->ioeventfd_dev.ops = &ioeventfd_ops;
	e->ioeventfd_dev.size = ~0ULL;
}

void armvmm_ioeventfd_vm_destroy(struct armvmm_vm *vm)
{
	struct ioeventfd *io, *tmp;

	rbtree_postorder_for_each_entry_safe(io, tmp, &vm->eventfds->ioeventfds, node)
		ioeventfd_free(io);
}

int armvmm_ioeventfd(struct armvmm_vm *vm, const struct kvm_ioeventfd *args)
{
	if (args->flags & KVM_IOEVENTFD_FLAG_DEASSIGN)
		return ioeventfd_deassign(vm, args);
	return ioeventfd_assign(vm, args);
}
