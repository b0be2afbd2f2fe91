/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ARMVMM_RUN_IS_SOCKET_H
#define ARMVMM_RUN_IS_SOCKET_H

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>

/*
 * Is the file, which somebody else has opened, a socket? fstat() would say so, too, but waits for
 * the server of a file of FUSE or NFS, which may never answer.
 */
static inline bool is_socket(int fd)
{
	struct msghdr none = { .msg_iovlen = 0 };

	return recvmsg(fd, &none, MSG_PEEK | MSG_DONTWAIT) >= 0 ||
	       (errno != ENOTSOCK && errno != EBADF);
}

#endif /* ARMVMM_RUN_IS_SOCKET_H */
