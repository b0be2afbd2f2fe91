/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The connection to a debugger. There is one at a time; others are turned away. Nothing here waits
 * for the debugger: while it does not take an answer, nothing more is read from it. Main thread
 * only.
 */
#ifndef ARMVMM_RUN_GDB_LINK_H
#define ARMVMM_RUN_GDB_LINK_H

#include <glib.h>
#include <stdbool.h>

#include "gdb/reply.h"

struct link_ops {
	/* At the first byte, if a debugger can begin with it. */
	void (*came)(void *opaque);
	void (*gone)(void *opaque);	/* after came(); not after link_free() */
	/* Handles a packet, and fills in its answer. Returns false to hang up once that is sent. */
	bool (*packet)(void *opaque, const char *data, size_t len, struct reply *reply);
	void (*interrupt)(void *opaque, struct reply *reply);
	/* Are packets acknowledged? */
	bool (*acks)(void *opaque);
};

struct link;

/*
 * @fd is the listening socket, which the link owns from now on. Returns NULL if there is no memory.
 */
struct link *link_new(int fd, GMainContext *context, const struct link_ops *ops, void *opaque);

/* Sends an answer to an earlier packet. Does nothing if there is no debugger. */
void link_send(struct link *link, const struct reply *reply);

/* Sends what the debugger takes at once, and hangs up. NULL does nothing. */
void link_free(struct link *link);

#endif /* ARMVMM_RUN_GDB_LINK_H */
