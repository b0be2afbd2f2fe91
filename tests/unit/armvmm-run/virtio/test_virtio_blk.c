// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/virtio/virtio_blk.c userspace/armvmm-run/virtio/blk_request.c
// sources: userspace/armvmm-run/virtio/vhost_user_blk.c userspace/armvmm-run/virtio/vhost_user.c
// sources: userspace/armvmm-run/virtio/vhost_wire.c userspace/armvmm-run/virtio/vhost.c
// sources: userspace/armvmm-run/virtio/disk.c userspace/armvmm-run/virtio/virtio_mmio.c
// sources: userspace/armvmm-run/virtio/disk_file.c
// sources: userspace/armvmm-run/core/filelock.c
// sources: userspace/armvmm-run/virtio/virtio_device.c userspace/armvmm-run/virtio/virtio_state.c userspace/armvmm-run/virtio/virtio_notify.c userspace/armvmm-run/virtio/doorbell.c
// sources: userspace/armvmm-run/virtio/virtqueue.c userspace/armvmm-run/core/guestmem.c
// sources: userspace/armvmm-run/core/irqline.c userspace/armvmm-run/core/device.c userspace/armvmm-run/core/record.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/fdt_builder.c
// sources: userspace/armvmm-run/core/iov.c userspace/armvmm-run/core/device_type.c
// sources: userspace/armvmm-run/core/parse.c userspace/armvmm-run/core/identity.c
// sources: userspace/armvmm-run/virtio/disk_format.c
// sources: userspace/armvmm-run/core/rate.c userspace/armvmm-run/core/thread.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
// pkgs: glib-2.0
// libs: -lfdt
//
// virtio-blk against real files, with the host's failures made where they
// cannot be had for the asking; requests past the end and of unknown types
// (docs/hazards.md 26).
#include "armvmm-run/virtio/blk_driver.h"
#include "core/blockdev.h"
#include "armvmm-run/virtio/waiting_disk.h"

static uint64_t config_read(struct device *dev, unsigned int off, unsigned int len)
{
	return dev->ops->read(dev, VIRTIO_MMIO_CONFIG + off, len);
}

#define CONFIG(dev, field)                                             \
	config_read(dev, offsetof(struct virtio_blk_config, field),    \
		    sizeof(((struct virtio_blk_config *)0)->field))

static void test_configuration(void)
{
	struct device *dev = setup(3 * MIB, FLUSH);
	uint64_t f;

	KTAP_EQ(reg_read(dev, VIRTIO_MMIO_DEVICE_ID), 2);
	KTAP_EQ(CONFIG(dev, capacity), 3 * MIB / SECTOR);
	KTAP_EQ(CONFIG(dev, blk_size), 512);
	KTAP_EQ(CONFIG(dev, seg_max), QSIZE - 2);
	KTAP_TRUE(CONFIG(dev, size_max) >= 4096);
	KTAP_EQ(CONFIG(dev, physical_block_exp), 3);
	KTAP_EQ(CONFIG(dev, min_io_size), 8);
	f = offered_features(dev);
	KTAP_TRUE(f & FLUSH);
	KTAP_TRUE(f & 1 << VIRTIO_BLK_F_SEG_MAX);
	KTAP_TRUE(f & 1 << VIRTIO_BLK_F_WRITE_ZEROES);
	KTAP_TRUE(!(f & 1 << VIRTIO_BLK_F_RO));
	KTAP_TRUE(!(f & 1 << VIRTIO_BLK_F_MQ));
	test_machine_exit();
}

static void test_write_and_read(void)
{
	struct driver_buf out[] = { { DATA, 100, false }, { DATA + 0x1000, 412, false },
				    { DATA + 0x2000, 8192, false } };
	struct driver_buf in[] = { { DATA + 0x8000, 8191, true }, { DATA + 0xb000, 513, true } };
	static uint8_t want[8704], got[8704];
	uint32_t len;

	setup(MIB, FLUSH);
	for (unsigned int limit = 0; limit < 2; limit++) {
		/* The second time the host transfers a little at a time. */
		short_io = limit ? 77 : 0;
		fill(DATA, 100, limit + 1);
		fill(DATA + 0x1000, 412, 2);
		fill(DATA + 0x2000, 8192, 3);
		memcpy(want, ram(DATA), 100);
		memcpy(want + 100, ram(DATA + 0x1000), 412);
		memcpy(want + 512, ram(DATA + 0x2000), 8192);
		KTAP_EQ(run_len(VIRTIO_BLK_T_OUT, 5 + limit * 40, out, 3, &len), VIRTIO_BLK_S_OK);
		KTAP_EQ(len, 1);
		peek((5 + limit * 40) * SECTOR, got, sizeof(got));
		KTAP_MEMEQ(got, want, sizeof(got));

		KTAP_EQ(run_len(VIRTIO_BLK_T_IN, 5 + limit * 40, in, 2, &len), VIRTIO_BLK_S_OK);
		KTAP_EQ(len, 8704 + 1);
		KTAP_MEMEQ(ram(DATA + 0x8000), want, 8191);
		KTAP_MEMEQ(ram(DATA + 0xb000), want + 8191, 513);
	}
	KTAP_TRUE(test_level[d.spi]);
	KTAP_EQ(test_warnings, 0);
	test_machine_exit();
}

static void test_beyond_four_gigabytes(void)
{
	uint64_t at = (5ULL << 30) - MIB;
	uint8_t got[512];

	setup(5ULL << 30, FLUSH);
	fill(DATA, 512, 9);
	KTAP_EQ(run_one(VIRTIO_BLK_T_OUT, at / SECTOR, 512), VIRTIO_BLK_S_OK);
	peek(at, got, 512);
	KTAP_MEMEQ(got, ram(DATA), 512);
	test_machine_exit();
}

/* A chain that is longer than the pieces in which it is handled. */
static void test_long_request(void)
{
	static uint8_t got[9 * MIB];
	struct driver_buf buf = { DATA, 9 * MIB, false };

	setup(16 * MIB, FLUSH);
	fill(DATA, 9 * MIB, 4);
	KTAP_EQ(run(VIRTIO_BLK_T_OUT, 8, &buf, 1), VIRTIO_BLK_S_OK);
	peek(8 * SECTOR, got, sizeof(got));
	KTAP_MEMEQ(got, ram(DATA), sizeof(got));
	memset(ram(DATA), 0, sizeof(got));
	buf.write = true;
	KTAP_EQ(run(VIRTIO_BLK_T_IN, 8, &buf, 1), VIRTIO_BLK_S_OK);
	KTAP_MEMEQ(got, ram(DATA), sizeof(got));
	test_machine_exit();
}

