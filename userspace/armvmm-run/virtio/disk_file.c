// SPDX-License-Identifier: GPL-2.0-only
/* A file or block device behind a guest's disk. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#ifndef _FILE_OFFSET_BITS
#define _FILE_OFFSET_BITS 64
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/magic.h>

#include "core/filelock.h"
#include "core/machine.h"
#include "virtio/disk.h"
#include "virtio/disk_format.h"

#define DISK_FAR	(1ull << 40)	/* bytes by which no disk grows at once */

/*
 * O_DIRECT has an alignment of its own. Only newer kernels report it, so find it by trying. Returns
 * the alignment, or -errno.
 */
static int file_probe_direct(int fd)
{
	uint32_t align;
	void *buf;
	int ret = -ENOMEM;

	if (posix_memalign(&buf, DISK_PAGE, DISK_PAGE))
		return ret;
	for (align = DISK_SECTOR; align <= DISK_PAGE; align *= 2) {
		/* The buffer's address, too, is aligned to no more than that. */
		uint8_t *at = align < DISK_PAGE ? (uint8_t *)buf + align : buf;
		ssize_t n = pread(fd, at, align < DISK_PAGE ? align : DISK_PAGE, 0);

		ret = n < 0 ? -errno : (int)align;
		if (ret != -EINVAL)
			break;
	}
	free(buf);
	return ret;
}

static int file_claim(struct disk *disk, struct error *err)
{
	int ret = filelock_take(disk->fd, disk->readonly, disk->path, &disk->machine->guard, err);

	if (ret)
		return ret;
	/*
	 * What this host's caches keep of it may be older than what another host has written. A
	 * network's file system forgets it at the lock; a block device has to be told.
	 */
	posix_fadvise(disk->fd, 0, 0, POSIX_FADV_DONTNEED);
	return 0;
}

static void file_unclaim(struct disk *disk)
{
	filelock_leave(disk->fd);
}

