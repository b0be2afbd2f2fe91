// SPDX-License-Identifier: GPL-2.0-only
/* What a serial device calls. */
#include <errno.h>
#include <stdlib.h>

#include "core/chardev_private.h"

static void chardev_keep_output(struct chardev *chr, const uint8_t *buf, size_t len)
{
	/* Set before the first vCPU runs, and then never again. */
	if (!chr->kept.data)
		return;
	pthread_mutex_lock(&chr->kept_lock);
	ring_keep(&chr->kept, buf, len);
	pthread_mutex_unlock(&chr->kept_lock);
}

size_t chardev_write(struct chardev *chr, const void *buf, size_t len)
{
	bool room;
	size_t done = chr->ops->write(chr, buf, len, false, &room);

	chardev_keep_output(chr, buf, done);
	return done;
}

bool chardev_write_late(struct chardev *chr, const void *buf, size_t len)
{
	bool room = true;
	size_t done = chr->ops->write(chr, buf, len, true, &room);

	chardev_keep_output(chr, buf, done);
	return room;
}

int chardev_keep(struct chardev *chr, size_t size)
{
	chr->kept = (struct ring){ .data = malloc(size), .size = size };
	return chr->kept.data ? 0 : -ENOMEM;
}

size_t chardev_take_kept(struct chardev *chr, uint8_t *buf, size_t len)
{
	size_t n;

	pthread_mutex_lock(&chr->kept_lock);
	n = ring_take(&chr->kept, buf, len);
	pthread_mutex_unlock(&chr->kept_lock);
	return n;
}

size_t chardev_peek_kept(struct chardev *chr, uint8_t *buf, size_t len)
{
	struct ring kept;
	size_t n;

	pthread_mutex_lock(&chr->kept_lock);
	/* The copy has a head of its own. */
	kept = chr->kept;
	n = ring_take(&kept, buf, len);
	pthread_mutex_unlock(&chr->kept_lock);
	return n;
}

void chardev_put_kept(struct chardev *chr, const uint8_t *buf, size_t len)
{
	chardev_keep_output(chr, buf, len);
}

void chardev_rx_ready(struct chardev *chr)
{
	if (__atomic_load_n(&chr->waiting, __ATOMIC_SEQ_CST))
		chardev_wake(chr);
}

void chardev_attach(struct chardev *chr, struct chardev_client *client)
{
	client->next = chr->clients;
	chr->clients = client;
}

bool chardev_is_attached(const struct chardev *chr)
{
	return __atomic_load_n(&chr->attached, __ATOMIC_RELAXED);
}

void chardev_set_open(struct chardev *chr, bool open)
{
	__atomic_store_n(&chr->frontend_open, open, __ATOMIC_RELAXED);
}

bool chardev_size(struct chardev *chr, uint16_t *cols, uint16_t *rows)
{
	return chr->ops->size && chr->ops->size(chr, cols, rows);
}

bool chardev_may_resize(const struct chardev *chr)
{
	return chr->ops->resize;
}