static void test_ranges(void)
{
	uint64_t last = MIB / SECTOR - 1;

	setup(MIB, FLUSH);
	KTAP_EQ(run_one(VIRTIO_BLK_T_IN, last, 512), VIRTIO_BLK_S_OK);
	KTAP_EQ(run_one(VIRTIO_BLK_T_IN, last, 1024), VIRTIO_BLK_S_IOERR);
	KTAP_EQ(run_one(VIRTIO_BLK_T_IN, last + 1, 512), VIRTIO_BLK_S_IOERR);
	KTAP_EQ(run_one(VIRTIO_BLK_T_IN, UINT64_MAX, 512), VIRTIO_BLK_S_IOERR);
	KTAP_EQ(run_one(VIRTIO_BLK_T_IN, 1ULL << 55, 512), VIRTIO_BLK_S_IOERR);
	KTAP_EQ(run_one(VIRTIO_BLK_T_IN, 0, 2 * MIB), VIRTIO_BLK_S_IOERR);
	KTAP_EQ(run_one(VIRTIO_BLK_T_IN, 0, 511), VIRTIO_BLK_S_IOERR);
	KTAP_EQ(run_one(VIRTIO_BLK_T_IN, 0, 513), VIRTIO_BLK_S_IOERR);
	KTAP_EQ(run_one(VIRTIO_BLK_T_OUT, last, 1024), VIRTIO_BLK_S_IOERR);
	KTAP_EQ(run_one(VIRTIO_BLK_T_OUT, 1ULL << 63, 512), VIRTIO_BLK_S_IOERR);
	KTAP_EQ(run_one(VIRTIO_BLK_T_OUT, 0, 100), VIRTIO_BLK_S_IOERR);
	/* None of that is the host's fault: no warning. */
	KTAP_EQ(test_warnings, 0);
	KTAP_TRUE(!driver_needs_reset(&d));
	test_machine_exit();
}

static void test_other_types(void)
{
	struct driver_buf id = { DATA, 20, true }, shorter = { DATA, 4, true };
	uint8_t serial[20];
	uint32_t len;

	setup(MIB, FLUSH);
	memset(ram(DATA), 0xaa, 32);
	KTAP_EQ(run_len(VIRTIO_BLK_T_GET_ID, 0, &id, 1, &len), VIRTIO_BLK_S_OK);
	KTAP_EQ(len, 21);
	/* A hash, which does not show the file's name. */
	KTAP_EQ(strspn(ram(DATA), "0123456789abcdef"), 20);
	memcpy(serial, ram(DATA), sizeof(serial));
	memset(ram(DATA), 0xaa, 32);
	KTAP_EQ(run(VIRTIO_BLK_T_GET_ID, 0, &shorter, 1), VIRTIO_BLK_S_OK);
	KTAP_MEMEQ(ram(DATA), serial, 4);
	KTAP_MEMEQ(ram(DATA + 4), "\xaa\xaa", 2);

	KTAP_EQ(run_len(2, 0, NULL, 0, &len), VIRTIO_BLK_S_UNSUPP);
	KTAP_EQ(len, 1);
	KTAP_EQ(run(99, 0, &id, 1), VIRTIO_BLK_S_UNSUPP);
	KTAP_EQ(run(0xffffffff, UINT64_MAX, NULL, 0), VIRTIO_BLK_S_UNSUPP);
	KTAP_EQ(run(VIRTIO_BLK_T_SECURE_ERASE, 0, NULL, 0), VIRTIO_BLK_S_UNSUPP);
	test_machine_exit();
}

static void get_serial(uint8_t *serial)
{
	struct driver_buf id = { DATA, 20, true };

	KTAP_EQ(run(VIRTIO_BLK_T_GET_ID, 0, &id, 1), VIRTIO_BLK_S_OK);
	memcpy(serial, ram(DATA), 20);
}

