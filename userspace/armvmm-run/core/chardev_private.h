/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the back ends of serial devices share, and devices do not see: who listens, input on its way
 * to the guest, and the last of the output. A back end embeds struct chardev. All on the main
 * thread, except where it says so.
 */
#ifndef ARMVMM_RUN_CHARDEV_PRIVATE_H
#define ARMVMM_RUN_CHARDEV_PRIVATE_H

#include <glib.h>
#include <pthread.h>

#include "core/chardev.h"
#include "core/error.h"
#include "core/ring.h"

#define CHARDEV_INPUT		4096

struct chardev_ops {
	/*
	 * Takes output, as chardev_write() does, or with @late as chardev_write_late(): then
	 * *@room is false if the queue is full for others. Any thread.
	 */
	size_t (*write)(struct chardev *chr, const uint8_t *buf, size_t len, bool late,
			bool *room);
	/* Somebody has called chardev_wake(). */
	void (*woken)(struct chardev *chr);
	/* NULL: it has none. Any thread. */
	bool (*size)(struct chardev *chr, uint16_t *cols, uint16_t *rows);
	/* A person's window has that size now. NULL: it is not told, but asked. */
	void (*resize)(struct chardev *chr, uint16_t cols, uint16_t rows);
	/* Sends what is queued, for a short while, and frees it. */
	void (*destroy)(struct chardev *chr);
};

struct chardev {
	const struct chardev_ops *ops;
	struct chardev *next;		/* the machine's */
	char label[CHARDEV_LABEL_MAX];	/* what clients of the control socket call it */
	char *name;			/* what it is, as QEMU says it: "pty:/dev/pts/3" */
	bool attached;			/* atomic: somebody may read it */
	bool frontend_open;		/* atomic: the guest does */
	struct chardev_client *clients;	/* the head gets the input */

	struct ring in;
	uint8_t in_data[CHARDEV_INPUT];
	bool waiting;			/* atomic: input waits for room at the client */

	int wake_fd;			/* eventfd */
	GSource *wake_source;

	pthread_mutex_t kept_lock;
	struct ring kept;		/* the last that was written; NULL data: nothing is kept */
};

/*
 * Prepares a zeroed one that somebody reads, with a copy of its @name. Returns 0, or -errno with
 * @err set.
 */
int chardev_init(struct chardev *chr, const struct chardev_ops *ops, const char *name,
		 struct error *err);
void chardev_exit(struct chardev *chr);

/* Has ops->woken() called on the main thread. Any thread. */
void chardev_wake(struct chardev *chr);

/* Gives the client input, as much as it has room for. */
void chardev_deliver(struct chardev *chr);

/* Tells the client of a break; and all clients of room, of another size, of somebody's coming. */
void chardev_break(struct chardev *chr);
void chardev_tell_room(struct chardev *chr);
void chardev_tell_size(struct chardev *chr);
void chardev_set_attached(struct chardev *chr, bool attached);

/* Adds it to the list, where its label is the only one of its kind, or -EEXIST. */
int chardev_list_add(struct chardev **list, struct chardev *chr);
struct chardev *chardev_list_find(struct chardev *list, const char *label);
void chardev_list_destroy(struct chardev **list);

#endif /* ARMVMM_RUN_CHARDEV_PRIVATE_H */
