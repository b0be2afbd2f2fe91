/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of virtio devices: a machine with RAM, lines and a main loop but no vCPU, and the
 * driver's half of virtio-mmio and of the split ring, written from the specification and not from
 * our device's code. With TEST_LEGACY the driver knows only version 1 (virtio 1.2 4.2.4).
 */
#ifndef TESTS_UNIT_VIRTIO_DRIVER_H
#define TESTS_UNIT_VIRTIO_DRIVER_H

#include <errno.h>
#include <glib.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_ring.h>

#include "../guest/lib/board.h"
#include "ktap.h"
#include "core/machine.h"
#ifndef REAL_POSTED
#include "armvmm-run/posted_fake.h"
#endif

#define MAYBE __attribute__((unused))

#ifdef TEST_LEGACY
static const bool test_legacy = true;
#else
static const bool test_legacy;
#endif

#define RAM_SIZE (16ULL << 20)

/* Where a test's rings and buffers are: each queue has 16 KiB from RAM_BASE on. */
#define RING_GPA(q) (RAM_BASE + (q) * 0x4000)
#define DATA_GPA (RAM_BASE + 0x100000)

/* The machine */

static struct machine test_machine;
static int test_next_slot;
static bool test_level[MAP_NR_SPIS];
static unsigned int test_edges[MAP_NR_SPIS];
static unsigned int test_warnings;
static char test_last_note[256], test_last_warning[256];

static void test_sink(void *opaque, unsigned int spi, bool level)
{
	__atomic_store_n(&test_level[spi], level, __ATOMIC_SEQ_CST);
	if (level)
		__atomic_fetch_add(&test_edges[spi], 1, __ATOMIC_SEQ_CST);
}

int machine_irqline_init(struct machine *m, struct irqline *line, unsigned int spi)
{
	*line = (struct irqline){ .spi = spi, .sink = test_sink };
	return 0;
}

int machine_virtio_slot(struct machine *m)
{
	return test_next_slot < MAP_VIRTIO_SLOTS ? test_next_slot++ : -ENOSPC;
}

/* A test may have the kernel signal eventfds: then it knows the last one. -1: it signals none. */
static bool test_kernel_kicks;
static int test_kick_fd = -1;

int machine_ioeventfd_add(struct machine *m, uint64_t gpa, unsigned int len, uint64_t value, int fd)
{
	if (!test_kernel_kicks)
		return -ENOTSUP;
	test_kick_fd = fd;
	return 0;
}

void machine_ioeventfd_del(struct machine *m, int fd)
{
	KTAP_EQ(test_kick_fd, fd);
	test_kick_fd = -1;
}

void machine_warn(struct machine *m, const char *fmt, ...)
{
	va_list ap;

	__atomic_fetch_add(&test_warnings, 1, __ATOMIC_SEQ_CST);
	va_start(ap, fmt);
	vsnprintf(test_last_warning, sizeof(test_last_warning), fmt, ap);
	va_end(ap);
}

void machine_note(struct machine *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(test_last_note, sizeof(test_last_note), fmt, ap);
	va_end(ap);
}

/* RAM between two pages that fault. */
static void *test_ram_map(size_t size)
{
	uint8_t *p = mmap(NULL, size + 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			  -1, 0);

	if (p == MAP_FAILED || mprotect(p + 4096, size, PROT_READ | PROT_WRITE)) {
		perror("mmap");
		exit(1);
	}
	return p + 4096;
}

static MAYBE void test_ram_unmap(void *ram, size_t size)
{
	munmap((uint8_t *)ram - 4096, size + 8192);
}

static MAYBE void test_machine_init(void)
{
	memset(&test_machine, 0, sizeof(test_machine));
	test_machine.type = machine_type_find(MACHINE_TYPE_DEFAULT);
	test_machine.ram_base = RAM_BASE;
	memset(test_level, 0, sizeof(test_level));
	memset(test_edges, 0, sizeof(test_edges));
	test_next_slot = 0;
	test_warnings = 0;
	test_last_note[0] = test_last_warning[0] = 0;
	test_machine.virtio = test_legacy ? VIRTIO_LEGACY : VIRTIO_MODERN;
	test_machine.verbose = true;
	guestmem_add(&test_machine.mem, RAM_BASE, RAM_SIZE, test_ram_map(RAM_SIZE));
}

static MAYBE void test_machine_exit(void)
{
	device_bus_destroy(&test_machine.bus);
	test_ram_unmap(test_machine.mem.region[0].host, RAM_SIZE);
}