/* The same at each start, and another for another file; or the one that is given. */
static void test_serial(void)
{
	struct disk_config config = { .path = path }, named = { .path = path, .serial = "disk-7" };
	uint8_t first[20], again[20], other[20];
	char link[128];

	setup(MIB, FLUSH);
	get_serial(first);
	test_machine_exit();
	setup_config(&config, FLUSH);
	get_serial(again);
	KTAP_MEMEQ(first, again, 20);
	test_machine_exit();

	snprintf(link, sizeof(link), "%s/other", dir);
	KTAP_EQ(symlink(path, link), 0);
	config.path = link;
	setup_config(&config, FLUSH);
	get_serial(other);
	KTAP_TRUE(memcmp(first, other, 20));
	test_machine_exit();
	unlink(link);

	setup_config(&named, FLUSH);
	get_serial(other);
	KTAP_MEMEQ(other, "disk-7\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
	test_machine_exit();
}

/* Data that the host has lost stays lost, whatever fdatasync() says later. */
static void test_flush_fails(void)
{
	setup(MIB, FLUSH);
	KTAP_EQ(run_one(VIRTIO_BLK_T_OUT, 0, 512), VIRTIO_BLK_S_OK);
	fail_sync = EIO;
	KTAP_EQ(run(VIRTIO_BLK_T_FLUSH, 0, NULL, 0), VIRTIO_BLK_S_IOERR);
	fail_sync = 0;
	KTAP_EQ(run(VIRTIO_BLK_T_FLUSH, 0, NULL, 0), VIRTIO_BLK_S_IOERR);
	KTAP_EQ(run_one(VIRTIO_BLK_T_OUT, 0, 512), VIRTIO_BLK_S_OK);
	KTAP_EQ(run(VIRTIO_BLK_T_FLUSH, 0, NULL, 0), VIRTIO_BLK_S_IOERR);
	/* A later driver, and one that has each write flushed. */
	driver_start(&d, test_machine.bus.dev[0], V1, 1, QSIZE);
	KTAP_EQ(run_one(VIRTIO_BLK_T_OUT, 0, 512), VIRTIO_BLK_S_IOERR);
	KTAP_EQ(run_one(VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
	/* A person is told once. */
	KTAP_EQ(test_warnings, 1);
	test_machine_exit();
}

static uint64_t capacity(struct device *dev)
{
	return reg_read(dev, 0x100) | (uint64_t)reg_read(dev, 0x104) << 32;
}

/* The file grows while the guest uses it, and shrinks again. */
static void test_resize(void)
{
	struct device *dev = setup(MIB, FLUSH);
	uint32_t generation = reg_read(dev, VIRTIO_MMIO_CONFIG_GENERATION);

	KTAP_EQ(capacity(dev), 2048);
	KTAP_EQ(run_one(VIRTIO_BLK_T_OUT, 2048, 512), VIRTIO_BLK_S_IOERR);
	reg_write(dev, VIRTIO_MMIO_INTERRUPT_ACK, 3);
	KTAP_EQ(truncate(path, 3 * MIB + 100), 0);
	KTAP_TRUE(TEST_UNTIL(reg_read(dev, VIRTIO_MMIO_INTERRUPT_STATUS) & 2));
	KTAP_EQ(capacity(dev), 6144);
	/* Version 1 has no such register. */
	KTAP_TRUE(test_legacy || reg_read(dev, VIRTIO_MMIO_CONFIG_GENERATION) != generation);
	KTAP_EQ(run_one(VIRTIO_BLK_T_OUT, 6143, 512), VIRTIO_BLK_S_OK);
	KTAP_EQ(run_one(VIRTIO_BLK_T_OUT, 6144, 512), VIRTIO_BLK_S_IOERR);

	reg_write(dev, VIRTIO_MMIO_INTERRUPT_ACK, 3);
	KTAP_EQ(truncate(path, MIB), 0);
	KTAP_TRUE(TEST_UNTIL(reg_read(dev, VIRTIO_MMIO_INTERRUPT_STATUS) & 2));
	KTAP_EQ(capacity(dev), 2048);
	test_machine_exit();
}

static void test_flush(void)
{
	setup(MIB, FLUSH);
	KTAP_EQ(run_one(VIRTIO_BLK_T_OUT, 0, 512), VIRTIO_BLK_S_OK);
	KTAP_EQ(nr_syncs, 0);
	KTAP_EQ(run(VIRTIO_BLK_T_FLUSH, 0, NULL, 0), VIRTIO_BLK_S_OK);
	KTAP_EQ(nr_syncs, 1);
	test_machine_exit();

	/* A driver without FLUSH: each write is on the disk when it ends. */
	setup(MIB, 0);
	KTAP_EQ(run_one(VIRTIO_BLK_T_OUT, 0, 512), VIRTIO_BLK_S_OK);
	KTAP_EQ(nr_syncs, 1);
	KTAP_EQ(run_one(VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
	KTAP_EQ(nr_syncs, 1);
	test_machine_exit();
}

/* A disk that writes through tells the driver, and does so whatever that knows. */
static void test_write_through(void)
{
	struct disk_config config = { .path = path, .cache = disk_cache_find("writethrough") };
	struct virtio_blk_discard_write_zeroes *range;
	struct driver_buf buf = { DATA, 16, false };
	struct device *dev;

	make_file(MIB);
	dev = setup_config(&config, 0);
	KTAP_TRUE(!(offered_features(dev) & (FLUSH | 1 << VIRTIO_BLK_F_CONFIG_WCE)));
	KTAP_EQ(run_one(VIRTIO_BLK_T_OUT, 0, 512), VIRTIO_BLK_S_OK);
	KTAP_EQ(nr_syncs, 1);
	range = ram(DATA);
	*range = (struct virtio_blk_discard_write_zeroes){ .num_sectors = 8 };
	KTAP_EQ(run(VIRTIO_BLK_T_WRITE_ZEROES, 0, &buf, 1), VIRTIO_BLK_S_OK);
	KTAP_EQ(nr_syncs, 2);
	fail_sync = EIO;
	KTAP_EQ(run_one(VIRTIO_BLK_T_OUT, 0, 512), VIRTIO_BLK_S_IOERR);
	KTAP_TRUE(test_machine.disks->write_through && !test_machine.disks->no_flush);
	test_machine_exit();
}

/* Flushes of the guest do nothing, those of its operator do. */
static void test_unsafe(void)
{
	struct disk_config config = { .path = path, .cache = disk_cache_find("unsafe") };
	struct device *dev;

	make_file(MIB);
	dev = setup_config(&config, FLUSH);
	KTAP_EQ(test_warnings, 1);
	KTAP_TRUE(strstr(test_last_warning, "cache=unsafe: if the host goes down, what the guest has flushed is lost"));
	KTAP_EQ(run_one(VIRTIO_BLK_T_OUT, 0, 512), VIRTIO_BLK_S_OK);
	KTAP_EQ(run(VIRTIO_BLK_T_FLUSH, 0, NULL, 0), VIRTIO_BLK_S_OK);
	KTAP_EQ(nr_syncs, 0);
	KTAP_EQ(dev->ops->flush(dev), 0);
	KTAP_EQ(nr_syncs, 1);
	KTAP_TRUE(test_machine.disks->no_flush && !test_machine.disks->write_through);
	test_machine_exit();
	/* Nothing is lost of what is only read. */
	config.readonly = true;
	setup_config(&config, FLUSH);
	KTAP_EQ(test_warnings, 0);
	test_machine_exit();
}

static void test_read_only(void)
{
	struct disk_config config = { .path = path, .readonly = true };
	struct virtio_blk_discard_write_zeroes *range;
	struct driver_buf buf = { DATA, 16, false };
	struct device *dev;
	uint8_t got[512];

	make_file(MIB);
	poke(0, "keep", 4);
	chmod(path, 0400);
	dev = setup_config(&config, 1 << VIRTIO_BLK_F_RO);
	KTAP_TRUE(offered_features(dev) & 1 << VIRTIO_BLK_F_RO);
	KTAP_TRUE(!(offered_features(dev) &
		    (1 << VIRTIO_BLK_F_DISCARD | 1 << VIRTIO_BLK_F_WRITE_ZEROES)));
	KTAP_EQ(run_one(VIRTIO_BLK_T_OUT, 0, 512), VIRTIO_BLK_S_IOERR);
	range = ram(DATA);
	*range = (struct virtio_blk_discard_write_zeroes){ .num_sectors = 8 };
	KTAP_EQ(run(VIRTIO_BLK_T_DISCARD, 0, &buf, 1), VIRTIO_BLK_S_IOERR);
	KTAP_EQ(run(VIRTIO_BLK_T_WRITE_ZEROES, 0, &buf, 1), VIRTIO_BLK_S_IOERR);
	KTAP_EQ(run(VIRTIO_BLK_T_FLUSH, 0, NULL, 0), VIRTIO_BLK_S_OK);
	peek(0, got, 512);
	KTAP_MEMEQ(got, "keep", 5);
	KTAP_EQ(run_one(VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
	KTAP_MEMEQ(ram(DATA), "keep", 5);
	/* Refused before the host has to refuse. */
	KTAP_EQ(test_warnings, 0);
	test_machine_exit();
}

static void test_host_is_full(void)
{
	struct rlimit was, small;

	setup(MIB, FLUSH);
	fail_write = ENOSPC;
	KTAP_EQ(run_one(VIRTIO_BLK_T_OUT, 0, 4096), VIRTIO_BLK_S_IOERR);
	KTAP_EQ(test_warnings, 1);
	fail_write = 0;
	KTAP_EQ(run_one(VIRTIO_BLK_T_OUT, 0, 4096), VIRTIO_BLK_S_OK);

	/* A real failure, by a limit: in the middle of a write. */
	getrlimit(RLIMIT_FSIZE, &was);
	small = was;
	small.rlim_cur = 64 * 1024 + 512;
	setrlimit(RLIMIT_FSIZE, &small);
	KTAP_EQ(run_one(VIRTIO_BLK_T_OUT, 120, 16 * 1024), VIRTIO_BLK_S_IOERR);
	KTAP_EQ(run_one(VIRTIO_BLK_T_OUT, 1000, 512), VIRTIO_BLK_S_IOERR);
	KTAP_EQ(run_one(VIRTIO_BLK_T_OUT, 0, 512), VIRTIO_BLK_S_OK);
	KTAP_EQ(run_one(VIRTIO_BLK_T_IN, 1000, 512), VIRTIO_BLK_S_OK);
	setrlimit(RLIMIT_FSIZE, &was);
	KTAP_EQ(test_warnings, 3);
	KTAP_TRUE(!driver_needs_reset(&d));
	test_machine_exit();
}

static void test_disk_shrinks(void)
{
	setup(MIB, FLUSH);
	KTAP_EQ(truncate(path, 4096), 0);
	KTAP_EQ(run_one(VIRTIO_BLK_T_IN, 0, 4096), VIRTIO_BLK_S_OK);
	KTAP_EQ(run_one(VIRTIO_BLK_T_IN, 7, 1024), VIRTIO_BLK_S_IOERR);
	KTAP_EQ(run_one(VIRTIO_BLK_T_IN, 100, 512), VIRTIO_BLK_S_IOERR);
	KTAP_EQ(test_warnings, 2);
	test_machine_exit();
}

static uint8_t run_range(uint32_t type, uint64_t sector, uint32_t nr, uint32_t flags)
{
	struct driver_buf buf = { DATA, 16, false };

	*(struct virtio_blk_discard_write_zeroes *)ram(DATA) =
		(struct virtio_blk_discard_write_zeroes){ sector, nr, flags };
	return run(type, 0, &buf, 1);
}

static void test_discard_and_zeroes(void)
{
	struct virtio_blk_discard_write_zeroes *range;
	struct driver_buf buf = { DATA, 0, false };
	static uint8_t ones[MIB], got[MIB], zero[MIB];
	struct stat before, after;

	memset(ones, 0xff, MIB);
	setup(MIB, FLUSH);
	poke(0, ones, MIB);
	stat(path, &before);
	if (offered_features(d.dev) & 1 << VIRTIO_BLK_F_DISCARD) {
		KTAP_EQ(CONFIG(d.dev, write_zeroes_may_unmap), 1);
		KTAP_EQ(run_range(VIRTIO_BLK_T_DISCARD, 256, 512, 0), VIRTIO_BLK_S_OK);
		stat(path, &after);
		KTAP_TRUE(after.st_blocks <= before.st_blocks - 512);
		KTAP_EQ(after.st_size, MIB);
		KTAP_EQ(run_range(VIRTIO_BLK_T_DISCARD, 0, 8, 1), VIRTIO_BLK_S_UNSUPP);
		KTAP_EQ(run_range(VIRTIO_BLK_T_DISCARD, 2047, 2, 0), VIRTIO_BLK_S_IOERR);
	}
	/* By a hole, by the file system, and by writing: exactly the range is zeroed. */
	for (unsigned int way = 0; way < 3; way++) {
		poke(0, ones, MIB);
		fail_fallocate = way == 2 ? EOPNOTSUPP : 0;
		KTAP_EQ(run_range(VIRTIO_BLK_T_WRITE_ZEROES, 3, 1001, way == 0), VIRTIO_BLK_S_OK);
		peek(0, got, MIB);
		KTAP_MEMEQ(got, ones, 3 * SECTOR);
		KTAP_MEMEQ(got + 3 * SECTOR, zero, 1001 * SECTOR);
		KTAP_MEMEQ(got + 1004 * SECTOR, ones, MIB - 1004 * SECTOR);
	}
	fail_fallocate = EIO;
	KTAP_EQ(run_range(VIRTIO_BLK_T_WRITE_ZEROES, 0, 8, 0), VIRTIO_BLK_S_IOERR);
	fail_fallocate = 0;
	KTAP_EQ(run_range(VIRTIO_BLK_T_WRITE_ZEROES, 0, 8, 2), VIRTIO_BLK_S_UNSUPP);
	KTAP_EQ(run_range(VIRTIO_BLK_T_WRITE_ZEROES, 2040, 9, 0), VIRTIO_BLK_S_IOERR);
	KTAP_EQ(run_range(VIRTIO_BLK_T_WRITE_ZEROES, UINT64_MAX, 2, 0), VIRTIO_BLK_S_IOERR);
	KTAP_EQ(run_range(VIRTIO_BLK_T_WRITE_ZEROES, 0, 0xffffffff, 0), VIRTIO_BLK_S_IOERR);
	KTAP_EQ(run_range(VIRTIO_BLK_T_WRITE_ZEROES, 0, 0, 0), VIRTIO_BLK_S_OK);

	/* Several ranges; lists that are too long, or end in the middle of a range. */
	poke(0, ones, MIB);
	range = ram(DATA);
	for (unsigned int i = 0; i < 17; i++)
		range[i] = (struct virtio_blk_discard_write_zeroes){ .sector = i * 10,
								     .num_sectors = 1 };
	buf.len = 16 * 16;
	KTAP_EQ(run(VIRTIO_BLK_T_WRITE_ZEROES, 0, &buf, 1), VIRTIO_BLK_S_OK);
	peek(0, got, MIB);
	KTAP_MEMEQ(got + 150 * SECTOR, zero, SECTOR);
	KTAP_MEMEQ(got + 151 * SECTOR, ones, SECTOR);
	buf.len = 17 * 16;
	KTAP_EQ(run(VIRTIO_BLK_T_WRITE_ZEROES, 0, &buf, 1), VIRTIO_BLK_S_IOERR);
	buf.len = 24;
	KTAP_EQ(run(VIRTIO_BLK_T_WRITE_ZEROES, 0, &buf, 1), VIRTIO_BLK_S_IOERR);
	KTAP_EQ(run(VIRTIO_BLK_T_WRITE_ZEROES, 0, NULL, 0), VIRTIO_BLK_S_IOERR);
	test_machine_exit();

	/* A file system without holes: the feature is not offered. */
	make_file(MIB);
	test_machine_init();
	fail_fallocate = EOPNOTSUPP;
	KTAP_EQ(try_open(&(struct disk_config){ .path = path }, &(struct error){ "" }), 0);
	KTAP_TRUE(!(offered_features(test_machine.bus.dev[0]) & 1 << VIRTIO_BLK_F_DISCARD));
	KTAP_TRUE(driver_start(&d, test_machine.bus.dev[0], V1 | FLUSH, 1, QSIZE));
	KTAP_EQ(run_range(VIRTIO_BLK_T_DISCARD, 0, 8, 0), VIRTIO_BLK_S_UNSUPP);
	fail_fallocate = 0;
	test_machine_exit();
}

static void test_malformed_requests(void)
{
	static const struct {
		const char *what;
		unsigned int nr;
		struct driver_buf buf[3];
	} bad[] = {
		{ "no header", 1, { { STATUS(0), 1, true } } },
		{ "half a header", 2, { { HDR(0), 15, false }, { STATUS(0), 1, true } } },
		{ "no status", 1, { { HDR(0), 16, false } } },
		{ "no status, but data", 2, { { HDR(0), 16, false }, { DATA, 512, false } } },
	};
	static const struct driver_buf split[] = {
		{ HDR(0), 1, false },	{ HDR(0) + 1, 14, false }, { HDR(0) + 15, 1, false },
		{ DATA, 511, true },	{ DATA + 511, 2, true },
	};
	struct device *dev = setup(MIB, FLUSH);

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(ram(HDR(0)), 0, 64);
		KTAP_TRUE(driver_start(&d, dev, V1, 1, QSIZE));
		driver_add(&d.q[0], bad[i].buf, bad[i].nr);
		driver_kick(&d, 0);
		if (!TEST_UNTIL(driver_needs_reset(&d)))
			KTAP_FAIL("%s: was accepted", bad[i].what);
		KTAP_EQ(driver_nr_used(&d.q[0]), 0);
	}
	/* The driver may cut up header, data and status as it likes (2.7.4.1). */
	KTAP_TRUE(driver_start(&d, dev, V1, 1, QSIZE));
	memset(ram(HDR(0)), 0, 64);
	poke(0, "0123", 4);
	memset(ram(DATA), 0xee, 513);
	driver_add(&d.q[0], split, 5);
	driver_kick(&d, 0);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[0]) == 1));
	KTAP_EQ(driver_used(&d.q[0]).len, 513);
	KTAP_MEMEQ(ram(DATA), "0123", 5);
	KTAP_EQ(((uint8_t *)ram(DATA))[512], VIRTIO_BLK_S_OK);
	test_machine_exit();
}

static void test_many_at_once(void)
{
	struct driver_buf buf = { 0, 4096, true };
	bool seen[42] = { false };

	setup(MIB, FLUSH);
	for (unsigned int i = 0; i < 42; i++) {
		uint32_t mark = i + 1000;

		poke(i * 4096, &mark, 4);
	}
	meet_ms = 8000;
	for (unsigned int i = 0; i < 42; i++) {
		buf.gpa = DATA + i * 4096;
		submit(i, VIRTIO_BLK_T_IN, i * 8, &buf, 1);
	}
	driver_kick(&d, 0);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[0]) == 42));
	for (unsigned int i = 0; i < 42; i++) {
		struct vring_used_elem e = driver_used(&d.q[0]);

		KTAP_ASSERT(e.id % 3 == 0 && e.id / 3 < 42 && !seen[e.id / 3]);
		seen[e.id / 3] = true;
		KTAP_EQ(*(uint32_t *)ram(DATA + i * 4096), i + 1000);
		KTAP_EQ(*(uint8_t *)ram(STATUS(i)), VIRTIO_BLK_S_OK);
	}
	/* The host had several of them in flight. */
	KTAP_TRUE(max_in_syscall > 1);
	test_machine_exit();
}

