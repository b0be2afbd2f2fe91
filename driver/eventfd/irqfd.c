// SPDX-License-Identifier: GPL-2.0-only
/*
 * irqfd: an eventfd that raises an SPI. A signal is a pulse. With a resampler the
 * line stays up until the guest has ended the interrupt, and then a second eventfd
 * is signalled.
 *
 * An irqfd ends by deassignment, by the last close of its eventfd (EPOLLHUP) or
 * with the VM. Whoever takes it out of the tree, under eventfds->lock, queues its
 * clean-up, once. Clean-up may sleep, so it runs from a workqueue; a count says when those
 * of the VM are gone. The VM outlives its irqfds: armvmm_irqfd_release().
 */
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/rbtree.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/wait_bit.h>
#include <linux/workqueue.h>

#include "arch/gic.h"
#include "compat/compat.h"
#include "core/state.h"
#include "eventfd/eventfd.h"
#include "eventfd/eventfd_private.h"
#include "eventfd/irqroute.h"
#include "vgic/vgic.h"

/* RLIMIT_NOFILE is no bound: it limits each table of descriptors, and a process can have many. */
#define IRQFD_MAX	4096

struct irqfd {
	struct armvmm_vm *vm;
	struct rb_node node;		/* eventfds->irqfds, by ctx; empty: being cleaned up */
	struct eventfd_ctx *ctx;	/* of this irqfd alone within the VM */
	unsigned int gsi;
	wait_queue_entry_t wait;
	poll_table pt;
	struct work_struct cleanup;

	/* With resample only */
	struct list_head resample_list;	/* eventfds->resample_irqfds */
	struct hlist_node resample_node;	/* eventfds->resample_at[pin], rcu */
	unsigned int pin;		/* by the routes; ARMVMM_NO_PIN: on none of those lists */
	struct eventfd_ctx *resample_ctx;
	struct work_struct resample;
};

static struct workqueue_struct *irqfd_wq;

/* As in KVM, a pin without an SPI is accepted, and raises nothing. */
static void irqfd_set_pin(struct armvmm_vm *vm, unsigned int pin, bool level)
{
	if (pin != ARMVMM_NO_PIN)
		armvmm_vgic_inject(vm, NULL, armvmm_eventfd_intid(pin), level, NULL);
}

/* Raises and lowers by one and the same route: irqroute_install() waits for readers. */
static void irqfd_inject(struct irqfd *irqfd)
{
	unsigned int pin;

	rcu_read_lock();
	pin = armvmm_irqroute_pin(irqfd->vm, irqfd->gsi);
	irqfd_set_pin(irqfd->vm, pin, true);
	if (!irqfd->resample_ctx)
		irqfd_set_pin(irqfd->vm, pin, false);
	rcu_read_unlock();
}

/* A work item: eventfd_signal() may sleep on PREEMPT_RT, and the ack comes in atomic context. */
static void irqfd_resample_work(struct work_struct *work)
{
	struct irqfd *irqfd = container_of(work, struct irqfd, resample);

	eventfd_signal(irqfd->resample_ctx);
}

/* All resampling irqfds of a pin share the line: it falls, and each is told. */
static void irqfd_ended(struct armvmm_vm *vm, unsigned int pin)
{
	struct hlist_head *at = smp_load_acquire(&vm->eventfds->resample_at);
	struct irqfd *irqfd;
	bool lowered = false;

	if (!at || pin >= GIC_MAX_IRQS)
		return;
	rcu_read_lock();
	hlist_for_each_entry_rcu(irqfd, &at[pin], resample_node) {
		if (!lowered)
			irqfd_set_pin(vm, pin, false);
		lowered = true;
		queue_work(irqfd_wq, &irqfd->resample);
	}
	rcu_read_unlock();
}

void armvmm_irqfd_tell_ended(struct armvmm_vcpu *vcpu)
{
	struct armvmm_vgic_vcpu *v = &vcpu->vgic;

	while (v->nr_ended)
		irqfd_ended(vcpu->vm, v->ended[--v->nr_ended] - GIC_NR_PRIVATE);
}

