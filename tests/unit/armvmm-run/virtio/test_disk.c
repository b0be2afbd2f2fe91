// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/disk.c userspace/armvmm-run/virtio/disk_file.c userspace/armvmm-run/virtio/disk_format.c
// sources: userspace/armvmm-run/core/filelock.c
// sources: userspace/armvmm-run/core/identity.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/core/rate.c userspace/armvmm-run/core/parse.c
// cflags: -Iuserspace/armvmm-run -Itests/unit/armvmm-run -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
// pkgs: glib-2.0
// libs: -Wl,--wrap=ioctl,--wrap=fstat64,--wrap=fallocate64,--wrap=fcntl64,--wrap=pread64
//
// The host's side of a disk: its size as clients change it, and block devices, which are files here
// that the test lets look like one; and whether a lock keeps others from it.
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "core/machine.h"
#include "virtio/disk.h"
#include "ktap.h"
#include "scratch.h"

#define MIB	(1ull << 20)

int __real_fstat64(int fd, struct stat *st);
int __wrap_fstat64(int fd, struct stat *st);
int __wrap_ioctl(int fd, unsigned long request, ...);
ssize_t __real_pread64(int fd, void *buf, size_t len, off_t at);
ssize_t __wrap_pread64(int fd, void *buf, size_t len, off_t at);
int __real_fallocate64(int fd, int mode, off_t at, off_t len);
int __wrap_fallocate64(int fd, int mode, off_t at, off_t len);

int __real_fcntl64(int fd, int cmd, void *arg);
int __wrap_fcntl64(int fd, int cmd, ...);

/* The block device, if there is one. */
static struct {
	bool is_there;
	uint64_t size;
	int sector;
	int size_errno, discard_errno;
	uint64_t discarded[2];
} device;

static struct machine machine;
static unsigned int nr_warnings;
static char warning[256];

void machine_warn(struct machine *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(warning, sizeof(warning), fmt, ap);
	va_end(ap);
	nr_warnings++;
}

int __wrap_fstat64(int fd, struct stat *st)
{
	int ret = __real_fstat64(fd, st);

	if (!ret && device.is_there) {
		st->st_mode = S_IFBLK | 0600;
		st->st_size = 0;
		/* There is no such device, which takes no discards. */
		st->st_rdev = 0;
	}
	return ret;
}

/* Reads are made as if by O_DIRECT with that alignment; and one fails. */
static unsigned int aligned;
static int read_errno;

ssize_t __wrap_pread64(int fd, void *buf, size_t len, off_t at)
{
	if (aligned && (((uintptr_t)buf | len | at) & (aligned - 1)))
		read_errno = EINVAL;
	if (read_errno) {
		errno = read_errno;
		read_errno = 0;
		return -1;
	}
	return __real_pread64(fd, buf, len, at);
}

static off_t punched = -1;

int __wrap_fallocate64(int fd, int mode, off_t at, off_t len)
{
	punched = at;
	return __real_fallocate64(fd, mode, at, len);
}

static bool no_locks;	/* the file system has none */

int __wrap_fcntl64(int fd, int cmd, ...)
{
	void *arg;
	va_list ap;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (cmd != F_OFD_SETLK || !no_locks)
		return __real_fcntl64(fd, cmd, arg);
	errno = ENOLCK;
	return -1;
}

static int device_error(int code)
{
	errno = code;
	return code ? -1 : 0;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	void *arg;
	va_list ap;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (!device.is_there)
		return device_error(ENOTTY);
	switch (request) {
	case BLKGETSIZE64:
		if (!device.size_errno)
			*(uint64_t *)arg = device.size;
		return device_error(device.size_errno);
	case BLKSSZGET:
		*(int *)arg = device.sector;
		return 0;
	case BLKDISCARD:
		memcpy(device.discarded, arg, sizeof(device.discarded));
		return device_error(device.discard_errno);
	}
	return device_error(ENOTTY);
}

static int disk_try(struct disk *disk, bool readonly, bool direct, struct error *err)
{
	struct disk_config config = {
		.path = (char *)path("disk"),
		.readonly = readonly,
		.direct = direct,
	};

	memset(err, 0, sizeof(*err));
	return disk_open(disk, &machine, &config, err);
}

