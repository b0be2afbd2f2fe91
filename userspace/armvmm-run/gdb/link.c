// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gdb/link.h"

/* Bytes read in one round of the main loop: a debugger in a hurry must not hold up devices. */
#define LINK_IN		1024u
/*
 * At most one answer waits, with its acknowledgement. One more may come by itself, when the guest
 * stops.
 */
#define LINK_OUT	(2 * (PACKET_FRAMED + 1))
#define LINK_PAUSE_MS	1000	/* pause while the process can open no more files */

struct link {
	const struct link_ops *ops;
	void *opaque;
	GMainContext *context;
	int listen_fd, fd;	/* fd: -1 if there is no debugger */
	GSource *listen_source, *source;
	GIOCondition watched;
	bool came;		/* its first byte was a debugger's */
	bool hang_up;		/* hang up when all is sent */
	struct packet_reader reader;
	struct reply reply;
	size_t in_at, in_len;
	size_t out_at, out_len;
	size_t last_len;	/* length of the last answer, for a debugger that asks again */
	uint8_t in[LINK_IN];
	char out[LINK_OUT];
	char last[PACKET_FRAMED];
};

static gboolean link_ready(int fd, GIOCondition condition, void *opaque);

static void link_unwatch(GSource **source)
{
	if (!*source)
		return;
	g_source_destroy(*source);
	g_source_unref(*source);
	*source = NULL;
}

/*
 * Polls for input; or for room, as long as something is to be sent, or as there is work that waits
 * for no byte: input that was read already, and hanging up.
 */
static void link_watch(struct link *link)
{
	bool busy = link->out_len || link->in_at < link->in_len || link->hang_up;
	GIOCondition condition = busy ? G_IO_OUT : G_IO_IN;

	if (link->source && condition == link->watched)
		return;
	link_unwatch(&link->source);
	link->watched = condition;
	link->source = g_unix_fd_source_new(link->fd, condition);
	g_source_set_callback(link->source, G_SOURCE_FUNC(link_ready), link, NULL);
	g_source_attach(link->source, link->context);
}

static void link_close(struct link *link)
{
	link_unwatch(&link->source);
	if (link->fd >= 0)
		close(link->fd);
	link->fd = -1;
}

static void link_lose(struct link *link)
{
	bool came = link->came;

	link_close(link);
	link->came = false;
	if (came)
		link->ops->gone(link->opaque);
}

/* ---- Out ---- */

/* Queues @data. There is room for all that can be under way. */
static void link_put(struct link *link, const char *data, size_t len)
{
	if (link->out_at) {
		memmove(link->out, link->out + link->out_at, link->out_len);
		link->out_at = 0;
	}
	if (len > LINK_OUT - link->out_len)
		return;
	memcpy(link->out + link->out_len, data, len);
	link->out_len += len;
}