static void irqfd_pin_enter(struct irqfd *irqfd)
{
	struct armvmm_eventfds *e = irqfd->vm->eventfds;

	lockdep_assert_held(&e->resample_lock);
	rcu_read_lock();
	irqfd->pin = armvmm_irqroute_pin(irqfd->vm, irqfd->gsi);
	rcu_read_unlock();
	if (irqfd->pin != ARMVMM_NO_PIN)
		hlist_add_head_rcu(&irqfd->resample_node, &e->resample_at[irqfd->pin]);
}

/* The last irqfd of a pin lowers the line: otherwise it would stay up for ever. */
static void irqfd_pin_leave(struct irqfd *irqfd)
{
	struct armvmm_eventfds *e = irqfd->vm->eventfds;

	lockdep_assert_held(&e->resample_lock);
	if (irqfd->pin == ARMVMM_NO_PIN)
		return;
	hlist_del_rcu(&irqfd->resample_node);
	if (hlist_empty(&e->resample_at[irqfd->pin]))
		irqfd_set_pin(irqfd->vm, irqfd->pin, false);
}

/*
 * The guest may end an interrupt while its irqfd is on neither the old list nor the new one. The
 * line then stays up, so that the guest ends it once more, when the irqfd is on the new list.
 */
void armvmm_irqfd_rerouted(struct armvmm_vm *vm)
{
	struct armvmm_eventfds *e = vm->eventfds;
	struct irqfd *irqfd, *tmp;
	unsigned int pin;
	LIST_HEAD(moved);

	lockdep_assert_held(&e->resample_lock);
	list_for_each_entry_safe(irqfd, tmp, &e->resample_irqfds, resample_list) {
		rcu_read_lock();
		pin = armvmm_irqroute_pin(vm, irqfd->gsi);
		rcu_read_unlock();
		if (pin == irqfd->pin)
			continue;
		irqfd_pin_leave(irqfd);
		list_move(&irqfd->resample_list, &moved);
	}
	if (list_empty(&moved))
		return;
	/* A reader that is at an entry must still be able to go on along the old list. */
	synchronize_rcu();
	list_for_each_entry(irqfd, &moved, resample_list)
		irqfd_pin_enter(irqfd);
	list_splice(&moved, &e->resample_irqfds);
}

/* Allocates the lists by pin. */
static int irqfd_resample_prepare(struct armvmm_eventfds *e)
{
	struct hlist_head *at;
	int err = 0;

	mutex_lock(&e->resample_lock);
	if (!e->resample_at) {
		at = kvcalloc(GIC_MAX_IRQS, sizeof(*at), GFP_KERNEL_ACCOUNT);
		if (at)
			smp_store_release(&e->resample_at, at);	/* empty, for irqfd_ended() */
		else
			err = -ENOMEM;
	}
	mutex_unlock(&e->resample_lock);
	return err;
}

static void irqfd_resample_add(struct irqfd *irqfd)
{
	struct armvmm_eventfds *e = irqfd->vm->eventfds;

	mutex_lock(&e->resample_lock);
	list_add(&irqfd->resample_list, &e->resample_irqfds);
	irqfd_pin_enter(irqfd);
	mutex_unlock(&e->resample_lock);
}

static void irqfd_resample_del(struct irqfd *irqfd)
{
	struct armvmm_eventfds *e = irqfd->vm->eventfds;

	mutex_lock(&e->resample_lock);
	list_del(&irqfd->resample_list);
	irqfd_pin_leave(irqfd);
	mutex_unlock(&e->resample_lock);

	synchronize_rcu();
	cancel_work_sync(&irqfd->resample);
	eventfd_ctx_put(irqfd->resample_ctx);
}

static void irqfd_cleanup(struct work_struct *work)
{
	struct irqfd *irqfd = container_of(work, struct irqfd, cleanup);
	struct armvmm_eventfds *e = irqfd->vm->eventfds;
	u64 count;

	/* After this no wake-up is under way. */
	eventfd_ctx_remove_wait_queue(irqfd->ctx, &irqfd->wait, &count);
	if (irqfd->resample_ctx)
		irqfd_resample_del(irqfd);
	eventfd_ctx_put(irqfd->ctx);
	kfree(irqfd);
	/* The VM may end as soon as the count is 0: the address alone is used then. */
	if (atomic_dec_and_test(&e->irqfd_cleanups))
		wake_up_var(&e->irqfd_cleanups);
}

