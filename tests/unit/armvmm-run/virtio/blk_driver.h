/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For the tests of virtio-blk: a file, the system calls that are made on it, and requests by the
 * driver.
 */
#ifndef TESTS_UNIT_BLK_DRIVER_H
#define TESTS_UNIT_BLK_DRIVER_H

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <linux/falloc.h>
#include <linux/virtio_blk.h>

#include "armvmm-run/device_make.h"
#include "armvmm-run/virtio/virtio_driver.h"
#include "virtio/disk.h"

#define V1     (1ULL << VIRTIO_F_VERSION_1)
#define FLUSH  (1ULL << VIRTIO_BLK_F_FLUSH)
#define QSIZE  128
#define MIB    (1ULL << 20)
#define SECTOR 512

/* The driver's memory: a header and a status for each slot, and data. */
#define HDR(slot)    (DATA_GPA + (slot) * 64)
#define STATUS(slot) (DATA_GPA + (slot) * 64 + 32)
#define DATA	     (DATA_GPA + 0x10000)

static char dir[] = "/tmp/test_virtio_blk.XXXXXX";
static char path[64];
static struct driver d;

/*
 * disk.c gets these system calls instead of libc's. Tests set what they do besides, or instead of,
 * the real ones.
 */
static unsigned int nr_syncs, nr_in_syscall, max_in_syscall;
static int fail_write; /* errno */
static int fail_sync; /* errno */
static int fail_fallocate; /* errno */
static size_t short_io; /* longest transfer, 0: no limit */
static useconds_t slow_io;
static unsigned int meet_ms; /* how long one request waits for another to be in hand as well */

