// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <unistd.h>

#include "chardev/channel.h"
#include "core/device.h"

#define CHANNEL_FLUSH_MS	200
#define CHANNEL_READS		8	/* in a turn, so that others get theirs */

static struct channel *to_channel(struct chardev *chr)
{
	return container_of(chr, struct channel, chr);
}

/* ---- Output ---- */

static size_t channel_write(struct chardev *chr, const uint8_t *buf, size_t len, bool late,
			    bool *room)
{
	return output_put(&to_channel(chr)->out, buf, len, late, room);
}

static void channel_wake(void *opaque)
{
	struct channel *channel = opaque;

	chardev_wake(&channel->chr);
}

static void channel_room(void *opaque)
{
	struct channel *channel = opaque;

	chardev_tell_room(&channel->chr);
}

static const struct output_ops channel_output_ops = { .wake = channel_wake, .room = channel_room };

/* ---- Size ---- */

static bool channel_size(struct chardev *chr, uint16_t *cols, uint16_t *rows)
{
	struct channel *channel = to_channel(chr);

	pthread_mutex_lock(&channel->size_lock);
	*cols = channel->cols;
	*rows = channel->rows;
	pthread_mutex_unlock(&channel->size_lock);
	return *cols && *rows;
}

static void channel_resize(struct chardev *chr, uint16_t cols, uint16_t rows)
{
	struct channel *channel = to_channel(chr);
	bool same;

	pthread_mutex_lock(&channel->size_lock);
	same = channel->cols == cols && channel->rows == rows;
	channel->cols = cols;
	channel->rows = rows;
	pthread_mutex_unlock(&channel->size_lock);
	if (!same)
		chardev_tell_size(chr);
}

/* A terminal tells nobody that its window has changed: look when its person does something. */
static void channel_look_at_size(struct channel *channel)
{
	uint16_t cols, rows;

	if (channel->ops->size && channel->ops->size(channel, channel->fd, &cols, &rows))
		channel_resize(&channel->chr, cols, rows);
}

/* ---- Input ---- */

static gboolean channel_ready(int fd, GIOCondition condition, void *opaque);

static void channel_disarm(struct channel *channel)
{
	if (!channel->source)
		return;
	g_source_destroy(channel->source);
	g_source_unref(channel->source);
	channel->source = NULL;
}

/* Waits for input if it has room, and for their leaving in any case, unless they are gone. */
static void channel_arm(struct channel *channel)
{
	bool room = channel->chr.in.count < channel->chr.in.size;
	GIOCondition events = G_IO_HUP | G_IO_ERR |
			      (room && !channel->ended ? G_IO_IN : 0);

	channel_disarm(channel);
	if (channel->fd < 0 || channel->gone)
		return;
	channel->source = g_unix_fd_source_new(channel->fd, events);
	g_source_set_callback(channel->source, G_SOURCE_FUNC(channel_ready), channel, NULL);
	g_source_attach(channel->source, NULL);
}

/* Reads once. Returns true if there may be more, and room for it. */
static bool channel_read(struct channel *channel)
{
	size_t room = channel->chr.in.size - channel->chr.in.count;
	uint8_t buf[1024];
	ssize_t n;

	if (!room || channel->ended)
		return false;
	n = read(channel->fd, buf, room < sizeof(buf) ? room : sizeof(buf));
	if (n > 0) {
		ring_put(&channel->chr.in, buf, n);
		chardev_deliver(&channel->chr);
		return true;
	}
	/* From those who are gone nothing more will come. */
	if (!n || channel->gone || (errno != EAGAIN && errno != EINTR))
		channel->ended = true;
	return false;
}

/* Reads what there is, and room for. */
static void channel_pump(struct channel *channel)
{
	bool more = true;

	for (unsigned int i = 0; i < CHANNEL_READS && more; i++)
		more = channel_read(channel);
	if (channel->gone && channel->ended)
		channel_leave(channel);
	/* Nobody waits for those who are gone. */
	else if (channel->gone && more)
		chardev_wake(&channel->chr);
}

/* They take nothing any more. What they sent is still for the guest. */
static void channel_lose(struct channel *channel)
{
	channel->gone = true;
	output_set_fd(&channel->out, -1, OUTPUT_NONBLOCK);
	chardev_set_attached(&channel->chr, false);
}

static gboolean channel_ready(int fd, GIOCondition condition, void *opaque)
{
	struct channel *channel = opaque;

	if (condition & (G_IO_HUP | G_IO_ERR))
		channel_lose(channel);
	else
		channel_look_at_size(channel);
	channel_pump(channel);
	channel_arm(channel);
	return G_SOURCE_REMOVE;
}

static void channel_woken(struct chardev *chr)
{
	struct channel *channel = to_channel(chr);
	bool was_full = chr->in.count == chr->in.size;

	if (channel->fd >= 0 && !channel->gone && output_is_broken(&channel->out))
		channel_lose(channel);
	output_woken(&channel->out);
	chardev_deliver(chr);
	if (channel->gone)
		channel_pump(channel);
	if (channel->gone || was_full)
		channel_arm(channel);
}

/* ---- Coming and going ---- */

bool channel_is_free(struct channel *channel)
{
	struct pollfd pfd = { .fd = channel->fd };

	if (channel->fd >= 0 && !channel->gone && poll(&pfd, 1, 0) > 0 &&
	    pfd.revents & (POLLHUP | POLLERR)) {
		channel_lose(channel);
		channel_pump(channel);
		channel_arm(channel);
	}
	return channel->fd < 0 || channel->gone;
}

void channel_enter(struct channel *channel, int fd, enum output_kind kind)
{
	channel_disarm(channel);
	channel->fd = fd;
	channel->gone = channel->ended = false;
	channel_look_at_size(channel);
	output_set_fd(&channel->out, fd, kind);
	chardev_set_attached(&channel->chr, true);
	channel_arm(channel);
}

void channel_leave(struct channel *channel)
{
	int fd = channel->fd;

	channel_disarm(channel);
	if (!channel->gone)
		channel_lose(channel);
	channel->fd = -1;
	channel->gone = channel->ended = false;
	channel->ops->left(channel, fd);
}

static void channel_destroy(struct chardev *chr)
{
	struct channel *channel = to_channel(chr);

	channel->ops->destroy(channel);
}

static const struct chardev_ops channel_chardev_ops = {
	.write = channel_write,
	.woken = channel_woken,
	.size = channel_size,
	.resize = channel_resize,
	.destroy = channel_destroy,
};

int channel_init(struct channel *channel, const struct channel_ops *ops, bool stream,
		 const char *name, const char *label, struct error *err)
{
	int ret;

	channel->ops = ops;
	channel->stream = stream;
	channel->fd = -1;
	channel->out.ops = &channel_output_ops;
	channel->out.opaque = channel;
	channel->out.gives_way = !stream;
	channel->out.comes_and_goes = true;
	if (output_init(&channel->out, CHANNEL_QUEUE, CHARDEV_LATE))
		return error_errno(err, -ENOMEM, "%s", label);
	ret = chardev_init(&channel->chr, &channel_chardev_ops, name, err);
	if (ret) {
		output_exit(&channel->out);
		return ret;
	}
	channel->chr.attached = false;
	pthread_mutex_init(&channel->size_lock, NULL);
	return 0;
}

void channel_exit(struct channel *channel)
{
	channel_disarm(channel);
	output_flush(&channel->out, CHANNEL_FLUSH_MS);
	output_exit(&channel->out);
	pthread_mutex_destroy(&channel->size_lock);
	chardev_exit(&channel->chr);
}
