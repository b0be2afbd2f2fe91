/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The line to a debugger: one at a time, others are turned away. Nothing here waits for it: while
 * it does not take an answer, nothing more is read from it. Main thread, all.
 */
#ifndef ARMVMM_RUN_GDB_LINK_H
#define ARMVMM_RUN_GDB_LINK_H

#include <glib.h>
#include <stdbool.h>

#include "gdb/reply.h"

struct link_ops {
	/* With the first byte, if it is one that a debugger begins with. */
	void (*came)(void *opaque);
	void (*gone)(void *opaque);	/* of one that came; not after link_free() */
	/* A packet, and its answer. Returns false to hang up once that is sent. */
	bool (*packet)(void *opaque, const char *data, size_t len, struct reply *reply);
	void (*interrupt)(void *opaque, struct reply *reply);
	/* Packets are acknowledged. */
	bool (*acks)(void *opaque);
};

struct link;

/* @fd is the listening socket, which becomes the link's. NULL: no memory. */
struct link *link_new(int fd, GMainContext *context, const struct link_ops *ops, void *opaque);

/* An answer to what was asked for earlier. Nothing where there is no debugger. */
void link_send(struct link *link, const struct reply *reply);

/* Sends what a debugger takes at once, and hangs up. NULL does nothing. */
void link_free(struct link *link);

#endif /* ARMVMM_RUN_GDB_LINK_H */
