/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For test_virtio_blk.c: a disk whose requests end only when nobody wants them any more, or after a
 * long time.
 */
#ifndef TESTS_UNIT_WAITING_DISK_H
#define TESTS_UNIT_WAITING_DISK_H

#include "armvmm-run/virtio/blk_driver.h"

#define WAITING_MS	8000

static unsigned int nr_waiting, nr_waited_long;

static int waiting_start(struct disk *disk, const struct disk_config *config, struct error *err)
{
	disk->size = MIB;
	disk->can_discard = true;
	return 0;
}

static void waiting_stop(struct disk *disk)
{
}

static int waiting_wait(struct disk *disk)
{
	__atomic_add_fetch(&nr_waiting, 1, __ATOMIC_SEQ_CST);
	for (unsigned int i = 0; i < WAITING_MS; i++) {
		if (disk_is_abandoned(disk))
			return -ECANCELED;
		usleep(1000);
	}
	__atomic_add_fetch(&nr_waited_long, 1, __ATOMIC_SEQ_CST);
	return 0;
}

static int waiting_move(struct disk *disk, struct iovec *iov, unsigned int nr, uint64_t offset)
{
	return waiting_wait(disk);
}

static int waiting_discard(struct disk *disk, uint64_t offset, uint64_t len)
{
	return waiting_wait(disk);
}

static int waiting_zero(struct disk *disk, uint64_t offset, uint64_t len, bool unmap)
{
	return waiting_wait(disk);
}

static uint64_t waiting_size(const struct disk *disk, uint64_t size)
{
	return size;
}

static uint64_t waiting_allocated(const struct disk *disk)
{
	return 0;
}

static const char *const waiting_prefix[] = { "waiting:", NULL };

static const struct disk_type disk_waiting = {
	.prefix = waiting_prefix,
	.start = waiting_start,
	.stop = waiting_stop,
	.read = waiting_move,
	.write = waiting_move,
	.flush = waiting_wait,
	.discard = waiting_discard,
	.zero = waiting_zero,
	.size = waiting_size,
	.allocated = waiting_allocated,
};
DISK_TYPE(disk_waiting);

/* Each kind of request ends when the guest resets the disk, and its lasting promise is not lost. */
static void test_abandoned(void)
{
	static const uint32_t types[] = { VIRTIO_BLK_T_IN, VIRTIO_BLK_T_OUT, VIRTIO_BLK_T_FLUSH,
					  VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_WRITE_ZEROES };
	char name[] = "waiting:";
	struct disk_config config = { .path = name };
	struct device *dev = setup_config(&config, FLUSH | 1ULL << VIRTIO_BLK_F_DISCARD);

	for (unsigned int i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct virtio_blk_discard_write_zeroes range[2] = { { 0, 8, 0 }, { 8, 8, 0 } };
		struct driver_buf buf = { DATA, 512, types[i] == VIRTIO_BLK_T_IN };

		if (types[i] >= VIRTIO_BLK_T_DISCARD)
			buf.len = sizeof(range);
		memcpy(ram(DATA), range, sizeof(range));
		nr_waiting = 0;
		submit(0, types[i], 0, &buf, types[i] != VIRTIO_BLK_T_FLUSH);
		driver_kick(&d, 0);
		KTAP_TRUE(TEST_UNTIL(__atomic_load_n(&nr_waiting, __ATOMIC_SEQ_CST)));
		dev->ops->reset(dev);
		KTAP_EQ(nr_waiting, 1);
		KTAP_TRUE(driver_start(&d, dev, V1 | FLUSH, 1, QSIZE));
	}
	KTAP_EQ(nr_waited_long, 0);
	KTAP_EQ(test_warnings, 0);
	test_machine_exit();
}

#endif /* TESTS_UNIT_WAITING_DISK_H */