/* After a reset the guest may reuse its memory at once. */
static void test_reset_in_flight(void)
{
	struct driver_buf buf = { 0, 64 * 1024, true };
	static uint8_t ones[MIB];
	struct device *dev;

	memset(ones, 0xff, MIB);
	dev = setup(MIB, FLUSH);
	poke(0, ones, MIB);
	for (unsigned int round = 0; round < 20; round++) {
		unsigned int changed = 0;

		slow_io = round * 100;
		for (unsigned int i = 0; i < 16; i++) {
			buf.gpa = DATA + i * 65536;
			submit(i, VIRTIO_BLK_T_IN, i * 128, &buf, 1);
		}
		driver_kick(&d, 0);
		usleep(round * 97);
		if (round % 2)
			reg_write(dev, VIRTIO_MMIO_STATUS, 0);
		else
			dev->ops->reset(dev);
		memset(ram(RING_GPA(0)), 0, 0x4000);
		memset(ram(DATA_GPA), 0, MIB + 0x10000);
		usleep(3000);
		for (uint32_t i = 0; i < MIB + 0x10000; i++)
			changed += ((uint8_t *)ram(DATA_GPA))[i];
		KTAP_EQ(changed, 0);
		KTAP_EQ(d.q[0].used->idx, 0);
		KTAP_TRUE(driver_start(&d, dev, V1 | FLUSH, 1, QSIZE));
	}
	slow_io = 0;
	KTAP_EQ(run_one(VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
	/* The machine ends with requests in flight. */
	slow_io = 2000;
	for (unsigned int i = 0; i < 16; i++) {
		buf.gpa = DATA + i * 65536;
		submit(i, VIRTIO_BLK_T_IN, i * 128, &buf, 1);
	}
	driver_kick(&d, 0);
	usleep(500);
	test_machine_exit();
}

/* Reads a notification as soon as the main thread is about to, and so before it does. */
static int quicker_fd = -1;

static gboolean quicker_prepare(GSource *source, gint *timeout)
{
	(void)source;
	*timeout = -1;
	return quicker_fd >= 0;
}

static gboolean quicker_dispatch(GSource *source, GSourceFunc callback, gpointer opaque)
{
	eventfd_t count;

	(void)source, (void)callback, (void)opaque;
	/* Unless the worker was quicker yet. */
	(void)eventfd_read(quicker_fd, &count);
	quicker_fd = -1;
	return G_SOURCE_CONTINUE;
}

/*
 * A driver resets the device and notifies it. The worker, which still waited for that, and the main
 * thread both wake; the one that comes second finds nothing, and must not wait for more.
 */
static void test_kick_at_reset(void)
{
	static GSourceFuncs funcs = { .prepare = quicker_prepare, .dispatch = quicker_dispatch };
	GSource *quicker = g_source_new(&funcs, sizeof(GSource));
	struct device *dev;
	int fd;

	/* Before the device's, and so asked before it. */
	g_source_attach(quicker, NULL);
	test_kernel_kicks = true;
	dev = setup(MIB, FLUSH);
	for (int i = 0; i < 80; i++)
		KTAP_EQ(run_one(VIRTIO_BLK_T_OUT, 0, 512), VIRTIO_BLK_S_OK);
	KTAP_ASSERT(TEST_UNTIL(test_kick_fd >= 0));
	fd = test_kick_fd;
	reg_write(dev, VIRTIO_MMIO_STATUS, 0);
	test_loop();
	KTAP_EQ(eventfd_write(fd, 1), 0);
	quicker_fd = fd;
	alarm(20);
	test_loop();
	alarm(0);
	KTAP_EQ(quicker_fd, -1);
	KTAP_TRUE(driver_start(&d, dev, V1 | FLUSH, 1, QSIZE));
	KTAP_EQ(run_one(VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
	test_machine_exit();
	g_source_destroy(quicker);
	g_source_unref(quicker);
	test_kernel_kicks = false;
}

/* Runs @nr writes of @len bytes, all at once. Returns how long they took, in ms. */
static unsigned int timed_writes(const struct disk_config *config, unsigned int nr, uint32_t len)
{
	gint64 start = g_get_monotonic_time();

	make_file(8 * MIB);
	setup_config(config, FLUSH);
	for (unsigned int i = 0; i < nr; i++)
		submit(i, VIRTIO_BLK_T_OUT, i * len / 512,
		       &(struct driver_buf){ DATA, len, false }, 1);
	driver_kick(&d, 0);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[0]) == nr));
	for (unsigned int i = 0; i < nr; i++)
		KTAP_EQ(*(uint8_t *)ram(STATUS(i)), VIRTIO_BLK_S_OK);
	test_machine_exit();
	return (g_get_monotonic_time() - start) / 1000;
}

/* A busy machine may be slower than the rates, but never faster. */
static void test_rates(void)
{
	const struct disk_config bytes = { .path = path, .bps = 4 * MIB };
	const struct disk_config requests = { .path = path, .iops = 20 };

	/* The bucket has 100 ms' worth, and the last request goes into debt. */
	KTAP_TRUE(timed_writes(&bytes, 3, MIB) >= 400);
	KTAP_TRUE(timed_writes(&requests, 12, 512) >= 450);
}

/* A request that waits for an hour's worth of bytes does not delay a reset, or the end. */
static void test_reset_of_waiting(void)
{
	const struct disk_config config = { .path = path, .bps = 100 };
	struct driver_buf buf = { DATA, 64 * 1024, false };
	gint64 start = g_get_monotonic_time();
	struct device *dev;

	make_file(MIB);
	dev = setup_config(&config, FLUSH);
	for (unsigned int round = 0; round < 2; round++) {
		for (unsigned int i = 0; i < 4; i++)
			submit(i, VIRTIO_BLK_T_OUT, i * 128, &buf, 1);
		driver_kick(&d, 0);
		usleep(20000);
		KTAP_TRUE(driver_nr_used(&d.q[0]) < 4);
		if (!round) {
			dev->ops->reset(dev);
			KTAP_TRUE(driver_start(&d, dev, V1 | FLUSH, 1, QSIZE));
		}
	}
	test_machine_exit();
	KTAP_TRUE(g_get_monotonic_time() - start < 10 * G_USEC_PER_SEC);
}

static void test_direct(void)
{
	struct disk_config config = { .path = path, .direct = true };
	struct driver_buf odd[] = { { DATA + 1, 1023, false }, { DATA + 0x3003, 200705, false } };
	struct driver_buf in = { DATA + 0x60007, 201728, true };
	struct driver_buf even = { DATA, 8192, false };
	static uint8_t want[201728], got[201728];
	struct device *dev;
	uint64_t block;

	make_file(MIB);
	dev = setup_config(&config, FLUSH);
	if (!dev) {
		test_machine_exit();
		KTAP_SKIP("no O_DIRECT where the test's files are");
	}
	block = CONFIG(dev, blk_size);
	KTAP_TRUE(block >= 512 && block <= 4096);
	/* Buffers at odd addresses go through the bounce buffer, in several pieces. */
	fill(DATA + 1, 1023, 1);
	fill(DATA + 0x3003, 200705, 2);
	memcpy(want, ram(DATA + 1), 1023);
	memcpy(want + 1023, ram(DATA + 0x3003), 200705);
	if (block == 512) {
		KTAP_EQ(run(VIRTIO_BLK_T_OUT, 8, odd, 2), VIRTIO_BLK_S_OK);
		peek(8 * SECTOR, got, sizeof(got));
		KTAP_MEMEQ(got, want, sizeof(got));
		KTAP_EQ(run(VIRTIO_BLK_T_IN, 8, &in, 1), VIRTIO_BLK_S_OK);
		KTAP_MEMEQ(ram(DATA + 0x60007), want, sizeof(got));
	} else {
		KTAP_EQ(run_one(VIRTIO_BLK_T_IN, 1, 512), VIRTIO_BLK_S_IOERR);
	}
	fill(DATA, 8192, 7);
	KTAP_EQ(run(VIRTIO_BLK_T_OUT, 16, &even, 1), VIRTIO_BLK_S_OK);
	peek(16 * SECTOR, got, 8192);
	KTAP_MEMEQ(got, ram(DATA), 8192);
	test_machine_exit();
}

/* Whether files of the test's folder can be opened so, whatever armvmm-run thinks of it. */
static bool has_direct(void)
{
	int fd = open(path, O_RDONLY | O_DIRECT);

	close(fd);
	return fd >= 0;
}

static void expect_error(const struct disk_config *config, int code, const char *text)
{
	struct error err;
	int ret = try_open(config, &err);

	if (ret != code || !strstr(err.text, config->path) || !strstr(err.text, text))
		KTAP_FAIL("%s: %d, \"%s\", not %d, \"...%s...\"", config->path, ret, err.text, code,
			  text);
}

static void test_bad_files(void)
{
	struct disk_config config = { .path = path };
	static const struct {
		const char *name;
		uint64_t at;
		const char *mark;
	} marks[] = {
		{ "qcow2", 0, "QFI\xfb" }, { "qed", 0, "QED" }, { "vmdk", 0, "KDMV" },
		{ "vmdk", 0, "COWD" }, { "vmdk", 0, "# Disk DescriptorFile" },
		{ "vdi", 64, "\x7f\x10\xda\xbe" }, { "vhdx", 0, "vhdxfile" },
		{ "vhd", 0, "conectix" }, { "vhd", MIB, "conectix" },
		{ "parallels", 0, "WithoutFreeSpace" }, { "parallels", 0, "WithouFreSpacExt" },
		{ "dmg", MIB, "koly" },
	};
	char fifo[64], text[64];
	int fd;

	test_machine_init();
	make_file(MIB);
	expect_error(&(struct disk_config){ .path = "/nonexistent/disk.img" }, -ENOENT,
		     "No such file");
	expect_error(&(struct disk_config){ .path = dir }, -EISDIR, "is a directory");
	expect_error(&(struct disk_config){ .path = dir, .readonly = true }, -EISDIR,
		     "is a directory");
	expect_error(&(struct disk_config){ .path = "/dev/null" }, -EINVAL, "neither");
	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	mkfifo(fifo, 0600);
	expect_error(&(struct disk_config){ .path = fifo }, -EINVAL, "neither");
	expect_error(&(struct disk_config){ .path = fifo, .readonly = true }, -EINVAL, "neither");
	unlink(fifo);

	KTAP_EQ(truncate(path, 0), 0);
	expect_error(&config, -EINVAL, "is empty");
	KTAP_EQ(truncate(path, 1000), 0);
	expect_error(&config, -EINVAL, "not a multiple of 512");
	KTAP_EQ(truncate(path, MIB), 0);

	/*
	 * Images that are not raw, recognized by their marks, also past the page cache; with
	 * format=raw they are accepted.
	 */
	for (unsigned int i = 0; i < 2 * sizeof(marks) / sizeof(marks[0]); i++) {
		uint64_t at = marks[i / 2].at;

		make_file(MIB + 512);
		poke(at, marks[i / 2].mark, strlen(marks[i / 2].mark));
		snprintf(text, sizeof(text), ": is a %s image", marks[i / 2].name);
		config.direct = i % 2 && has_direct();
		expect_error(&config, -EINVAL, text);
		config.raw = true;
		KTAP_EQ(try_open(&config, &(struct error){ "" }), 0);
		config.raw = config.direct = false;
		test_machine_exit();
		test_machine_init();
	}
	make_file(MIB);

	/* In use: one writer, or several readers. */
	fd = open(path, O_RDWR);
	KTAP_EQ(fcntl(fd, F_OFD_SETLK, &(struct flock){ .l_type = F_RDLCK }), 0);
	expect_error(&config, -EBUSY, "in use");
	config.readonly = true;
	KTAP_EQ(try_open(&config, &(struct error){ "" }), 0);
	KTAP_EQ(try_open(&config, &(struct error){ "" }), 0);
	KTAP_EQ(fcntl(fd, F_OFD_SETLK, &(struct flock){ .l_type = F_WRLCK }), -1);
	close(fd);
	config.readonly = false;
	expect_error(&config, -EBUSY, "in use");
	test_machine_exit();

	/* The lock goes with the machine. */
	test_machine_init();
	KTAP_EQ(try_open(&config, &(struct error){ "" }), 0);
	test_machine_exit();
	unlink(path);
	rmdir(dir);
}

/* ---- Reads of what the host has in memory ---- */

/* Submits one read. Returns whether it was done when the notification had been. */
static bool read_at_once(uint32_t len)
{
	struct driver_buf buf = { DATA, len, true };
	bool at_once;

	memset(ram(DATA), 0, len);
	submit(0, VIRTIO_BLK_T_IN, 3, &buf, 1);
	driver_kick(&d, 0);
	at_once = driver_nr_used(&d.q[0]);
	KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[0]) == 1));
	KTAP_EQ(driver_used(&d.q[0]).len, len + 1);
	KTAP_EQ(*(uint8_t *)ram(STATUS(0)), VIRTIO_BLK_S_OK);
	return at_once;
}

