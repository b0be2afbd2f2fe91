/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A listening socket with a name in the file system, which goes when its process does, however
 * that ends: a child of the process waits for that and takes the name away, as the process has
 * no right to any more (docs/sandbox.md). Main thread, while there is no other.
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
 * Makes the socket, for its user alone (mode 0600). One that nobody listens at is replaced.
 * Returns 0 or -errno with @err set, which begins with the path.
 */
int listener_open(struct listener *l, const struct address *address, struct error *err);

/* The name is gone when it returns. */
void listener_close(struct listener *l);

#endif /* ARMVMM_RUN_LISTENER_H */
