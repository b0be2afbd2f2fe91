/* SPDX-License-Identifier: GPL-2.0-only */
/* A close() that fails. The test is linked with --wrap=close. */
#ifndef CLOSE_FAKE_H
#define CLOSE_FAKE_H

#include <errno.h>
#include <pthread.h>

/* close() of this descriptor fails, as on NFS when the disk is full; who called it is kept. */
static int full_fd = -1;
static pthread_t full_thread;

int __real_close(int fd);
int __wrap_close(int fd);

int __wrap_close(int fd)
{
	int ret = __real_close(fd);

	if (fd != full_fd)
		return ret;
	full_fd = -1;
	full_thread = pthread_self();
	errno = ENOSPC;
	return -1;
}

#endif
