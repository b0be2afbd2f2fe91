// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "boot/loader_file.h"

#define LOADER_FILE_PIECE	(64u << 10)

int loader_file_open(struct loader_file *file, const char *name, struct error *err)
{
	struct stat st;

	if (!name)
		return 0;
	file->name = name;
	/* O_NONBLOCK: a FIFO must be refused, not waited for. */
	file->fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file->fd < 0 || fstat(file->fd, &st) < 0)
		return error_errno(err, -errno, "%s", name);
	if (S_ISDIR(st.st_mode))
		return error_set(err, -EISDIR, "%s: is a directory", name);
	if (!S_ISREG(st.st_mode))
		return error_set(err, -EINVAL, "%s: is no regular file", name);
	file->size = st.st_size;
	if (!file->size)
		return error_set(err, -EINVAL, "%s: is empty", name);
	return 0;
}

int loader_file_dup(struct loader_file *part, const struct loader_file *file, uint64_t offset,
		    uint64_t size, struct error *err)
{
	int fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return error_errno(err, -errno, "%s", file->name);
	*part = (struct loader_file){
		.name = file->name, .fd = fd, .offset = file->offset + offset, .size = size,
	};
	return 0;
}

int loader_file_read(const struct loader_file *file, void *buf, uint64_t size, uint64_t offset,
		     struct error *err)
{
	uint8_t *at = buf;

	while (size) {
		ssize_t n = pread(file->fd, at, size < 1u << 30 ? size : 1u << 30,
				  file->offset + offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, -errno, "%s", file->name);
		if (!n)
			return error_set(err, -EIO, "%s: has become shorter", file->name);
		at += n;
		offset += n;
		size -= n;
	}
	return 0;
}

int loader_file_each(const struct loader_file *file, uint64_t offset, uint64_t size,
		     void (*take)(void *opaque, const void *buf, size_t len), void *opaque,
		     struct error *err)
{
	uint8_t *buf = malloc(LOADER_FILE_PIECE);
	int ret = buf ? 0 : error_errno(err, -ENOMEM, "%s", file->name);

	while (!ret && size) {
		size_t len = size < LOADER_FILE_PIECE ? size : LOADER_FILE_PIECE;

		ret = loader_file_read(file, buf, len, offset, err);
		if (!ret)
			take(opaque, buf, len);
		offset += len;
		size -= len;
	}
	free(buf);
	return ret;
}

static void loader_file_take_crc32(void *opaque, const void *buf, size_t len)
{
	uint32_t *crc = opaque;

	*crc = crc32(*crc, buf, len);
}

int loader_file_crc32(const struct loader_file *file, uint64_t offset, uint64_t size,
		      uint32_t *crc, struct error *err)
{
	*crc = 0;
	return loader_file_each(file, offset, size, loader_file_take_crc32, crc, err);
}

void loader_file_close(struct loader_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}