/*
 * Waits until the VM's irqfds that were deactivated are gone; other VMs' do not matter. Nobody adds
 * irqfds meanwhile, so that it ends.
 */
static void irqfd_wait_cleanups(struct armvmm_eventfds *e)
{
	wait_var_event(&e->irqfd_cleanups, !atomic_read_acquire(&e->irqfd_cleanups));
}

/* Caller holds eventfds->lock. Does nothing if the irqfd has been taken out of the tree before. */
static void irqfd_deactivate(struct irqfd *irqfd)
{
	struct armvmm_eventfds *e = irqfd->vm->eventfds;

	lockdep_assert_held(&e->lock);
	if (RB_EMPTY_NODE(&irqfd->node))
		return;
	rb_erase(&irqfd->node, &e->irqfds);
	RB_CLEAR_NODE(&irqfd->node);
	e->nr_irqfds--;
	atomic_inc(&e->irqfd_cleanups);
	queue_work(irqfd_wq, &irqfd->cleanup);
}

/* Called with the eventfd's wait queue lock held and IRQs off. */
static int irqfd_wakeup(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct irqfd *irqfd = container_of(wait, struct irqfd, wait);
	struct armvmm_eventfds *e = irqfd->vm->eventfds;
	__poll_t flags = key_to_poll(key);
	unsigned long irqflags;

	if (flags & EPOLLIN)
		irqfd_inject(irqfd);
	if (flags & EPOLLHUP) {
		spin_lock_irqsave(&e->lock, irqflags);
		irqfd_deactivate(irqfd);
		spin_unlock_irqrestore(&e->lock, irqflags);
	}
	return 0;
}

static void irqfd_queue(struct file *file, wait_queue_head_t *head, poll_table *pt)
{
	struct irqfd *irqfd = container_of(pt, struct irqfd, pt);

	add_wait_queue(head, &irqfd->wait);
}

static struct irqfd *irqfd_alloc(struct armvmm_vm *vm, unsigned int gsi)
{
	struct irqfd *irqfd = kzalloc(sizeof(*irqfd), GFP_KERNEL_ACCOUNT);

	if (!irqfd)
		return NULL;
	irqfd->vm = vm;
	irqfd->gsi = gsi;
	RB_CLEAR_NODE(&irqfd->node);
	INIT_WORK(&irqfd->cleanup, irqfd_cleanup);
	INIT_WORK(&irqfd->resample, irqfd_resample_work);
	init_waitqueue_func_entry(&irqfd->wait, irqfd_wakeup);
	init_poll_funcptr(&irqfd->pt, irqfd_queue);
	return irqfd;
}

/*
 * The link at which the irqfd of @ctx is in the tree, or would be, and its parent. A tree search,
 * not a walk along a list: IRQs are off, and a client chooses how many irqfds there are.
 */
static struct rb_node **irqfd_link(struct armvmm_eventfds *e, const struct eventfd_ctx *ctx,
				   struct rb_node **parent)
{
	struct rb_node **link = &e->irqfds.rb_node;
	const struct irqfd *irqfd;

	lockdep_assert_held(&e->lock);
	*parent = NULL;
	while (*link) {
		irqfd = rb_entry(*link, struct irqfd, node);
		if (irqfd->ctx == ctx)
			break;
		*parent = *link;
		link = ctx < irqfd->ctx ? &(*link)->rb_left : &(*link)->rb_right;
	}
	return link;
}

/* -EBUSY where the eventfd has an irqfd already. */
static int irqfd_activate(struct irqfd *irqfd)
{
	struct armvmm_eventfds *e = irqfd->vm->eventfds;
	struct rb_node **link, *parent;
	int err = 0;

	spin_lock_irq(&e->lock);
	link = irqfd_link(e, irqfd->ctx, &parent);
	if (*link) {
		err = -EBUSY;
	} else if (e->nr_irqfds == IRQFD_MAX) {
		err = -ENOSPC;
	} else {
		rb_link_node(&irqfd->node, parent, link);
		rb_insert_color(&irqfd->node, &e->irqfds);
		e->nr_irqfds++;
	}
	spin_unlock_irq(&e->lock);
	return err;
}

