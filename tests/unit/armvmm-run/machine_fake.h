/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine without a VM, for tests of device models: interrupt lines that only record their level,
 * and a terminal that takes as much as the test allows.
 */
#ifndef TESTS_UNIT_MACHINE_FAKE_H
#define TESTS_UNIT_MACHINE_FAKE_H

#include <errno.h>

#include "../guest/lib/board.h"
#include "core/machine.h"

/* A test with -DREAL_POSTED has core/posted.c, and a libarmvmm of its own. */
#ifndef REAL_POSTED
#include "armvmm-run/posted_fake.h"
#endif

static struct irqline *fake_line[MAP_NR_SPIS];
static unsigned int fake_irq_changes;
static unsigned int fake_edges[MAP_NR_SPIS];	/* rising */
static bool fake_level[MAP_NR_SPIS];

static inline void fake_sink(void *opaque, unsigned int spi, bool level)
{
	fake_irq_changes++;
	fake_edges[spi] += level;
	fake_level[spi] = level;
}

int machine_irqline_init(struct machine *m, struct irqline *line, unsigned int spi)
{
	fake_line[spi] = line;
	*line = (struct irqline){ .spi = spi, .sink = fake_sink };
	return 0;
}

struct chardev {
	struct chardev_client *client;
	uint8_t out[4096];
	size_t out_len;
	size_t out_room;	/* bytes that chardev_write() still takes */
	void (*in_late)(void);	/* what another thread does meanwhile */
	size_t late;		/* bytes that only chardev_write_late() still had room for */
	unsigned int rx_readies;
};

static struct chardev fake_chr;

void chardev_attach(struct chardev *chr, struct chardev_client *client)
{
	chr->client = client;
}

size_t chardev_write(struct chardev *chr, const void *buf, size_t len)
{
	size_t n = len < chr->out_room ? len : chr->out_room;

	memcpy(chr->out + chr->out_len, buf, n);
	chr->out_len += n;
	chr->out_room -= n;
	return n;
}

bool chardev_write_late(struct chardev *chr, const void *buf, size_t len)
{
	size_t n;

	if (chr->in_late)
		chr->in_late();
	n = chardev_write(chr, buf, len);
	memcpy(chr->out + chr->out_len, (const uint8_t *)buf + n, len - n);
	chr->out_len += len - n;
	chr->late += len - n;
	return chr->out_room;
}

bool chardev_size(struct chardev *chr, uint16_t *cols, uint16_t *rows)
{
	return false;
}

void chardev_rx_ready(struct chardev *chr)
{
	chr->rx_readies++;
}

bool chardev_may_resize(const struct chardev *chr)
{
	return false;
}

bool chardev_is_attached(const struct chardev *chr)
{
	return true;
}

void chardev_set_open(struct chardev *chr, bool open)
{
}

static inline void fake_machine_init(struct machine *m)
{
	memset(m, 0, sizeof(*m));
	m->type = machine_type_find(MACHINE_TYPE_DEFAULT);
	m->ram_base = RAM_BASE;
	memset(&fake_chr, 0, sizeof(fake_chr));
	fake_chr.out_room = sizeof(fake_chr.out);
	m->chardev = &fake_chr;
	fake_irq_changes = 0;
	memset(fake_edges, 0, sizeof(fake_edges));
	memset(fake_level, 0, sizeof(fake_level));
}

static inline uint32_t fake_read(struct machine *m, uint64_t gpa)
{
	uint32_t value = 0xdeadbeef;

	device_bus_access(&m->bus, gpa, &value, 4, 0);
	return value;
}

static inline void fake_write(struct machine *m, uint64_t gpa, uint32_t value)
{
	device_bus_access(&m->bus, gpa, &value, 4, 1);
}

/* Every offset and width, and many values, like a hostile guest. */
static inline void fake_fuzz(struct machine *m, uint64_t base, unsigned int rounds)
{
	uint32_t seed = 12345;

	for (unsigned int i = 0; i < rounds; i++) {
		static const unsigned int widths[] = { 1, 2, 4, 8 };
		uint64_t offset, data;
		unsigned int len;

		seed = seed * 1664525 + 1013904223;
		offset = seed >> 20;
		len = widths[seed >> 8 & 3];
		data = (uint64_t)seed << 32 | (seed * 2654435761u);
		device_bus_access(&m->bus, base + offset, &data, len, seed >> 12 & 1);
	}
}

#endif /* TESTS_UNIT_MACHINE_FAKE_H */