/* A file's size changes; the disk's follows when somebody looks. */
static void test_resize(void)
{
	struct error err;
	struct stat st;
	struct disk disk;

	KTAP_ASSERT(mkdtemp(scratch_dir));
	write_file("disk", "", 0, MIB);
	KTAP_ASSERT(!disk_try(&disk, false, false, &err));
	KTAP_EQ(disk_size(&disk), MIB);
	KTAP_EQ(disk_allocated(&disk), 0);
	KTAP_TRUE(!disk_resized(&disk));
	KTAP_EQ(disk_resize(&disk, 2 * MIB + 1, &err), (unsigned long long)-EINVAL);
	KTAP_STREQ(err.text, "the size must be a multiple of 512 bytes");
	KTAP_TRUE(!disk_resized(&disk));
	KTAP_EQ(disk_resize(&disk, 2 * MIB + 512, &err), 0);
	KTAP_EQ(disk_size(&disk), MIB);
	KTAP_TRUE(disk_resized(&disk));
	KTAP_EQ(disk_size(&disk), 2 * MIB + 512);
	KTAP_TRUE(!stat(path("disk"), &st) && st.st_size == 2 * MIB + 512);
	/* More than any file system can. */
	KTAP_EQ(disk_resize(&disk, 1ull << 63, &err), (unsigned long long)-EINVAL);
	KTAP_STREQ(err.text, "Invalid argument");
	KTAP_TRUE(!disk_resized(&disk));
	KTAP_EQ(pwrite(disk.fd, "data", 4, 4096), 4);
	KTAP_EQ(disk_flush(&disk), 0);
	KTAP_TRUE(disk_allocated(&disk) >= 512 && disk_allocated(&disk) < MIB);
	disk_close(&disk);

	KTAP_ASSERT(!disk_try(&disk, true, false, &err));
	KTAP_EQ(disk_resize(&disk, MIB, &err), (unsigned long long)-EROFS);
	KTAP_STREQ(err.text, "it is read-only");
	KTAP_TRUE(!disk_resized(&disk));
	disk_close(&disk);
	KTAP_EQ(nr_warnings, 0);
}

/* A disk that is no file, and has no lock, as a server's. */
static int server_start(struct disk *disk, const struct disk_config *config, struct error *err)
{
	disk->size = MIB;
	return 0;
}

static void server_stop(struct disk *disk)
{
}

static const char *const server_prefix[] = { "server:", NULL };
static const struct disk_type disk_server = {
	.prefix = server_prefix, .start = server_start, .stop = server_stop,
};
DISK_TYPE(disk_server);

static void guarded_by(bool readonly, bool locked, const char *unlocked)
{
	struct disk disk;
	struct error err;

	machine.guard = (struct filelock_guard){ .locked = false };
	KTAP_ASSERT(!disk_try(&disk, readonly, false, &err));
	KTAP_EQ(machine.guard.locked, locked);
	KTAP_TRUE(unlocked ? machine.guard.unlocked && !strcmp(machine.guard.unlocked, unlocked) :
			     !machine.guard.unlocked);
	disk_close(&disk);
}

/* Would somebody else who starts with the same disk be refused? */
static void test_guard(void)
{
	struct disk_config config = { .path = "server:x" };
	struct disk disk;
	struct error err;

	write_file("disk", "", 0, MIB);
	guarded_by(false, true, NULL);
	/* Who only reads has the lock that all readers have. */
	guarded_by(true, false, NULL);
	no_locks = true;
	guarded_by(false, false, path("disk"));
	guarded_by(true, false, NULL);
	no_locks = false;
	/* One whose guest comes later says so when it takes the disk. */
	machine.incoming = true;
	guarded_by(false, false, NULL);
	KTAP_ASSERT(!disk_try(&disk, false, false, &err));
	KTAP_EQ(disk_claim(&disk, &err), 0);
	KTAP_TRUE(machine.guard.locked);
	disk_close(&disk);
	machine.incoming = false;
	machine.guard = (struct filelock_guard){ .locked = false };
	KTAP_ASSERT(!disk_open(&disk, &machine, &config, &err));
	KTAP_STREQ(machine.guard.unlocked, "server:x");
	disk_close(&disk);
	machine.guard.unlocked = NULL;
	config.readonly = true;
	KTAP_ASSERT(!disk_open(&disk, &machine, &config, &err));
	KTAP_TRUE(!machine.guard.unlocked);
	disk_close(&disk);
}

/* A block device has the size that the host gives it. */
static void test_block_device(void)
{
	struct error err;
	struct disk disk;

	device.is_there = true;
	device.size = 3 * MIB;
	device.sector = 4096;
	KTAP_ASSERT(!disk_try(&disk, false, false, &err));
	KTAP_TRUE(disk.blkdev && !disk.can_discard);
	KTAP_EQ(disk_size(&disk), 3 * MIB);
	KTAP_EQ(disk.block, 512);
	KTAP_EQ(disk_allocated(&disk), 3 * MIB);
	KTAP_EQ(disk_resize(&disk, 3 * MIB, &err), 0);
	KTAP_EQ(disk_resize(&disk, 4 * MIB, &err), (unsigned long long)-ENOTSUP);
	KTAP_STREQ(err.text,
		   "a block device has the size that the host gave it, 3145728 bytes");
	KTAP_TRUE(!disk_resized(&disk));
	/* It has grown, by less than a block, too. */
	device.size = 4 * MIB + 100;
	KTAP_EQ(disk_resize(&disk, 4 * MIB, &err), 0);
	KTAP_TRUE(disk_resized(&disk));
	KTAP_EQ(disk_size(&disk), 4 * MIB);
	KTAP_EQ(disk_allocated(&disk), 4 * MIB);
	/* It is gone: the size stays. */
	device.size_errno = ENXIO;
	KTAP_TRUE(!disk_resized(&disk));
	disk_close(&disk);
	KTAP_EQ(disk_try(&disk, false, false, &err), (unsigned long long)-ENXIO);
	KTAP_TRUE(strstr(err.text, "disk: cannot get its size: "));
	device.size_errno = 0;
	KTAP_EQ(disk_try(&disk, false, false, &err), (unsigned long long)-EINVAL);
	KTAP_TRUE(strstr(err.text, "disk: its size, 4194404 bytes, is not a multiple of 512"));
	device.size = 0;
	KTAP_EQ(disk_try(&disk, false, false, &err), (unsigned long long)-EINVAL);
	KTAP_TRUE(strstr(err.text, "disk: is empty"));
}