/* Reads until one was done at once: a worker may still be on its way to its sleep. */
static bool gets_read_at_once(uint32_t len)
{
	for (int i = 0; i < 500; i++) {
		if (read_at_once(len))
			return true;
		usleep(10000);
	}
	return false;
}

static void test_cached(void)
{
	static uint8_t want[64 * 1024];
	unsigned int edges, asked;

	setup(MIB, FLUSH);
	fill(DATA, sizeof(want), 5);
	memcpy(want, ram(DATA), sizeof(want));
	KTAP_EQ(run_one(VIRTIO_BLK_T_OUT, 3, sizeof(want)), VIRTIO_BLK_S_OK);
	cached = true;
	KTAP_TRUE(gets_read_at_once(4096));
	KTAP_EQ(last_flags, RWF_NOWAIT);
	/* From now on all of them are: nobody else has woken a worker. */
	for (int i = 0; i < 100; i++) {
		edges = test_edges[d.spi];
		reg_write(d.dev, VIRTIO_MMIO_INTERRUPT_ACK, 3);
		KTAP_TRUE(read_at_once(512 << i % 6));
		KTAP_MEMEQ(ram(DATA), want, 512 << i % 6);
		KTAP_EQ(test_edges[d.spi], edges + 1);
	}
	/* It may take some, but not the vCPU's time. */
	asked = nr_asked;
	read_at_once(32 * 1024);
	KTAP_EQ(nr_asked, asked);
	KTAP_MEMEQ(ram(DATA), want, 32 * 1024);
	/* What is wrong is so for the workers, too; and what is no read they do. */
	KTAP_EQ(run_one(VIRTIO_BLK_T_IN, MIB / 512, 512), VIRTIO_BLK_S_IOERR);
	KTAP_EQ(run_one(VIRTIO_BLK_T_IN, 3, 100), VIRTIO_BLK_S_IOERR);
	KTAP_EQ(run_one(VIRTIO_BLK_T_OUT, 3, 512), VIRTIO_BLK_S_OK);
	KTAP_EQ(nr_asked, asked);
	/* It has left the host's memory. */
	KTAP_TRUE(gets_read_at_once(512));
	cached = false;
	asked = nr_asked;
	nr_cached = 0;
	read_at_once(512);
	KTAP_TRUE(nr_asked > asked);
	KTAP_EQ(nr_cached, 0);
	test_machine_exit();
}

