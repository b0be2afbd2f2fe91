// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <sys/types.h>
#include <unistd.h>

#include "boot/kernel_file.h"

int kernel_read(const struct kernel_file *file, uint64_t offset, void *buf, size_t len)
{
	ssize_t n;

	if (offset > file->size || len > file->size - offset)
		return error_set(file->err, -EIO, "%s: is truncated", file->name);
	n = pread(file->fd, buf, len, file->offset + offset);
	if (n < 0)
		return error_errno(file->err, -errno, "%s", file->name);
	if ((size_t)n < len)
		return error_set(file->err, -EIO, "%s: is truncated", file->name);
	return 0;
}