/* False: there is no debugger any more. */
static bool link_flush(struct link *link)
{
	while (link->out_len) {
		ssize_t n = send(link->fd, link->out + link->out_at, link->out_len,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN || errno == EWOULDBLOCK;
		link->out_at += n;
		link->out_len -= n;
	}
	link->out_at = 0;
	return true;
}

static void link_answer(struct link *link, const struct reply *reply)
{
	if (reply->none)
		return;
	link->last_len = packet_frame(link->last, reply->data, reply->len);
	link_put(link, link->last, link->last_len);
}

/* ---- In ---- */

static void link_take(struct link *link, enum packet_event event)
{
	bool acks = link->ops->acks(link->opaque);
	struct reply *reply = &link->reply;

	reply->len = 0;
	reply->none = false;
	switch (event) {
	case PACKET_WHOLE:
		if (acks)
			link_put(link, "+", 1);
		link->hang_up = !link->ops->packet(link->opaque, link->reader.data,
						   link->reader.len, reply);
		break;
	case PACKET_TOO_LONG:
		if (acks)
			link_put(link, "+", 1);
		reply_error(reply, REPLY_EINVAL);
		break;
	case PACKET_INTERRUPT:
		link->ops->interrupt(link->opaque, reply);
		break;
	case PACKET_DAMAGED:
		if (acks)
			link_put(link, "-", 1);
		return;
	case PACKET_AGAIN:
		if (acks)
			link_put(link, link->last, link->last_len);
		return;
	default:
		return;
	}
	link_answer(link, reply);
}

/*
 * A web page can make a browser connect. The browser sends lines of HTTP, in which a packet may be
 * hidden. So a client that does not begin as a debugger does is none, and cannot stop the guest.
 */
static bool link_greet(struct link *link)
{
	if (link->came || link->in_at == link->in_len)
		return true;
	if (!packet_begins(link->in[link->in_at]))
		return false;
	link->came = true;
	link->ops->came(link->opaque);
	return true;
}

/* Handles what has been read, up to an answer that the debugger does not take yet. */
static bool link_handle(struct link *link)
{
	if (!link_greet(link))
		return false;
	while (link->in_at < link->in_len && !link->out_len && !link->hang_up) {
		link_take(link, packet_read(&link->reader, link->in[link->in_at++]));
		if (!link_flush(link))
			return false;
	}
	return !link->hang_up || link->out_len;
}

static bool link_fill(struct link *link)
{
	ssize_t n;

	if (link->in_at < link->in_len)
		return true;
	n = read(link->fd, link->in, sizeof(link->in));
	if (n < 0)
		return errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK;
	link->in_at = 0;
	link->in_len = n;
	return n;
}

static gboolean link_ready(int fd, GIOCondition condition, void *opaque)
{
	struct link *link = opaque;
	bool there;

	if (link->out_len)
		there = link_flush(link);
	else
		there = link_fill(link);
	if (!there || !link_handle(link)) {
		link_lose(link);
		return G_SOURCE_CONTINUE;	/* destroyed already */
	}
	link_watch(link);
	return G_SOURCE_CONTINUE;
}

/* ---- Coming and leaving ---- */

static gboolean link_accept(int listen_fd, GIOCondition condition, void *opaque);

/* Waits by @source, whose reference it takes, in place of what it waited by before. */
static void link_wait(struct link *link, GSource *source, GSourceFunc call)
{
	link_unwatch(&link->listen_source);
	link->listen_source = source;
	g_source_set_callback(source, call, link, NULL);
	g_source_attach(source, link->context);
}

static gboolean link_look(void *opaque)
{
	struct link *link = opaque;

	link_wait(link, g_unix_fd_source_new(link->listen_fd, G_IO_IN),
		  G_SOURCE_FUNC(link_accept));
	return G_SOURCE_REMOVE;
}

/*
 * Makes room for the next debugger if the old connection is unused or dead: it has said nothing, or
 * has hung up, which nobody noticed yet. Handles its last words first: they may say to kill the
 * guest.
 */
static void link_bury(struct link *link)
{
	struct pollfd old = { .fd = link->fd, .events = POLLRDHUP };
	bool gone = poll(&old, 1, 0) > 0;

	if (link->came && !gone)
		return;
	link_ready(link->fd, G_IO_IN, link);
	if (link->fd >= 0 && (gone || !link->came))
		link_lose(link);
}

static gboolean link_accept(int listen_fd, GIOCondition condition, void *opaque)
{
	struct link *link = opaque;
	int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED))
		return G_SOURCE_CONTINUE;
	if (fd < 0) {
		/* The debugger goes on waiting, and would wake us again at once. */
		link_wait(link, g_timeout_source_new(LINK_PAUSE_MS), link_look);
		return G_SOURCE_REMOVE;
	}
	if (link->fd >= 0)
		link_bury(link);
	if (link->fd >= 0) {
		close(fd);
		return G_SOURCE_CONTINUE;
	}
	link->fd = fd;
	link->hang_up = false;
	link->in_at = link->in_len = link->out_at = link->out_len = link->last_len = 0;
	memset(&link->reader, 0, sizeof(link->reader));
	link_watch(link);
	return G_SOURCE_CONTINUE;
}

struct link *link_new(int fd, GMainContext *context, const struct link_ops *ops, void *opaque)
{
	struct link *link = g_try_new0(struct link, 1);

	if (!link)
		return NULL;
	link->ops = ops;
	link->opaque = opaque;
	link->context = context;
	link->listen_fd = fd;
	link->fd = -1;
	link_look(link);
	return link;
}

void link_send(struct link *link, const struct reply *reply)
{
	if (!link->came)
		return;
	link_answer(link, reply);
	if (link_flush(link))
		link_watch(link);
	else
		link_lose(link);
}

void link_free(struct link *link)
{
	if (!link)
		return;
	link_close(link);
	link_unwatch(&link->listen_source);
	close(link->listen_fd);
	g_free(link);
}