/* More at a time than a vCPU should do: none is forgotten. */
static void test_cached_many(void)
{
	struct driver_buf buf = { DATA, 512, true };

	setup(MIB, FLUSH);
	cached = true;
	KTAP_TRUE(gets_read_at_once(512));
	for (int round = 0; round < 50; round++) {
		for (unsigned int i = 0; i < 5; i++)
			submit(i, VIRTIO_BLK_T_IN, i, &buf, 1);
		driver_kick(&d, 0);
		KTAP_TRUE(TEST_UNTIL(driver_nr_used(&d.q[0]) == 5));
		for (unsigned int i = 0; i < 5; i++)
			driver_used(&d.q[0]);
	}
	test_machine_exit();
}

/* A disk with rates, or past the cache, has its workers wait. */
static void test_cached_not(void)
{
	struct disk_config config = { .path = path, .iops = 100000 };

	make_file(MIB);
	setup_config(&config, FLUSH);
	cached = true;
	for (int i = 0; i < 20; i++)
		KTAP_EQ(run_one(VIRTIO_BLK_T_IN, 0, 512), VIRTIO_BLK_S_OK);
	KTAP_EQ(nr_asked, 0);
	test_machine_exit();
}

/* Who is notified is chosen by what the requests are like. */
static void test_who_is_notified(void)
{
	test_kernel_kicks = true;
	setup(MIB, FLUSH);
	KTAP_EQ(test_kick_fd, -1);
	for (int i = 0; i < 80; i++)
		KTAP_EQ(run_one(VIRTIO_BLK_T_OUT, 0, 512), VIRTIO_BLK_S_OK);
	KTAP_TRUE(TEST_UNTIL(test_kick_fd >= 0));
	/* Now they are short reads of the cache: the workers notice. */
	cached = true;
	for (int i = 0; i < 80; i++)
		read_at_once(512);
	KTAP_TRUE(nr_cached >= 80);
	KTAP_TRUE(TEST_UNTIL(test_kick_fd < 0));
	KTAP_TRUE(gets_read_at_once(512));
	/* A few of the other kind change nothing. */
	cached = false;
	for (int i = 0; i < 10; i++)
		KTAP_EQ(run_one(VIRTIO_BLK_T_OUT, 0, 512), VIRTIO_BLK_S_OK);
	for (gint64 end = g_get_monotonic_time() + 5 * G_USEC_PER_SEC / 2;
	     g_get_monotonic_time() < end; g_usleep(10000))
		test_loop();
	KTAP_EQ(test_kick_fd, -1);
	test_machine_exit();
	test_kernel_kicks = false;
}