static MAYBE void *ram(uint64_t gpa)
{
	return test_machine.mem.region[0].host + (gpa - RAM_BASE);
}

/* Runs the main loop as long as it has something to do. Returns true if it had. */
static MAYBE bool test_loop(void)
{
	bool any = false;

	while (g_main_context_iteration(NULL, FALSE))
		any = true;
	return any;
}

/* Runs the main loop until @cond, 10 s at most. Evaluates to @cond. */
#define TEST_UNTIL(cond)                                                       \
	({                                                                     \
		gint64 end_ = g_get_monotonic_time() + 10 * G_USEC_PER_SEC;    \
		while (!(cond) && g_get_monotonic_time() < end_) {             \
			if (!g_main_context_iteration(NULL, FALSE))            \
				g_usleep(200);                                 \
		}                                                              \
		(cond);                                                        \
	})

/* The driver's half of one queue */

struct driver_queue {
	uint16_t size;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	uint16_t next_desc;
	uint16_t last_used;
};

struct driver {
	struct device *dev;
	unsigned int spi;
	uint64_t features;
	struct driver_queue q[18];
};

static MAYBE uint32_t reg_read(struct device *dev, uint32_t reg)
{
	return dev->ops->read(dev, reg, 4);
}

static MAYBE void reg_write(struct device *dev, uint32_t reg, uint32_t value)
{
	dev->ops->write(dev, reg, 4, value);
}

static MAYBE uint64_t offered_features(struct device *dev)
{
	uint64_t f;

	reg_write(dev, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 1);
	f = (uint64_t)reg_read(dev, VIRTIO_MMIO_DEVICE_FEATURES) << 32;
	reg_write(dev, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 0);
	return f | reg_read(dev, VIRTIO_MMIO_DEVICE_FEATURES);
}