/* The function that ours replaces. */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void io_begin(void)
{
	unsigned int n = __atomic_add_fetch(&nr_in_syscall, 1, __ATOMIC_SEQ_CST);
	unsigned int max = __atomic_load_n(&max_in_syscall, __ATOMIC_SEQ_CST);

	while (n > max && !__atomic_compare_exchange_n(&max_in_syscall, &max, n, false,
						       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
	if (slow_io)
		usleep(slow_io);
	for (unsigned int i = 0; i < meet_ms; i++) {
		if (__atomic_load_n(&max_in_syscall, __ATOMIC_SEQ_CST) > 1)
			return;
		usleep(1000);
	}
}

static void io_end(void)
{
	__atomic_sub_fetch(&nr_in_syscall, 1, __ATOMIC_SEQ_CST);
}

static ssize_t io_vector(bool write, int fd, const struct iovec *iov, int nr, off64_t at)
{
	struct iovec one = iov[0];
	ssize_t ret;

	io_begin();
	if (short_io) {
		if (one.iov_len > short_io)
			one.iov_len = short_io;
		iov = &one;
		nr = 1;
	}
	ret = write ? REAL(pwritev64)(fd, iov, nr, at) : REAL(preadv64)(fd, iov, nr, at);
	io_end();
	return ret;
}

ssize_t preadv64(int fd, const struct iovec *iov, int nr, off64_t at)
{
	return io_vector(false, fd, iov, nr, at);
}

/* Of a file that the host has in memory, or not. */
static bool cached;
static unsigned int nr_cached, nr_asked, last_flags;

ssize_t preadv64v2(int fd, const struct iovec *iov, int nr, off64_t at, int flags)
{
	__atomic_add_fetch(&nr_asked, 1, __ATOMIC_SEQ_CST);
	last_flags = flags;
	if (!cached) {
		errno = EAGAIN;
		return -1;
	}
	__atomic_add_fetch(&nr_cached, 1, __ATOMIC_SEQ_CST);
	return REAL(preadv64)(fd, iov, nr, at);
}

ssize_t pwritev64(int fd, const struct iovec *iov, int nr, off64_t at)
{
	if (fail_write) {
		errno = fail_write;
		return -1;
	}
	return io_vector(true, fd, iov, nr, at);
}

int fdatasync(int fd)
{
	__atomic_add_fetch(&nr_syncs, 1, __ATOMIC_SEQ_CST);
	if (fail_sync) {
		errno = fail_sync;
		return -1;
	}
	return REAL(fdatasync)(fd);
}

int fallocate64(int fd, int mode, off64_t at, off64_t len)
{
	if (fail_fallocate) {
		errno = fail_fallocate;
		return -1;
	}
	return REAL(fallocate64)(fd, mode, at, len);
}

/* The disk */

static void make_file(uint64_t size)
{
	int fd;

	if (!path[0]) {
		if (!mkdtemp(dir))
			exit(1);
		snprintf(path, sizeof(path), "%s/a-disk-with-a-long-name.img", dir);
	}
	unlink(path);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	if (fd < 0 || ftruncate(fd, size)) {
		perror(path);
		exit(1);
	}
	close(fd);
}

static void peek(uint64_t at, void *buf, size_t len)
{
	int fd = open(path, O_RDONLY);

	if (pread(fd, buf, len, at) != (ssize_t)len)
		KTAP_FAIL("pread at %llu", (unsigned long long)at);
	close(fd);
}

static void poke(uint64_t at, const void *buf, size_t len)
{
	int fd = open(path, O_WRONLY);

	if (pwrite(fd, buf, len, at) != (ssize_t)len)
		KTAP_FAIL("pwrite at %llu", (unsigned long long)at);
	close(fd);
}

static int try_open(const struct disk_config *config, struct error *err)
{
	int ret;

	memset(err, 0, sizeof(*err));
	ret = device_type_find("virtio-blk")->create(&test_machine, config, err);
	return ret ? ret : device_bus_begin(&test_machine.bus, err);
}

static struct device *setup_config(const struct disk_config *config, uint64_t features)
{
	struct error err;

	test_machine_init();
	nr_syncs = max_in_syscall = 0;
	fail_write = fail_fallocate = fail_sync = 0;
	short_io = slow_io = meet_ms = 0;
	cached = false;
	nr_cached = nr_asked = 0;
	if (try_open(config, &err)) {
		printf("# %s\n", err.text);
		return NULL;
	}
	if (!driver_start(&d, test_machine.bus.dev[0], V1 | features, 1, QSIZE))
		KTAP_FAIL("features refused");
	return test_machine.bus.dev[0];
}

static struct device *setup(uint64_t size, uint64_t features)
{
	struct disk_config config = { .path = path };

	make_file(size);
	config.path = path;
	return setup_config(&config, features);
}

/* Requests */

static void submit(unsigned int slot, uint32_t type, uint64_t sector, const struct driver_buf *data,
		   unsigned int nr)
{
	struct virtio_blk_outhdr *hdr = ram(HDR(slot));
	struct driver_buf buf[QSIZE];

	hdr->type = type;
	hdr->ioprio = 0;
	hdr->sector = sector;
	*(uint8_t *)ram(STATUS(slot)) = 0xee;
	buf[0] = (struct driver_buf){ HDR(slot), sizeof(*hdr), false };
	for (unsigned int i = 0; i < nr; i++)
		buf[1 + i] = data[i];
	buf[1 + nr] = (struct driver_buf){ STATUS(slot), 1, true };
	driver_add(&d.q[0], buf, nr + 2);
}

/* Runs one request. Returns its status, and the used length. */
static uint8_t run_len(uint32_t type, uint64_t sector, const struct driver_buf *data,
		       unsigned int nr, uint32_t *len)
{
	struct vring_used_elem used;

	submit(0, type, sector, data, nr);
	driver_kick(&d, 0);
	if (!TEST_UNTIL(driver_nr_used(&d.q[0]) == 1)) {
		KTAP_FAIL("request of type %u was not answered", type);
		return 0xff;
	}
	used = driver_used(&d.q[0]);
	if (len)
		*len = used.len;
	return *(uint8_t *)ram(STATUS(0));
}

static uint8_t run(uint32_t type, uint64_t sector, const struct driver_buf *data, unsigned int nr)
{
	return run_len(type, sector, data, nr, NULL);
}

static uint8_t run_one(uint32_t type, uint64_t sector, uint32_t len)
{
	struct driver_buf buf = { DATA, len, type == VIRTIO_BLK_T_IN };

	return run(type, sector, &buf, 1);
}

static void fill(uint64_t gpa, uint32_t len, unsigned int seed)
{
	for (uint32_t i = 0; i < len; i++)
		((uint8_t *)ram(gpa))[i] = (i * 7 + (i >> 8) + seed) & 0xff;
}

#endif /* TESTS_UNIT_BLK_DRIVER_H */
