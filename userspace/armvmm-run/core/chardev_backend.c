// SPDX-License-Identifier: GPL-2.0-only
/* What a back end calls. */
#include <errno.h>
#include <glib-unix.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/chardev_private.h"

void chardev_deliver(struct chardev *chr)
{
	struct chardev_client *client = chr->clients;

	while (client && chr->in.count) {
		size_t room, piece;

		/*
		 * First say that we wait, then look for room: a client that
		 * makes room after the look sees that we wait, and calls.
		 */
		__atomic_store_n(&chr->waiting, true, __ATOMIC_SEQ_CST);
		room = client->rx_room(client);
		if (!room)
			return;
		piece = ring_piece(&chr->in);
		if (piece > room)
			piece = room;
		client->receive(client, chr->in.data + chr->in.head, piece);
		ring_drop(&chr->in, piece);
	}
	__atomic_store_n(&chr->waiting, false, __ATOMIC_SEQ_CST);
}

void chardev_break(struct chardev *chr)
{
	if (chr->clients && chr->clients->rx_break)
		chr->clients->rx_break(chr->clients);
}

void chardev_tell_room(struct chardev *chr)
{
	for (struct chardev_client *c = chr->clients; c; c = c->next)
		if (c->tx_room)
			c->tx_room(c);
}

void chardev_tell_size(struct chardev *chr)
{
	for (struct chardev_client *c = chr->clients; c; c = c->next)
		if (c->resized)
			c->resized(c);
}

void chardev_set_attached(struct chardev *chr, bool attached)
{
	if (chr->attached == attached)
		return;
	__atomic_store_n(&chr->attached, attached, __ATOMIC_RELAXED);
	for (struct chardev_client *c = chr->clients; c; c = c->next)
		if (c->attached)
			c->attached(c);
}

void chardev_wake(struct chardev *chr)
{
	const uint64_t one = 1;

	/* Fails only when the count is at its end, and then the event is pending anyway. */
	if (write(chr->wake_fd, &one, sizeof(one)) < 0)
		return;
}

static gboolean chardev_woken(int fd, GIOCondition condition, void *opaque)
{
	struct chardev *chr = opaque;
	uint64_t times;

	if (read(fd, &times, sizeof(times)) < 0)
		return G_SOURCE_CONTINUE;
	chr->ops->woken(chr);
	return G_SOURCE_CONTINUE;
}

int chardev_init(struct chardev *chr, const struct chardev_ops *ops, const char *name,
		 struct error *err)
{
	int ret;

	chr->ops = ops;
	chr->attached = chr->frontend_open = true;
	chr->in = (struct ring){ .data = chr->in_data, .size = sizeof(chr->in_data) };
	chr->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (chr->wake_fd < 0) {
		ret = -errno;
		if (ret == -ENOSYS)
			return error_set(err, ret, "the kernel has no eventfd, which armvmm-run "
					 "needs: build it with CONFIG_EVENTFD=y");
		return error_errno(err, ret, "terminal");
	}
	chr->name = g_strdup(name);
	pthread_mutex_init(&chr->kept_lock, NULL);
	chr->wake_source = g_unix_fd_source_new(chr->wake_fd, G_IO_IN);
	g_source_set_callback(chr->wake_source, G_SOURCE_FUNC(chardev_woken), chr, NULL);
	g_source_attach(chr->wake_source, NULL);
	return 0;
}

void chardev_exit(struct chardev *chr)
{
	g_source_destroy(chr->wake_source);
	g_source_unref(chr->wake_source);
	close(chr->wake_fd);
	pthread_mutex_destroy(&chr->kept_lock);
	free(chr->kept.data);
	g_free(chr->name);
}

struct chardev *chardev_list_find(struct chardev *list, const char *label)
{
	while (list && strcmp(list->label, label))
		list = list->next;
	return list;
}

int chardev_list_add(struct chardev **list, struct chardev *chr)
{
	if (chardev_list_find(*list, chr->label))
		return -EEXIST;
	while (*list)
		list = &(*list)->next;
	chr->next = NULL;
	*list = chr;
	return 0;
}

void chardev_list_destroy(struct chardev **list)
{
	while (*list) {
		struct chardev *chr = *list;

		*list = chr->next;
		chr->ops->destroy(chr);
	}
}
