/* SPDX-License-Identifier: GPL-2.0-only */
/* A disk from its operator's view: the file behind it, its size. Main thread only. */
#ifndef ARMVMM_RUN_BLOCKDEV_H
#define ARMVMM_RUN_BLOCKDEV_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/error.h"

struct blockdev;

struct blockdev_ops {
	/* Bytes that the guest sees. */
	uint64_t (*size)(struct blockdev *b);
	/* Bytes of the host's storage that it takes. */
	uint64_t (*allocated)(struct blockdev *b);
	/*
	 * Changes the size to @size bytes, and tells the guest. Returns 0, or -errno with @err
	 * saying why, without the disk's name.
	 */
	int (*resize)(struct blockdev *b, uint64_t size, struct error *err);
};

struct blockdev {
	char id[16];		/* as QEMU names it: "virtio0" for the first */
	const char *file;
	bool readonly;
	bool direct, write_through, no_flush;	/* how writes get there */
	const struct blockdev_ops *ops;
	struct blockdev *next;
};

/*
 * Adds the disk to the end of @list, and gives it its id. It must outlive the machine's use of it.
 */
static inline void blockdev_add(struct blockdev **list, struct blockdev *b)
{
	unsigned int nr = 0;

	for (; *list; list = &(*list)->next)
		nr++;
	snprintf(b->id, sizeof(b->id), "virtio%u", nr);
	b->next = NULL;
	*list = b;
}

#endif /* ARMVMM_RUN_BLOCKDEV_H */