static void test_block_device_direct(void)
{
	struct error err;
	struct disk disk;
	int ret;

	device.size = 3 * MIB;
	device.sector = 8192;
	ret = disk_try(&disk, false, true, &err);
	if (ret == -EINVAL)
		KTAP_SKIP("the file system has no O_DIRECT");
	KTAP_ASSERT(!ret);
	KTAP_EQ(disk.block, 8192);
	KTAP_EQ(disk.physical, 8192);
	KTAP_EQ(disk_resize(&disk, 3 * MIB + 4096, &err), (unsigned long long)-EINVAL);
	KTAP_STREQ(err.text, "the size must be a multiple of 8192 bytes");
	disk_close(&disk);
}

/* The device is asked, and not for zeroes; that it cannot is no warning. */
static void test_block_device_discard(void)
{
	struct error err;
	struct disk disk;

	KTAP_ASSERT(!disk_try(&disk, false, false, &err));
	KTAP_EQ(disk_discard(&disk, 4096, MIB), 0);
	KTAP_EQ(device.discarded[0], 4096);
	KTAP_EQ(device.discarded[1], MIB);
	device.discard_errno = EOPNOTSUPP;
	KTAP_EQ(disk_discard(&disk, 0, 512), (unsigned long long)-EOPNOTSUPP);
	KTAP_EQ(nr_warnings, 0);
	device.discard_errno = EIO;
	KTAP_EQ(disk_discard(&disk, 512, 512), (unsigned long long)-EIO);
	KTAP_EQ(nr_warnings, 1);
	KTAP_TRUE(strstr(warning, "disk: discard at byte 512: "));
	disk_close(&disk);
	unlink(path("disk"));
	KTAP_EQ(rmdir(scratch_dir), 0);
}

/* What can be done to a file is tried where nobody, who has it now, can be about to write. */
static void test_probe(void)
{
	struct disk_config config = { .path = NULL };
	struct error err = { "" };
	struct disk disk;

	KTAP_ASSERT(mkdtemp(scratch_dir));
	config.path = (char *)path("disk");
	write_file("disk", "", 0, 4 * MIB);
	KTAP_EQ(disk_open(&disk, &machine, &config, &err), 0);
	KTAP_EQ(punched, 4 * MIB);
	disk_close(&disk);
	machine.incoming = true;
	KTAP_EQ(disk_open(&disk, &machine, &config, &err), 0);
	KTAP_TRUE(punched > 1000000 * MIB && disk.can_discard);
	machine.incoming = false;
	disk_close(&disk);
	unlink(path("disk"));
	rmdir(scratch_dir);
	strcpy(scratch_dir + strlen(scratch_dir) - 6, "XXXXXX");
}

/* Where only whole blocks can be read, an image's mark is found all the same. */
static void test_format(void)
{
	static const uint64_t sizes[] = { 512, 4096, MIB, MIB + 512, MIB + 3584 };
	struct error err;
	struct disk disk;

	KTAP_ASSERT(mkdtemp(scratch_dir));
	for (unsigned int i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t size = sizes[i / 2];
		int fd;

		write_file("disk", "", 0, size);
		aligned = 512;
		KTAP_EQ(disk_try(&disk, true, false, &err), 0);
		disk_close(&disk);
		fd = open(path("disk"), O_WRONLY);
		KTAP_EQ(pwrite(fd, "conectix", 8, i % 2 ? size - 512 : 0), 8);
		close(fd);
		KTAP_EQ(disk_try(&disk, true, false, &err), (unsigned long long)-EINVAL);
		KTAP_TRUE(strstr(err.text, "disk: is a vhd image, and disks here are raw"));
	}
	/* What cannot be read may be anything. */
	aligned = 0;
	write_file("disk", "", 0, MIB);
	read_errno = EIO;
	KTAP_EQ(disk_try(&disk, true, false, &err), (unsigned long long)-EIO);
	KTAP_TRUE(strstr(err.text, "disk: cannot be read: Input/output error"));
	unlink(path("disk"));
	rmdir(scratch_dir);
	strcpy(scratch_dir + strlen(scratch_dir) - 6, "XXXXXX");
}

KTAP_MAIN(KTAP_CASE(test_format), KTAP_CASE(test_probe), KTAP_CASE(test_resize),
	  KTAP_CASE(test_guard),
	  KTAP_CASE(test_block_device),
	  KTAP_CASE(test_block_device_direct), KTAP_CASE(test_block_device_discard))
