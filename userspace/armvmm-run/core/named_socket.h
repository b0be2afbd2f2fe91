/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A listening socket with a name in the file system. The name goes when the process ends, however
 * it ends: the process itself has no right to remove it any more (docs/sandbox.md), so a child
 * waits for its end and does it. Main thread, while there is no other.
 */
#ifndef ARMVMM_RUN_NAMED_SOCKET_H
#define ARMVMM_RUN_NAMED_SOCKET_H

#include <stdbool.h>

#include "core/error.h"

/*
 * The child calls it when its files are but these two: 0, the connection, and 1, the folder. It
 * takes the rights that the child does not need. NULL: none. Set before the first socket is made.
 */
extern void (*named_socket_confine)(void);

struct named_socket {
	int fd;			/* listens, does not block; -1: there is none */
	int keeper_fd;		/* a connection to the child */
};

/*
 * Makes the socket at @path, which only its user may open (mode 0600), for @backlog connections
 * that wait. Replaces a socket that nobody listens at. @make_folder: makes its folder, too, if that
 * is missing. Returns 0, or -errno with a sentence in @err that begins with the path.
 */
int named_socket_open(struct named_socket *l, const char *path, int backlog, bool make_folder,
		      struct error *err);

/*
 * Makes a symbolic link at @path to @target instead, with which @l is closed in the same way.
 * Replaces another symbolic link, and nothing else.
 */
int named_socket_link(struct named_socket *l, const char *path, const char *target,
		      struct error *err);

/* When it returns, the name is gone. */
void named_socket_close(struct named_socket *l);

#endif /* ARMVMM_RUN_NAMED_SOCKET_H */
