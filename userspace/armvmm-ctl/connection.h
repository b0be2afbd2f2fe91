/* SPDX-License-Identifier: GPL-2.0-only */
/* A connection to a control socket, and QMP on it: docs/control.md. */
#ifndef ARMVMM_CTL_CONNECTION_H
#define ARMVMM_CTL_CONNECTION_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

struct connection;

#define CONNECTION_ERROR	(g_quark_from_static_string("armvmm-ctl"))

enum connection_error {
	CONNECTION_FAILED,	/* there is no such machine, or it is gone */
	CONNECTION_REFUSED,	/* it has answered with an error */
};

/* Connects to the socket at @path, and is ready for commands. NULL with @err set. */
struct connection *connection_open(const char *path, GError **err);
void connection_close(struct connection *c);

/* Its socket, which stays the connection's. */
int connection_fd(const struct connection *c);

/*
 * Runs the command @name with @args (NULL: none), whose reference it takes. Returns what the
 * command returns, or NULL with @err set.
 */
json_t *connection_run(struct connection *c, const char *name, json_t *args, GError **err);

/* The same, with the file @fd for the machine, which stays the caller's; -1: none. */
json_t *connection_run_file(struct connection *c, const char *name, json_t *args, int fd,
			    GError **err);

/* Sends @text as it is, and returns the answer, or NULL with @err set. */
char *connection_raw(struct connection *c, const char *text, GError **err);

/* Waits for the next event. NULL: the connection has ended. */
char *connection_event(struct connection *c);

#endif /* ARMVMM_CTL_CONNECTION_H */
