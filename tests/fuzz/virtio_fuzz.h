/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtio device, and a driver that does anything: it writes any rings, descriptors and registers,
 * with resets in between. The guest's memory lies between pages that fault. All requests are over
 * when the device is gone.
 */
#ifndef TESTS_VIRTIO_FUZZ_H
#define TESTS_VIRTIO_FUZZ_H

#include "armvmm-run/virtio/virtio_driver.h"

#include "core/device_type.h"
#include "fuzz.h"

#ifndef VIRTIO_FUZZ_SIZE
#define VIRTIO_FUZZ_SIZE	32	/* descriptors of a ring: no more than the device takes */
#endif
#define VIRTIO_FUZZ_DATA	0x10000	/* bytes of memory where most buffers begin */

/* An address for a buffer: mostly valid, sometimes near an end of memory, or anything. */
static uint64_t virtio_fuzz_address(struct fuzz *f, uint8_t how)
{
	uint32_t n = fuzz_u16(f);

	if (how < 200)
		return DATA_GPA + n % VIRTIO_FUZZ_DATA;
	if (how < 220)
		return RAM_BASE + RAM_SIZE - n % 64;
	if (how < 235)
		return RAM_BASE - 32 + n % 64;
	return (uint64_t)fuzz_u32(f) << (how & 31) | n;
}

static void virtio_fuzz_descriptor(struct fuzz *f, struct driver_queue *q)
{
	struct vring_desc *desc = &q->desc[fuzz_u8(f) % VIRTIO_FUZZ_SIZE];
	uint8_t how = fuzz_u8(f);

	desc->addr = virtio_fuzz_address(f, how);
	desc->len = fuzz_u16(f);
	if (how % 16 == 15)
		desc->len = fuzz_u32(f);
	desc->flags = fuzz_u8(f) & (how % 8 ? 3 : 0xff);
	desc->next = fuzz_u8(f) % (how % 8 ? VIRTIO_FUZZ_SIZE : 256);
}

/* Adds a chain as drivers make it, so that the code behind the rings is often reached. */
static void virtio_fuzz_chain(struct fuzz *f, struct driver_queue *q, bool kick, struct driver *d,
			      unsigned int index)
{
	struct driver_buf buf[8];
	unsigned int nr = fuzz_u8(f) % 8 + 1;
	uint8_t writable = fuzz_u8(f);

	for (unsigned int i = 0; i < nr; i++)
		buf[i] = (struct driver_buf){ DATA_GPA + i * 4096 + fuzz_u8(f) % 16,
					      fuzz_u16(f) % 4096, i >= writable % (nr + 1) };
	/* Random contents: most of what a device reads is in the first buffer. */
	fuzz_bytes(f, ram(buf[0].gpa), 32);
	q->next_desc %= VIRTIO_FUZZ_SIZE;
	driver_add(q, buf, nr);
	if (kick)
		driver_kick(d, index);
}

static void virtio_fuzz_register(struct fuzz *f, struct device *dev)
{
	static const unsigned int widths[] = { 4, 4, 4, 2, 1, 8, 4, 4 };
	uint16_t bits = fuzz_u16(f);
	unsigned int len = widths[bits >> 9 & 7];
	uint64_t offset = bits & 0x1ff;
	uint64_t value = fuzz_u32(f);

	if (len == 4 && bits >> 12 & 7)
		offset &= ~3ull;
	if (offset + len > dev->size)
		return;
	if (bits & 0x8000)
		dev->ops->write(dev, offset, len, bits & 0x1000 ? value : value & 0xff);
	else
		dev->ops->read(dev, offset, len);
}

/* Sets up the rings even if the device refuses the features. */
static void virtio_fuzz_start(struct driver *d, struct device *dev, uint64_t features,
			      unsigned int nr_queues)
{
	driver_start(d, dev, features, nr_queues, VIRTIO_FUZZ_SIZE);
	for (unsigned int i = 0; i < nr_queues; i++)
		if (!d->q[i].desc)
			driver_queue_rings(&d->q[i], i, VIRTIO_FUZZ_SIZE);
}

static void virtio_fuzz_act(struct fuzz *f, struct driver *d, unsigned int nr_queues)
{
	uint8_t what = fuzz_u8(f);
	unsigned int index = (what >> 4) % nr_queues;
	struct driver_queue *q = &d->q[index];

	switch (what & 15) {
	case 0:
	case 1:
		virtio_fuzz_descriptor(f, q);
		break;
	case 2:
		q->avail->ring[q->avail->idx % VIRTIO_FUZZ_SIZE] = fuzz_u8(f);
		__atomic_store_n(&q->avail->idx, q->avail->idx + 1, __ATOMIC_SEQ_CST);
		driver_kick(d, index);
		break;
	case 3:
		__atomic_store_n(&q->avail->idx, fuzz_u16(f), __ATOMIC_SEQ_CST);
		driver_kick(d, index);
		break;
	case 4:
		q->avail->flags = fuzz_u16(f);
		break;
	case 5:
		virtio_fuzz_register(f, d->dev);
		break;
	case 6:
		virtio_fuzz_start(d, d->dev, (uint64_t)fuzz_u32(f) | 1ull << VIRTIO_F_VERSION_1 |
				  (uint64_t)fuzz_u8(f) << 28, nr_queues);
		break;
	case 7:
		d->dev->ops->reset(d->dev);
		break;
	case 8:
	case 9:
		test_loop();
		break;
	default:
		virtio_fuzz_chain(f, q, what & 1, d, index);
	}
}

/* The driver of the device that is fuzzed, for @step. */
static struct driver *virtio_fuzz_driver;

/* Fuzzes the one device that there is. Calls @step, if not NULL, in between. */
static void virtio_fuzz_device(struct fuzz *f, unsigned int nr_queues, void (*step)(struct fuzz *f))
{
	struct error err = { "" };
	struct driver d;

	virtio_fuzz_driver = &d;
	FUZZ_MUST(!device_bus_begin(&test_machine.bus, &err));
	/* A longer ring would be refused, and the device do nothing. */
	FUZZ_MUST(reg_read(test_machine.bus.dev[0], VIRTIO_MMIO_QUEUE_NUM_MAX) >= VIRTIO_FUZZ_SIZE);
	/* Most of the features that are offered. */
	virtio_fuzz_start(&d, test_machine.bus.dev[0],
			  offered_features(test_machine.bus.dev[0]) &
			  ~((uint64_t)fuzz_u8(f) << 24 | fuzz_u16(f)), nr_queues);
	for (unsigned int i = 0; f->len && i < 200; i++) {
		virtio_fuzz_act(f, &d, nr_queues);
		if (step)
			step(f);
	}
	test_loop();
}

/* The same with a device of @type, which it creates from @config. */
MAYBE static void virtio_fuzz(struct fuzz *f, const char *type, const void *config,
			      unsigned int nr_queues, void (*step)(struct fuzz *f))
{
	struct error err = { "" };

	test_machine_init();
	FUZZ_MUST(!device_type_find(type)->create(&test_machine, config, &err));
	virtio_fuzz_device(f, nr_queues, step);
	test_machine_exit();
}

#endif
