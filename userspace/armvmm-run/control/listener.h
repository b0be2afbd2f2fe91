/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A listening socket with a name in the file system. The name goes when the process ends, however
 * it ends: the process itself has no right to remove it any more (docs/sandbox.md), so a child
 * waits for its end and does it. Main thread, while there is no other.
 */
#ifndef ARMVMM_RUN_LISTENER_H
#define ARMVMM_RUN_LISTENER_H

#include "control/address.h"
#include "core/error.h"

struct listener {
	int fd;			/* listens, does not block; -1: there is none */
	int keeper_fd;		/* a connection to the child */
};

/*
 * Makes the socket, which only its user may open (mode 0600). Replaces a socket that nobody listens
 * at. Returns 0, or -errno with a sentence in @err that begins with the path.
 */
int listener_open(struct listener *l, const struct address *address, struct error *err);

/* When it returns, the name is gone. */
void listener_close(struct listener *l);

#endif /* ARMVMM_RUN_LISTENER_H */
