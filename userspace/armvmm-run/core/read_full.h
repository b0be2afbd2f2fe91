/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ARMVMM_RUN_READ_FULL_H
#define ARMVMM_RUN_READ_FULL_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

/*
 * Reads @len bytes from where the file stands or, unless @at is NULL, from *@at on, which it moves.
 * Returns the bytes, fewer at the file's end, or -errno.
 */
static inline int64_t read_full(int fd, void *data, size_t len, uint64_t *at)
{
	size_t done = 0;

	while (done < len) {
		uint8_t *to = (uint8_t *)data + done;
		ssize_t n = at ? pread(fd, to, len - done, *at) : read(fd, to, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		done += n;
		if (at)
			*at += n;
	}
	return done;
}

#endif /* ARMVMM_RUN_READ_FULL_H */