static int irqfd_assign(struct armvmm_vm *vm, const struct kvm_irqfd *args)
{
	struct eventfd_ctx *resample_ctx = NULL;
	struct irqfd *irqfd;
	struct file *file;
	int err;

	if (!vm->vgic.initialized)
		return -EAGAIN;
	irqfd = irqfd_alloc(vm, args->gsi);
	if (!irqfd)
		return -ENOMEM;
	file = eventfd_fget(args->fd);
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		goto err_free;
	}
	irqfd->ctx = eventfd_ctx_fileget(file);
	if (IS_ERR(irqfd->ctx)) {
		err = PTR_ERR(irqfd->ctx);
		goto err_file;
	}
	if (args->flags & KVM_IRQFD_FLAG_RESAMPLE) {
		err = irqfd_resample_prepare(vm->eventfds);
		if (err)
			goto err_ctx;
		resample_ctx = eventfd_ctx_fdget(args->resamplefd);
		if (IS_ERR(resample_ctx)) {
			err = PTR_ERR(resample_ctx);
			goto err_ctx;
		}
	}

	err = irqfd_activate(irqfd);
	if (err)
		goto err_resample;
	if (resample_ctx) {
		irqfd->resample_ctx = resample_ctx;
		irqfd_resample_add(irqfd);
	}

	/*
	 * Nobody can take the irqfd away before this: the file reference holds
	 * EPOLLHUP back, and deassignment needs vm->lock, which the caller holds.
	 */
	if (vfs_poll(file, &irqfd->pt) & EPOLLIN)
		irqfd_inject(irqfd);
	fput(file);
	return 0;

err_resample:
	if (resample_ctx)
		eventfd_ctx_put(resample_ctx);
err_ctx:
	eventfd_ctx_put(irqfd->ctx);
err_file:
	fput(file);
err_free:
	kfree(irqfd);
	return err;
}

/* As in KVM, it succeeds even if there was none. */
static int irqfd_deassign(struct armvmm_vm *vm, const struct kvm_irqfd *args)
{
	struct armvmm_eventfds *e = vm->eventfds;
	struct eventfd_ctx *ctx = eventfd_ctx_fdget(args->fd);
	struct rb_node **link, *parent;
	struct irqfd *irqfd;

	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	spin_lock_irq(&e->lock);
	link = irqfd_link(e, ctx, &parent);
	irqfd = rb_entry_safe(*link, struct irqfd, node);
	if (irqfd && irqfd->gsi == args->gsi)
		irqfd_deactivate(irqfd);
	spin_unlock_irq(&e->lock);
	eventfd_ctx_put(ctx);

	/* Once this returns no more interrupts come from it. */
	irqfd_wait_cleanups(e);
	return 0;
}

int armvmm_irqfd(struct armvmm_vm *vm, const struct kvm_irqfd *args)
{
	int err;

	if (args->flags & ~(KVM_IRQFD_FLAG_DEASSIGN | KVM_IRQFD_FLAG_RESAMPLE))
		return -EINVAL;
	mutex_lock(&vm->lock);
	if (args->flags & KVM_IRQFD_FLAG_DEASSIGN)
		err = irqfd_deassign(vm, args);
	else
		err = irqfd_assign(vm, args);
	mutex_unlock(&vm->lock);
	return err;
}

void armvmm_irqfd_release(struct armvmm_vm *vm)
{
	struct armvmm_eventfds *e = vm->eventfds;
	struct rb_node *first;

	/* One at a time, so that the time with IRQs off does not grow with their number. */
	do {
		spin_lock_irq(&e->lock);
		first = rb_first(&e->irqfds);
		if (first)
			irqfd_deactivate(rb_entry(first, struct irqfd, node));
		spin_unlock_irq(&e->lock);
		cond_resched();
	} while (first);
	irqfd_wait_cleanups(e);
}

int armvmm_irqfd_init(void)
{
	irqfd_wq = alloc_workqueue("armvmm-irqfd", WQ_UNBOUND, 0);
	return irqfd_wq ? 0 : -ENOMEM;
}

void armvmm_irqfd_exit(void)
{
	destroy_workqueue(irqfd_wq);
}
