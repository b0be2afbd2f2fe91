// SPDX-License-Identifier: GPL-2.0-only
/*
 * The console of FreeBSD guests under bhyve: one register, of which a 2-byte read tells what it is,
 * a 4-byte read takes a character, and a 4-byte write prints one. The guest polls; there is no
 * interrupt, and no node in the device tree.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/chardev.h"
#include "core/device_type.h"
#include "core/machine.h"
#include "core/parse.h"
#include "core/record.h"
#include "core/ring.h"

#define BVM_ADDRESS	0x1c090000	/* where kernels look for it */
#define BVM_SIZE	4
#define BVM_SIGNATURE	0x6276		/* 'b', 'v' */
#define BVM_NOTHING	UINT32_MAX
#define BVM_INPUT	256

struct bvm_console {
	struct device dev;
	struct chardev_client client;
	struct chardev *chr;
	pthread_mutex_t lock;
	struct ring input;
	uint8_t bytes[BVM_INPUT];
};

static struct bvm_console *to_bvm(struct chardev_client *client)
{
	return container_of(client, struct bvm_console, client);
}

static uint32_t bvm_take(struct bvm_console *bvm)
{
	uint32_t value = BVM_NOTHING;
	bool was_full;
	uint8_t byte;

	pthread_mutex_lock(&bvm->lock);
	was_full = bvm->input.count == bvm->input.size;
	if (ring_take(&bvm->input, &byte, 1))
		value = byte;
	pthread_mutex_unlock(&bvm->lock);
	if (was_full)
		chardev_rx_ready(bvm->chr);
	return value;
}

static uint64_t bvm_read(struct device *dev, uint64_t offset, unsigned int len)
{
	struct bvm_console *bvm = container_of(dev, struct bvm_console, dev);

	if (offset)
		return 0;
	switch (len) {
	case 1:
		return 0xff;
	case 2:
		return BVM_SIGNATURE;
	case 4:
		return bvm_take(bvm);
	default:
		return 0;
	}
}

/* The guest cannot be told to wait: what a slow terminal has no room for is lost, as by a wire. */
static void bvm_write(struct device *dev, uint64_t offset, unsigned int len, uint64_t value)
{
	struct bvm_console *bvm = container_of(dev, struct bvm_console, dev);
	uint8_t byte = value;

	if (!offset && len == 4)
		chardev_write(bvm->chr, &byte, 1);
}

static size_t bvm_rx_room(struct chardev_client *client)
{
	struct bvm_console *bvm = to_bvm(client);
	size_t room;

	pthread_mutex_lock(&bvm->lock);
	room = bvm->input.size - bvm->input.count;
	pthread_mutex_unlock(&bvm->lock);
	return room;
}

static void bvm_receive(struct chardev_client *client, const uint8_t *buf, size_t len)
{
	struct bvm_console *bvm = to_bvm(client);

	pthread_mutex_lock(&bvm->lock);
	ring_put(&bvm->input, buf, len);
	pthread_mutex_unlock(&bvm->lock);
}

static void bvm_reset(struct device *dev)
{
	struct bvm_console *bvm = container_of(dev, struct bvm_console, dev);

	pthread_mutex_lock(&bvm->lock);
	bvm->input.count = 0;
	pthread_mutex_unlock(&bvm->lock);
	chardev_rx_ready(bvm->chr);
}

/* A snapshot has the input that the guest has not taken yet: its length, and so many bytes. */
static void bvm_save(struct device *dev, struct record *r)
{
	struct bvm_console *bvm = container_of(dev, struct bvm_console, dev);
	uint8_t bytes[BVM_INPUT];
	struct ring copy;
	uint16_t len;

	pthread_mutex_lock(&bvm->lock);
	/* It has a head of its own. */
	copy = bvm->input;
	len = ring_take(&copy, bytes, sizeof(bytes));
	pthread_mutex_unlock(&bvm->lock);
	record_put(r, &len, sizeof(len));
	record_put(r, bytes, len);
}