/* Does the block device @rdev take discards? Its queue says so, or that of its whole disk. */
static bool file_blkdev_discards(dev_t rdev)
{
	static const char *const queue[] = { "queue", "../queue" };
	char path[96], text[32] = "0";

	for (unsigned int i = 0; i < 2; i++) {
		int fd;

		snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s/discard_max_bytes",
			 major(rdev), minor(rdev), queue[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (read(fd, text, sizeof(text) - 1) < 0)
			text[0] = '0';
		close(fd);
		return text[0] != '0';
	}
	return false;
}

/*
 * A hole behind the end loses nothing: tries whether one can be made. @far: the file is in use, and
 * may become larger just now.
 */
static bool file_discards(const struct disk *disk, uint64_t size, bool far)
{
	return !fallocate(disk->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			  far ? size + DISK_FAR : size, DISK_PAGE);
}

static int file_measure(struct disk *disk, bool far, struct error *err)
{
	struct stat st;
	int sector;

	if (fstat(disk->fd, &st) < 0)
		return error_errno(err, -errno, "%s", disk->path);
	disk->block = DISK_SECTOR;
	disk->physical = DISK_PAGE;
	if (S_ISDIR(st.st_mode))
		return error_set(err, -EISDIR, "%s: is a directory", disk->path);
	if (S_ISBLK(st.st_mode)) {
		if (ioctl(disk->fd, BLKGETSIZE64, &disk->size) < 0)
			return error_errno(err, -errno, "%s: cannot get its size", disk->path);
		if (disk->direct && !ioctl(disk->fd, BLKSSZGET, &sector))
			disk->block = sector;
		disk->blkdev = true;
		disk->can_discard = !disk->readonly && file_blkdev_discards(st.st_rdev);
	} else if (S_ISREG(st.st_mode)) {
		disk->size = st.st_size;
		disk->can_discard = !disk->readonly && file_discards(disk, st.st_size, far);
	} else {
		return error_set(err, -EINVAL, "%s: neither a file nor a block device", disk->path);
	}
	if (!disk->size)
		return error_set(err, -EINVAL, "%s: is empty", disk->path);
	if (disk->direct && S_ISREG(st.st_mode)) {
		int align = file_probe_direct(disk->fd);

		if (align < 0)
			return error_errno(err, align, "%s: cannot be read with O_DIRECT",
					   disk->path);
		disk->block = align;
	}
	if (disk->physical < disk->block)
		disk->physical = disk->block;
	if (disk->size % disk->block)
		return error_set(err, -EINVAL, "%s: its size, %llu bytes, is not a multiple of %u",
				 disk->path, (unsigned long long)disk->size, disk->block);
	return 0;
}

static int file_check_format(const struct disk *disk, struct error *err)
{
	const char *format;
	int ret = disk_format(disk->fd, disk->size, disk->physical, &format);

	if (ret)
		return error_errno(err, ret, "%s: cannot be read", disk->path);
	if (!format)
		return 0;
	return error_set(err, -EINVAL,
			 "%s: is a %s image, and disks here are raw: qemu-img convert -O raw makes it one, or qemu-storage-daemon serves it (vhost-user:PATH); ,format=raw takes it as it is",
			 disk->path, format);
}

static int file_open(struct disk *disk, const struct disk_config *config, struct error *err)
{
	/* O_NONBLOCK: do not wait for the other end of a FIFO. Files and disks ignore it. */
	int flags = O_CLOEXEC | O_NONBLOCK | (config->readonly ? O_RDONLY : O_RDWR);
	int ret;

	if (config->direct)
		flags |= O_DIRECT;
	disk->fd = open(config->path, flags);
	if (disk->fd >= 0)
		return 0;
	ret = -errno;
	if (ret == -EISDIR)
		return error_set(err, ret, "%s: is a directory", disk->path);
	if (ret == -EINVAL && config->direct)
		return error_set(err, ret, "%s: its file system has no O_DIRECT", disk->path);
	if ((ret == -EACCES || ret == -EROFS) && !config->readonly && !access(config->path, R_OK))
		return error_errno(err, ret, "%s: may be used with ,ro only", disk->path);
	return error_errno(err, ret, "%s", disk->path);
}

static int file_start(struct disk *disk, const struct disk_config *config, struct error *err)
{
	struct statfs fs;
	int ret = file_open(disk, config, err);

	if (ret)
		return ret;
	ret = file_measure(disk, disk->machine->incoming, err);
	if (!ret && !config->raw)
		ret = file_check_format(disk, err);
	if (!ret && !disk->machine->incoming)
		ret = filelock_take(disk->fd, disk->readonly, disk->path, &disk->machine->guard,
				    err);
	/* These have no RWF_NOWAIT, and need none. */
	disk->in_memory = !fstatfs(disk->fd, &fs) && ((uint32_t)fs.f_type == TMPFS_MAGIC ||
						      (uint32_t)fs.f_type == RAMFS_MAGIC);
	return ret;
}

static void file_stop(struct disk *disk)
{
	if (disk->fd >= 0)
		close(disk->fd);
	disk->fd = -1;
}

/* Step over @done bytes of @iov. Returns the entries left from *@iov on. */
static unsigned int file_advance(struct iovec **iov, unsigned int nr, size_t done)
{
	while (nr && done >= (*iov)->iov_len) {
		done -= (*iov)->iov_len;
		(*iov)++;
		nr--;
	}
	if (nr) {
		(*iov)->iov_base = (uint8_t *)(*iov)->iov_base + done;
		(*iov)->iov_len -= done;
	}
	return nr;
}

static int file_transfer(struct disk *disk, bool write, struct iovec *iov, unsigned int nr,
			 uint64_t offset)
{
	while (nr) {
		ssize_t n = write ? pwritev(disk->fd, iov, nr, offset) :
				    preadv(disk->fd, iov, nr, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return disk_warn(disk, write ? "write" : "read", offset, -errno);
		if (!n) {
			machine_warn(disk->machine, "%s: ends at byte %llu: it has become shorter",
				     disk->path, (unsigned long long)offset);
			return -EIO;
		}
		offset += n;
		nr = file_advance(&iov, nr, n);
	}
	return 0;
}

static int file_read(struct disk *disk, struct iovec *iov, unsigned int nr, uint64_t offset)
{
	return file_transfer(disk, false, iov, nr, offset);
}

static int file_read_cached(struct disk *disk, const struct iovec *iov, unsigned int nr, size_t len,
			    uint64_t offset)
{
	ssize_t n = preadv2(disk->fd, iov, nr, offset, disk->in_memory ? 0 : RWF_NOWAIT);

	return n >= 0 && (size_t)n == len ? 0 : -EAGAIN;
}

static int file_write(struct disk *disk, struct iovec *iov, unsigned int nr, uint64_t offset)
{
	return file_transfer(disk, true, iov, nr, offset);
}

static int file_flush(struct disk *disk)
{
	return fdatasync(disk->fd) ? -errno : 0;
}

/* The size that the host reports, or else @size. */
static uint64_t file_size(const struct disk *disk, uint64_t size)
{
	struct stat st;

	if (disk->blkdev)
		ioctl(disk->fd, BLKGETSIZE64, &size);
	else if (!fstat(disk->fd, &st))
		size = st.st_size;
	return size - size % disk->block;
}

static uint64_t file_allocated(const struct disk *disk)
{
	struct stat st;

	if (disk->blkdev)
		return disk_size(disk);
	return fstat(disk->fd, &st) ? 0 : st.st_blocks * 512ull;
}

static int file_resize(struct disk *disk, uint64_t size, struct error *err)
{
	int ret;

	if (size % disk->block)
		return error_set(err, -EINVAL, "the size must be a multiple of %u bytes", disk->block);
	if (disk->blkdev) {
		if (size == file_size(disk, 0))
			return 0;
		return error_set(err, -ENOTSUP, "a block device has the size that the host gave it, %llu bytes",
				 (unsigned long long)file_size(disk, 0));
	}
	if (disk->readonly)
		return error_set(err, -EROFS, "it is read-only");
	do {
		ret = ftruncate(disk->fd, size) ? -errno : 0;
	} while (ret == -EINTR);
	return ret ? error_set(err, ret, "%s", strerror(-ret)) : 0;
}

/* Returns 0 or -errno. Does not warn of -EOPNOTSUPP: the caller has another way. */
static int file_fallocate(struct disk *disk, int mode, uint64_t offset, uint64_t len)
{
	int ret;

	do {
		ret = fallocate(disk->fd, mode | FALLOC_FL_KEEP_SIZE, offset, len) ? -errno : 0;
	} while (ret == -EINTR);
	if (ret == -ENOSYS)
		ret = -EOPNOTSUPP;
	return ret && ret != -EOPNOTSUPP ? disk_warn(disk, "clear", offset, ret) : ret;
}

static int file_discard(struct disk *disk, uint64_t offset, uint64_t len)
{
	uint64_t range[2] = { offset, len };

	/* On a device fallocate() would ask for zeroes, which fewer devices can make quickly. */
	if (disk->blkdev) {
		if (!ioctl(disk->fd, BLKDISCARD, range))
			return 0;
		return errno == EOPNOTSUPP ? -EOPNOTSUPP :
					     disk_warn(disk, "discard", offset, -errno);
	}
	return file_fallocate(disk, FALLOC_FL_PUNCH_HOLE, offset, len);
}

static int file_zero(struct disk *disk, uint64_t offset, uint64_t len, bool unmap)
{
	int ret = -EOPNOTSUPP;

	if (unmap)
		ret = file_fallocate(disk, FALLOC_FL_PUNCH_HOLE, offset, len);
	if (ret == -EOPNOTSUPP)
		ret = file_fallocate(disk, FALLOC_FL_ZERO_RANGE, offset, len);
	return ret;
}

const struct disk_type disk_file = {
	.start = file_start,
	.stop = file_stop,
	.claim = file_claim,
	.unclaim = file_unclaim,
	.read = file_read,
	.read_cached = file_read_cached,
	.write = file_write,
	.flush = file_flush,
	.discard = file_discard,
	.zero = file_zero,
	.size = file_size,
	.allocated = file_allocated,
	.resize = file_resize,
};
