/* SPDX-License-Identifier: GPL-2.0-only */
/* The socket that listens for a debugger. */
#ifndef ARMVMM_RUN_GDB_LISTENER_H
#define ARMVMM_RUN_GDB_LISTENER_H

#include "core/error.h"
#include "core/named_socket.h"
#include "gdb/gdb_address.h"

struct gdb_listener {
	int fd;		/* -1: there is none, or it was passed on */
	struct named_socket socket;	/* unix: removes the name */
};

/*
 * Opens the socket, before the sandbox takes the right to do so. Replaces a Unix socket of a
 * program that has ended; only its user may connect to the new one, whose name goes with this
 * process. Returns 0, or -errno with @err set: -EADDRINUSE: somebody else listens there.
 */
int gdb_listener_open(struct gdb_listener *listener, const struct gdb_address *address,
		      struct error *err);

/* Closes what gdb_create() did not take, and removes the name. */
void gdb_listener_close(struct gdb_listener *listener);

#endif /* ARMVMM_RUN_GDB_LISTENER_H */