static int bvm_restore(struct device *dev, struct record *r)
{
	struct bvm_console *bvm = container_of(dev, struct bvm_console, dev);
	uint8_t bytes[BVM_INPUT];
	uint16_t len;

	if (record_get(r, &len, sizeof(len)))
		return r->ret;
	if (len > sizeof(bytes))
		return record_refuse(r, "has more input than it has room for");
	if (record_get(r, bytes, len))
		return r->ret;
	pthread_mutex_lock(&bvm->lock);
	bvm->input.count = 0;
	ring_put(&bvm->input, bytes, len);
	pthread_mutex_unlock(&bvm->lock);
	return 0;
}

static void bvm_destroy(struct device *dev)
{
	struct bvm_console *bvm = container_of(dev, struct bvm_console, dev);

	pthread_mutex_destroy(&bvm->lock);
	free(bvm);
}

static const struct device_ops bvm_ops = {
	.name = "bvm-console",
	.read = bvm_read,
	.write = bvm_write,
	.reset = bvm_reset,
	.save = bvm_save,
	.restore = bvm_restore,
	.state_version = 1,
	.destroy = bvm_destroy,
};

/* @ADDRESS, where no RAM can be. */
static int bvm_parse(const char *label, const char *args, void **config, struct error *err)
{
	unsigned long long address;
	uint32_t *base;
	char *end;

	if (!args)
		return 0;
	errno = 0;
	address = strtoull(args + 1, &end, 0);
	if (*args != '@' || args[1] < '0' || args[1] > '9' || *end || errno)
		return error_set(err, -EINVAL, "%s: takes nothing but @ADDRESS", label);
	if (address % BVM_SIZE || address > UINT32_MAX)
		return error_set(err, -EINVAL,
				 "%s: the address must be a multiple of 4 below 0x100000000", label);
	base = malloc(sizeof(*base));
	if (!base)
		return error_errno(err, -ENOMEM, "%s", label);
	*base = address;
	*config = base;
	return 0;
}

static int bvm_create(struct machine *m, const void *config, struct error *err)
{
	struct bvm_console *bvm = calloc(1, sizeof(*bvm));
	uint64_t base = config ? *(const uint32_t *)config : BVM_ADDRESS;
	int ret;

	if (!bvm)
		return error_errno(err, -ENOMEM, "bvm-console");
	if (base >= m->ram_base) {
		free(bvm);
		return error_set(err, -EINVAL, "bvm-console: its address must be below 0x%llx, where memory is",
				 (unsigned long long)m->ram_base);
	}
	bvm->dev = (struct device){ .ops = &bvm_ops, .base = base, .size = BVM_SIZE };
	bvm->client = (struct chardev_client){
		.rx_room = bvm_rx_room,
		.receive = bvm_receive,
	};
	bvm->chr = m->chardev;
	bvm->input = (struct ring){ .data = bvm->bytes, .size = BVM_INPUT };
	pthread_mutex_init(&bvm->lock, NULL);
	ret = device_register(&m->bus, &bvm->dev);
	if (ret) {
		error_set(err, ret, "bvm-console: another device is at 0x%llx",
			  (unsigned long long)bvm->dev.base);
		bvm_destroy(&bvm->dev);
		return ret;
	}
	chardev_attach(m->chardev, &bvm->client);
	return 0;
}

static const struct device_word bvm_words[] = {
	{ "@ADDRESS", "where it is (0x1c090000)" },
	{ NULL, NULL },
};

static const struct device_type bvm_type = {
	.name = "bvm-console",
	.summary = "console of FreeBSD guests of bhyve, which gets the terminal's input",
	.words = bvm_words,
	.max = 1,
	.order = 45,
	.parse = bvm_parse,
	.release = free,
	.create = bvm_create,
};
DEVICE_TYPE(bvm_type);
