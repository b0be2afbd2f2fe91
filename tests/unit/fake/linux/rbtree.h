/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAKE_LINUX_RBTREE_H
#define FAKE_LINUX_RBTREE_H
struct rb_root {
	void *rb_node;
};
#endif
