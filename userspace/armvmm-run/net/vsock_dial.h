/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connects to Unix sockets for a guest. The process that has the guest finds no file any more
 * (docs/sandbox.md): a process of its own connects, and hands over the connection. All it is told
 * is a port.
 */
#ifndef ARMVMM_RUN_VSOCK_DIAL_H
#define ARMVMM_RUN_VSOCK_DIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "core/process.h"

/* What is added to the path to name a port's socket: "_4294967295". */
#define VSOCK_DIAL_PORT	11

struct vsock_dial {
	struct process process;
};

/*
 * Starts the process, for the sockets @path_PORT. @err's sentence begins with @label. Returns 0 or
 * -errno with @err set. vsock_dial_stop() also after a failure. Main thread.
 */
int vsock_dial_start(struct vsock_dial *dial, const char *label, const char *path,
		     const struct process_rights *rights, struct error *err);
void vsock_dial_stop(struct vsock_dial *dial);

/* Asks for a connection to @port. Returns 0, or -errno if that cannot be asked now. Never waits. */
int vsock_dial_ask(struct vsock_dial *dial, uint32_t slot, uint32_t serial, uint32_t port);

/*
 * Takes the next answer: to which question, and the connection, which does not block and is the
 * caller's; *@fd is -1 if there is none. Returns 1, 0 if no answer is there, or -EPIPE: the process
 * has ended.
 */
int vsock_dial_answer(struct vsock_dial *dial, uint32_t *slot, uint32_t *serial, int *fd);

#endif /* ARMVMM_RUN_VSOCK_DIAL_H */
