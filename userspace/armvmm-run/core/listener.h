/* SPDX-License-Identifier: GPL-2.0-only */
/* A socket that listens for one who connects: a debugger, or a guest. */
#ifndef ARMVMM_RUN_LISTENER_H
#define ARMVMM_RUN_LISTENER_H

#include "core/endpoint.h"
#include "core/error.h"
#include "core/named_socket.h"

struct listener {
	int fd;		/* -1: there is none, or it was passed on */
	struct named_socket socket;	/* unix: removes the name */
};

/*
 * Opens the socket, before the sandbox takes the right to do so. Replaces a Unix socket of a
 * program that has ended; only its user may connect to the new one, whose name goes with this
 * process. Returns 0, or -errno with @err set, which begins with @label. -EADDRINUSE: somebody else
 * listens there.
 */
int listener_open(struct listener *listener, const char *label, const struct endpoint *endpoint,
		  struct error *err);

/* Closes what nobody has taken, and removes the name. */
void listener_close(struct listener *listener);

#endif /* ARMVMM_RUN_LISTENER_H */
