// SPDX-License-Identifier: GPL-2.0-only
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/uio.h>

#include "virtio/doorbell.h"

static short doorbell_look(int fd, short events)
{
	struct pollfd bell = { .fd = fd, .events = events };

	return poll(&bell, 1, 0) > 0 ? bell.revents : 0;
}

bool doorbell_take(int fd)
{
	eventfd_t count;
	struct iovec iov = { &count, sizeof(count) };
	ssize_t n = preadv2(fd, &iov, 1, -1, RWF_NOWAIT);

	/* Before Linux 5.8, only a look says whether a read would wait. */
	if (n < 0 && (errno == EOPNOTSUPP || errno == ENOSYS) && doorbell_look(fd, POLLIN) & POLLIN)
		n = readv(fd, &iov, 1);
	return n == sizeof(count);
}

void doorbell_ring(int fd)
{
	short is = doorbell_look(fd, POLLIN | POLLOUT);

	if (is & POLLOUT && !(is & POLLIN))
		(void)eventfd_write(fd, 1);
}