/* virtio 1.2 3.1.1, steps 1 to 6. Returns whether the device took the features. */
static MAYBE bool driver_negotiate(struct driver *d, uint64_t features)
{
	struct device *dev = d->dev;

	/* Version 1 has 32 features, and no step in which the device could refuse some. */
	if (test_legacy) {
		d->features = features & 0xffffffff & reg_read(dev, 0x010);
		reg_write(dev, 0x028, 4096);	/* GuestPageSize, before the reset, as Linux does */
		reg_write(dev, VIRTIO_MMIO_STATUS, 0);
		reg_write(dev, VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_ACKNOWLEDGE);
		reg_write(dev, VIRTIO_MMIO_STATUS,
			  VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
		reg_write(dev, 0x024, 0);
		reg_write(dev, 0x020, d->features);
		return !(features & 0xffffffff & ~reg_read(dev, 0x010));
	}
	d->features = features;
	reg_write(dev, VIRTIO_MMIO_STATUS, 0);
	reg_write(dev, VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	reg_write(dev, VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	reg_write(dev, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	reg_write(dev, VIRTIO_MMIO_DRIVER_FEATURES, features >> 32);
	reg_write(dev, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 0);
	reg_write(dev, VIRTIO_MMIO_DRIVER_FEATURES, features);
	reg_write(dev, VIRTIO_MMIO_STATUS,
		  VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
			  VIRTIO_CONFIG_S_FEATURES_OK);
	return reg_read(dev, VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_FEATURES_OK;
}

static MAYBE void driver_queue_rings(struct driver_queue *q, unsigned int index, uint16_t size)
{
	uint8_t *base = ram(RING_GPA(index));

	memset(base, 0, 0x4000);
	q->size = size;
	q->desc = (void *)base;
	q->avail = (void *)(base + 0x1000);
	q->used = (void *)(base + 0x2000);
	if (test_legacy) {
		q->avail = (void *)(base + 16 * size);
		q->used = (void *)(base + (16 * size + 6 + 2 * size + 4095) / 4096 * 4096);
	}
	q->next_desc = 0;
	q->last_used = 0;
}

static MAYBE void driver_queue_enable(struct driver *d, unsigned int index, uint16_t size)
{
	struct device *dev = d->dev;
	uint64_t gpa = RING_GPA(index);

	driver_queue_rings(&d->q[index], index, size);
	reg_write(dev, VIRTIO_MMIO_QUEUE_SEL, index);
	reg_write(dev, VIRTIO_MMIO_QUEUE_NUM, size);
	if (test_legacy) {
		reg_write(dev, 0x03c, 4096);		/* QueueAlign */
		reg_write(dev, 0x040, gpa / 4096);	/* QueuePFN */
		return;
	}
	reg_write(dev, VIRTIO_MMIO_QUEUE_DESC_LOW, gpa);
	reg_write(dev, VIRTIO_MMIO_QUEUE_DESC_HIGH, gpa >> 32);
	reg_write(dev, VIRTIO_MMIO_QUEUE_AVAIL_LOW, gpa + 0x1000);
	reg_write(dev, VIRTIO_MMIO_QUEUE_AVAIL_HIGH, 0);
	reg_write(dev, VIRTIO_MMIO_QUEUE_USED_LOW, gpa + 0x2000);
	reg_write(dev, VIRTIO_MMIO_QUEUE_USED_HIGH, 0);
	reg_write(dev, VIRTIO_MMIO_QUEUE_READY, 1);
}

/* From reset to DRIVER_OK with @nr queues of @size. False if refused. */
static MAYBE bool driver_start(struct driver *d, struct device *dev, uint64_t features,
			       unsigned int nr, uint16_t size)
{
	memset(d, 0, sizeof(*d));
	d->dev = dev;
	d->spi = VIRTIO_SPI + (dev->base - VIRTIO_BASE) / MAP_VIRTIO_SIZE;
	if (!driver_negotiate(d, features))
		return false;
	for (unsigned int i = 0; i < nr; i++)
		driver_queue_enable(d, i, size);
	reg_write(dev, VIRTIO_MMIO_STATUS,
		  reg_read(dev, VIRTIO_MMIO_STATUS) | VIRTIO_CONFIG_S_DRIVER_OK);
	return reg_read(dev, VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_DRIVER_OK;
}

struct driver_buf {
	uint64_t gpa;
	uint32_t len;
	bool write; /* by the device */
};

/*
 * Writes a chain of @nr buffers into their own descriptors and makes it available. Returns its
 * head.
 */
static MAYBE uint16_t driver_add(struct driver_queue *q, const struct driver_buf *buf,
				 unsigned int nr)
{
	uint16_t head = q->next_desc, idx = q->avail->idx;

	for (unsigned int i = 0; i < nr; i++) {
		struct vring_desc *desc = &q->desc[q->next_desc];

		q->next_desc = (q->next_desc + 1) % q->size;
		desc->addr = buf[i].gpa;
		desc->len = buf[i].len;
		desc->flags = (buf[i].write ? VRING_DESC_F_WRITE : 0) |
			      (i + 1 < nr ? VRING_DESC_F_NEXT : 0);
		desc->next = q->next_desc;
	}
	q->avail->ring[idx & (q->size - 1)] = head;
	__atomic_store_n(&q->avail->idx, idx + 1, __ATOMIC_SEQ_CST);
	return head;
}

/* The number of chains that came back, and that driver_used() has not returned yet. */
static MAYBE uint16_t driver_nr_used(const struct driver_queue *q)
{
	return (uint16_t)(__atomic_load_n(&q->used->idx, __ATOMIC_SEQ_CST) - q->last_used);
}

static MAYBE struct vring_used_elem driver_used(struct driver_queue *q)
{
	return q->used->ring[q->last_used++ & (q->size - 1)];
}

/* The mark at which the device asks for a notification (EVENT_IDX): behind the used ring. */
static MAYBE uint16_t driver_avail_event(const struct driver_queue *q)
{
	uint16_t event;

	memcpy(&event, (const void *)&q->used->ring[q->size], sizeof(event));
	return event;
}

static MAYBE void driver_kick(struct driver *d, unsigned int index)
{
	if (test_kick_fd >= 0)
		(void)eventfd_write(test_kick_fd, 1);
	else
		reg_write(d->dev, VIRTIO_MMIO_QUEUE_NOTIFY, index);
}

static MAYBE bool driver_needs_reset(struct driver *d)
{
	return reg_read(d->dev, VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET;
}

/* Random numbers that are the same each time. */
static uint64_t test_seed = 1;

static MAYBE uint32_t test_random(void)
{
	/* xorshift64*, of Marsaglia and Vigna. */
	test_seed ^= test_seed >> 12;
	test_seed ^= test_seed << 25;
	test_seed ^= test_seed >> 27;
	return (test_seed * 0x2545f4914f6cdd1dULL) >> 32;
}

#endif /* TESTS_UNIT_VIRTIO_DRIVER_H */
