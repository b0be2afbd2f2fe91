/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A connection to the control socket. Answers wait in a queue of bounded length. While the queue is
 * long, nothing is read: the client has to take its answers before it asks for more. A client that
 * does not take its events either is dropped. Main thread.
 */
#ifndef ARMVMM_RUN_CLIENT_H
#define ARMVMM_RUN_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "control/command.h"

struct client;

/*
 * Serves the connection @fd, which does not block and now belongs to the client. @gone is called
 * once, when the connection has ended, and has to call client_free(). Returns NULL if there is no
 * memory; @fd is closed then.
 */
struct client *client_new(int fd, const struct command_target *target,
			  void (*gone)(void *opaque, struct client *client), void *opaque);

/* Closes the connection. Answers and events that the client has not taken yet are lost. */
void client_free(struct client *client);

/* Sends the client an event, if it has begun to take commands. @gone may be called. */
void client_event(struct client *client, const char *line);

/* A dump has ended: answers the client if it waits for that. @gone may be called. */
void client_dumped(struct client *client);

#endif /* ARMVMM_RUN_CLIENT_H */
