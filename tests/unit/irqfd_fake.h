/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel gives to irqfd.c: eventfds that wake, and a workqueue. test_irqfd.c has them. */
#ifndef TESTS_UNIT_IRQFD_FAKE_H
#define TESTS_UNIT_IRQFD_FAKE_H

#include "fake/fake_kernel.h"
#include <linux/eventfd.h>
#include <linux/rbtree.h>

/* --- locks and counts --- */

#define spin_lock_irq(l)		fake_lock(l)
#define spin_unlock_irq(l)		fake_unlock(l)
#define spin_lock_irqsave(l, f)		raw_spin_lock_irqsave(l, f)
#define spin_unlock_irqrestore(l, f)	raw_spin_unlock_irqrestore(l, f)
#define rcu_read_lock()			do { } while (0)
#define rcu_read_unlock()		do { } while (0)
#define synchronize_rcu()		do { } while (0)
#define atomic_inc(v)			((void)(v)->counter++)
#define atomic_dec_and_test(v)		(--(v)->counter == 0)
#define atomic_read_acquire(v)		READ_ONCE((v)->counter)

/* --- memory, trees and lists --- */

#define kvcalloc(n, size, flags)	calloc(n, size)

#define rb_link_node(n, parent, link)	rb_link_node_rcu(n, parent, link)
/* Nobody is his own parent in the tree. */
#define RB_CLEAR_NODE(n)		((void)((n)->parent = (n)))
#define RB_EMPTY_NODE(n)		((n)->parent == (n))

static inline struct rb_node *rb_first(const struct rb_root *root)
{
	struct rb_node *n = root->rb_node;

	while (n && n->rb_left)
		n = n->rb_left;
	return n;
}

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

#define hlist_empty(h)			(!(h)->first)
#define hlist_for_each_entry_rcu(p, head, member)				\
	for (struct hlist_node *at_ = (head)->first;				\
	     at_ && ((p) = container_of(at_, __typeof__(*(p)), member), true); at_ = at_->next)

static inline void hlist_add_head_rcu(struct hlist_node *n, struct hlist_head *h)
{
	n->next = h->first;
	n->pprev = &h->first;
	if (n->next)
		n->next->pprev = &n->next;
	h->first = n;
}

static inline void hlist_del_rcu(struct hlist_node *n)
{
	*n->pprev = n->next;
	if (n->next)
		n->next->pprev = n->pprev;
}

static inline void list_splice(struct list_head *from, struct list_head *head)
{
	while (!list_empty(from))
		list_move(from->next, head);
}

/* --- work --- */

struct workqueue_struct;

struct work_struct {
	void (*run)(struct work_struct *work);
	struct work_struct *next;
	bool queued;
};

#define WQ_UNBOUND		2
#define INIT_WORK(w, fn)	(*(w) = (struct work_struct){ .run = (fn) })

struct workqueue_struct *alloc_workqueue(const char *name, unsigned int flags, int max);
void destroy_workqueue(struct workqueue_struct *wq);
void queue_work(struct workqueue_struct *wq, struct work_struct *work);
void flush_workqueue(struct workqueue_struct *wq);
void cancel_work_sync(struct work_struct *work);

/* Waits until @cond holds, as what the test lets run may bring about. */
#define wait_var_event(var, cond)	do { while (!(cond)) fake_wait(); } while (0)
#define wake_up_var(var)		((void)(var))

void fake_wait(void);

/* --- eventfds, as files that can be polled --- */

#define EPOLLIN		0x01u
#define EPOLLHUP	0x10u
#define key_to_poll(key)	((__poll_t)(uintptr_t)(key))

struct file;
typedef struct wait_queue_entry wait_queue_entry_t;
typedef int (*wait_queue_func_t)(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key);

struct wait_queue_entry {
	wait_queue_func_t func;
	struct wait_queue_entry *next;
};

typedef struct {
	wait_queue_entry_t *first;
} wait_queue_head_t;

typedef struct poll_table_struct {
	void (*queue)(struct file *file, wait_queue_head_t *head, struct poll_table_struct *pt);
} poll_table;

#define init_waitqueue_func_entry(w, fn)	((w)->func = (fn))
#define init_poll_funcptr(pt, fn)		((pt)->queue = (fn))

static inline void add_wait_queue(wait_queue_head_t *head, wait_queue_entry_t *wait)
{
	wait->next = head->first;
	head->first = wait;
}

struct file *eventfd_fget(int fd);
struct eventfd_ctx *eventfd_ctx_fileget(struct file *file);
void eventfd_ctx_remove_wait_queue(struct eventfd_ctx *ctx, wait_queue_entry_t *wait, u64 *count);
__poll_t vfs_poll(struct file *file, poll_table *pt);
void fput(struct file *file);

#endif
