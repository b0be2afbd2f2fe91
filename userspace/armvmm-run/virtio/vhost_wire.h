/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages of the vhost-user protocol (docs/interop/vhost-user.rst of QEMU) over a Unix socket that
 * does not block. The far end may be slow, silent or hostile: each call ends at its deadline, and
 * nothing that comes is larger than there is room for. Files that come with an answer are closed.
 */
#ifndef ARMVMM_RUN_VHOST_WIRE_H
#define ARMVMM_RUN_VHOST_WIRE_H

#include <stddef.h>
#include <stdint.h>

#define VHOST_WIRE_VERSION	1u
#define VHOST_WIRE_REPLY	(1u << 2)
#define VHOST_WIRE_NEED_REPLY	(1u << 3)

#define VHOST_WIRE_FILES	8	/* regions of memory, at most */

/* In the byte order of the machine, as all that follows. */
struct vhost_wire_head {
	uint32_t request;
	uint32_t flags;
	uint32_t size;		/* of what follows */
};

/*
 * Sends a message with head->size bytes of @payload and @nr_files files. @deadline is of
 * g_get_monotonic_time(). Returns 0, -ETIMEDOUT, or another -errno.
 */
int vhost_wire_send(int fd, const struct vhost_wire_head *head, const void *payload,
		    const int *files, unsigned int nr_files, int64_t deadline);

/*
 * Receives a message into @payload, which has @room bytes. Returns 0; -ETIMEDOUT; -EPIPE if the far
 * end has closed, -EMSGSIZE if it is too long, or another -errno. After an error no more can be
 * read.
 */
int vhost_wire_receive(int fd, struct vhost_wire_head *head, void *payload, size_t room,
		       int64_t deadline);

#endif /* ARMVMM_RUN_VHOST_WIRE_H */
