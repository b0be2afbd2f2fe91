/* SPDX-License-Identifier: GPL-2.0-only */
/* What an insertion changes above the new node, its caller has changed before, as in the kernel. */
#ifndef FAKE_LINUX_RBTREE_AUGMENTED_H
#define FAKE_LINUX_RBTREE_AUGMENTED_H

#include "rbtree.h"

struct rb_augment_callbacks {
	void (*propagate)(struct rb_node *node);	/* from there up */
};

#define RB_DECLARE_CALLBACKS_MAX(storage, name, type, member, num, augmented, compute)	\
static void name##_propagate(struct rb_node *node)				\
{										\
	type *at, *child;							\
	num most;								\
										\
	for (; node; node = node->parent) {					\
		at = rb_entry(node, type, member);				\
		most = compute(at);						\
		child = rb_entry_safe(node->rb_left, type, member);		\
		if (child)							\
			most = max(most, child->augmented);			\
		child = rb_entry_safe(node->rb_right, type, member);		\
		if (child)							\
			most = max(most, child->augmented);			\
		WRITE_ONCE(at->augmented, most);				\
	}									\
}										\
storage const struct rb_augment_callbacks name = { .propagate = name##_propagate }

static inline void rb_insert_augmented(struct rb_node *node, struct rb_root *root,
				       const struct rb_augment_callbacks *augment)
{
	rb_insert_color(node, root);
}

static inline void rb_erase_augmented(struct rb_node *node, struct rb_root *root,
				      const struct rb_augment_callbacks *augment)
{
	augment->propagate(fake_rb_unlink(node, root));
}

#endif
