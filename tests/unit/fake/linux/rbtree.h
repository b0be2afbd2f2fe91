/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A search tree with the kernel's interface that is never balanced. A node moves only where one
 * above it is taken out: as in the kernel, the next one in order takes its place, and is nowhere in
 * the tree meanwhile.
 */
#ifndef FAKE_LINUX_RBTREE_H
#define FAKE_LINUX_RBTREE_H

#include "../fake_kernel.h"

struct rb_node {
	struct rb_node *parent, *rb_left, *rb_right;
};

struct rb_root {
	struct rb_node *rb_node;
};

#define RB_ROOT	((struct rb_root){ NULL })
#define rb_entry(p, type, member)	container_of(p, type, member)
#define rb_entry_safe(p, type, member)						\
({										\
	struct rb_node *entry_p = (p);						\
	entry_p ? rb_entry(entry_p, type, member) : NULL;			\
})

static inline void rb_link_node_rcu(struct rb_node *node, struct rb_node *parent,
				    struct rb_node **link)
{
	*node = (struct rb_node){ .parent = parent };
	smp_store_release(link, node);
}

static inline void rb_insert_color(struct rb_node *node, struct rb_root *root)
{
	assert(node->parent || root->rb_node == node);
}

/* @new, which may be NULL, takes the place of @old below its parent. */
static inline void fake_rb_replace(struct rb_node *old, struct rb_node *new, struct rb_root *root)
{
	struct rb_node *parent = old->parent;
	struct rb_node **link = !parent ? &root->rb_node :
				parent->rb_left == old ? &parent->rb_left : &parent->rb_right;

	assert(*link == old);
	WRITE_ONCE(*link, new);
	if (new)
		new->parent = parent;
}

/* Returns the lowest node that has others below it now, or NULL. */
static inline struct rb_node *fake_rb_unlink(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *next = node->rb_right, *lowest;

	if (!node->rb_left || !next) {
		fake_rb_replace(node, next ?: node->rb_left, root);
		return node->parent;
	}
	while (next->rb_left)
		next = next->rb_left;
	lowest = next;
	if (next != node->rb_right) {
		lowest = next->parent;
		fake_rb_replace(next, next->rb_right, root);
		WRITE_ONCE(next->rb_right, node->rb_right);
		next->rb_right->parent = next;
		fake_point(FAKE_RB_MOVE);
	}
	WRITE_ONCE(next->rb_left, node->rb_left);
	next->rb_left->parent = next;
	fake_rb_replace(node, next, root);
	return lowest;
}

static inline void rb_erase(struct rb_node *node, struct rb_root *root)
{
	fake_rb_unlink(node, root);
}

/* Children come before their parents, so that each may be freed. */
static inline struct rb_node *fake_rb_deepest(struct rb_node *node)
{
	while (node && (node->rb_left || node->rb_right))
		node = node->rb_left ?: node->rb_right;
	return node;
}

static inline struct rb_node *fake_rb_next_postorder(struct rb_node *node)
{
	struct rb_node *parent = node->parent;

	if (parent && parent->rb_left == node && parent->rb_right)
		return fake_rb_deepest(parent->rb_right);
	return parent;
}

#define rbtree_postorder_for_each_entry_safe(pos, n, root, member)		\
	for ((pos) = rb_entry_safe(fake_rb_deepest((root)->rb_node), __typeof__(*(pos)), member); \
	     (pos) && ((n) = rb_entry_safe(fake_rb_next_postorder(&(pos)->member),	\
					   __typeof__(*(pos)), member), true);	\
	     (pos) = (n))

#endif
