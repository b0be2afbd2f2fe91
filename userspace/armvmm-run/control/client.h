/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A connection to the control socket. What it is told waits in a queue of bounded length; while
 * that is long, nothing is read, so that it has to take its answers before it asks for more. One
 * that does not take its events either is dropped. Main thread.
 */
#ifndef ARMVMM_RUN_CLIENT_H
#define ARMVMM_RUN_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "control/command.h"

struct client;

/*
 * Serves the connection @fd, which does not block and is the client's from now on. @gone is
 * called once, when it has ended, and frees it by client_free(). NULL: no memory; @fd is closed.
 */
struct client *client_new(int fd, const struct command_target *target,
			  void (*gone)(void *opaque, struct client *client), void *opaque);

/* Closes the connection. What it has not taken yet is lost. */
void client_free(struct client *client);

/* Tells it of an event, if it has begun to take commands. @gone may be called. */
void client_event(struct client *client, const char *line);

#endif /* ARMVMM_RUN_CLIENT_H */