static void block_signals(void)
{
	sigset_t all;

	/* As in armvmm-run's threads: SIGXFSZ is blocked, too. */
	sigfillset(&all);
	sigdelset(&all, SIGINT);
	sigdelset(&all, SIGTERM);
	sigdelset(&all, SIGALRM);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
}

static void test_signals_blocked(void)
{
	sigset_t now;

	block_signals();
	pthread_sigmask(SIG_SETMASK, NULL, &now);
	KTAP_TRUE(sigismember(&now, SIGXFSZ));
}

KTAP_MAIN(KTAP_CASE(test_signals_blocked), KTAP_CASE(test_configuration),
	  KTAP_CASE(test_write_and_read), KTAP_CASE(test_beyond_four_gigabytes),
	  KTAP_CASE(test_long_request), KTAP_CASE(test_ranges), KTAP_CASE(test_other_types),
	  KTAP_CASE(test_flush), KTAP_CASE(test_write_through), KTAP_CASE(test_unsafe),
	  KTAP_CASE(test_flush_fails), KTAP_CASE(test_serial),
	  KTAP_CASE(test_resize), KTAP_CASE(test_read_only), KTAP_CASE(test_host_is_full),
	  KTAP_CASE(test_disk_shrinks), KTAP_CASE(test_discard_and_zeroes),
	  KTAP_CASE(test_malformed_requests), KTAP_CASE(test_many_at_once),
	  KTAP_CASE(test_reset_in_flight), KTAP_CASE(test_kick_at_reset),
	  KTAP_CASE(test_rates), KTAP_CASE(test_reset_of_waiting),
	  KTAP_CASE(test_abandoned),
	  KTAP_CASE(test_direct), KTAP_CASE(test_cached), KTAP_CASE(test_cached_many),
	  KTAP_CASE(test_cached_not), KTAP_CASE(test_who_is_notified), KTAP_CASE(test_bad_files))
