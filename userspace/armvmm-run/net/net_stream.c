// SPDX-License-Identifier: GPL-2.0-only
/*
 * --net stream: frames go over a Unix socket to another program, which has the network: passt, or
 * whatever speaks the protocol of QEMU's "-netdev stream". Each frame comes behind its length, 32
 * bits in network order. The socket is connected once, before there is a guest: a process that has
 * one opens nothing more.
 *
 * A frame that the socket takes in part is finished before anything else is sent, also if the
 * driver goes away meanwhile: else the peer would take the middle of a frame for a length. While
 * the socket is full, the guest's queue waits; while the guest has no buffers, the socket does.
 * When the peer ends, or sends what is no frame, the guest's cable is pulled for good.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/iov.h"
#include "core/machine.h"
#include "core/parse.h"
#include "net/net.h"

#define STREAM_HEAD	sizeof(uint32_t)
#define STREAM_MIN	14	/* an Ethernet header */
#define STREAM_FRAME	(STREAM_HEAD + NET_FRAME_MAX)

struct net_stream {
	struct net_backend be;
	struct machine *machine;
	const char *label;
	int fd;
	struct stream_source *source;	/* NULL: the peer is gone */
	bool tx_blocked;	/* a frame of the guest's waits for room */
	bool rx_blocked;	/* the first frame of @in waits for the guest's buffers */
	size_t in_at, in_end;	/* what of @in is still to be taken; there is room for a frame */
	size_t out_at, out_end;	/* what of @out is still to be sent: the rest of a frame */
	uint8_t in[2 * STREAM_FRAME];
	uint8_t out[STREAM_FRAME];
};

struct stream_source {
	GSource source;
	struct net_stream *s;
	gpointer tag;
};

/* Sets the events that the main loop polls for. The device's lock is held. */
static void stream_poll(struct net_stream *s)
{
	GIOCondition events = 0;

	if (!s->source)
		return;
	if (!s->rx_blocked)
		events |= G_IO_IN;
	if (s->out_at < s->out_end || s->tx_blocked)
		events |= G_IO_OUT;
	g_source_modify_unix_fd(&s->source->source, s->source->tag, events);
}

static void stream_forget_source(struct net_stream *s)
{
	if (!s->source)
		return;
	g_source_destroy(&s->source->source);
	g_source_unref(&s->source->source);
	s->source = NULL;
}

/* Its @why is part of a sentence. The lock is held. */
static void stream_lost(struct net_stream *s, const char *why)
{
	stream_forget_source(s);
	machine_warn(s->machine, "%s: its peer %s: the guest's cable is pulled", s->label, why);
	s->rx_blocked = false;
	s->in_at = s->in_end = s->out_at = s->out_end = 0;
	net_link_down(s->be.net);
	if (s->tx_blocked) {
		s->tx_blocked = false;
		net_send_ready(s->be.net);
	}
}

/* ---- To the guest; the lock is held ---- */

/*
 * Finds the first frame of @in. Returns 1; 0 if it is not whole yet; or -EPROTO for a length that
 * no frame has.
 */
static int stream_first(const struct net_stream *s, size_t *len)
{
	uint32_t head;

	if (s->in_end - s->in_at < STREAM_HEAD)
		return 0;
	memcpy(&head, s->in + s->in_at, STREAM_HEAD);
	*len = ntohl(head);
	if (*len > NET_FRAME_MAX)
		return -EPROTO;
	return s->in_end - s->in_at >= STREAM_HEAD + *len;
}

/* Returns false when the guest has no room for it. What is too short for a frame is dropped. */
static bool stream_deliver(struct net_stream *s, size_t len)
{
	const uint8_t hdr[NET_HDR_SIZE] = { 0 };

	return len < STREAM_MIN ||
	       net_receive(s->be.net, hdr, s->in + s->in_at + STREAM_HEAD, len) != -EAGAIN;
}

/* Gives the guest what has come. Returns 0 or -EPROTO. */
static int stream_take(struct net_stream *s)
{
	size_t len;
	int ret;

	s->rx_blocked = false;
	while ((ret = stream_first(s, &len)) == 1) {
		if (!stream_deliver(s, len)) {
			s->rx_blocked = true;
			break;
		}
		s->in_at += STREAM_HEAD + len;
	}
	net_receive_done(s->be.net);
	return ret < 0 ? ret : 0;
}

/* Has room for a whole frame behind what is there, which is less than one. */
static void stream_make_room(struct net_stream *s)
{
	if (s->in_at < s->in_end && sizeof(s->in) - s->in_at >= STREAM_FRAME)
		return;
	memmove(s->in, s->in + s->in_at, s->in_end - s->in_at);
	s->in_end -= s->in_at;
	s->in_at = 0;
}

/*
 * Reads once, so that other work of the main thread gets its turn. Returns 0, -EPROTO, or -EPIPE at
 * the peer's end.
 */
static int stream_read(struct net_stream *s)
{
	ssize_t n;

	stream_make_room(s);
	n = read(s->fd, s->in + s->in_end, sizeof(s->in) - s->in_end);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -EPIPE;
	s->in_end += n;
	return stream_take(s);
}

/* Goes on, or ends, as stream_read() and stream_take() say. */
static void stream_go_on(struct net_stream *s, int ret)
{
	if (ret == -EPROTO)
		stream_lost(s, "has sent what is no frame");
	else if (ret)
		stream_lost(s, "has closed the connection");
	else
		stream_poll(s);
}

static void stream_receive_ready(struct net_backend *be)
{
	struct net_stream *s = container_of(be, struct net_stream, be);

	if (s->rx_blocked)
		stream_go_on(s, stream_take(s));
}

/* ---- From the guest; the lock is held ---- */

/* Sends the rest of a frame. Returns false while there is some; an error is for the next read. */
static bool stream_flush(struct net_stream *s)
{
	while (s->out_at < s->out_end) {
		ssize_t n = write(s->fd, s->out + s->out_at, s->out_end - s->out_at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return false;
		s->out_at = n < 0 ? s->out_end : s->out_at + n;
	}
	return true;
}

/* Returns false if nothing of the frame was sent, as the socket is full. */
static bool stream_write(struct net_stream *s, const struct iovec *piece, unsigned int nr,
			 size_t len)
{
	ssize_t n;

	do {
		n = writev(s->fd, piece, nr);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno != EAGAIN;
	s->out_at = 0;
	s->out_end = iov_read(piece, nr, n, s->out, len - n);
	if (s->out_end)
		stream_poll(s);
	return true;
}

static int stream_send(struct net_backend *be, const struct iovec *iov, unsigned int nr, size_t len)
{
	struct net_stream *s = container_of(be, struct net_stream, be);
	struct iovec piece[NET_PIECES_MAX + 1];
	uint32_t head;

	len -= be->hdr_size;
	if (!s->source || len < STREAM_MIN || len > NET_FRAME_MAX)
		return 0;
	head = htonl(len);
	piece[0].iov_base = &head;
	piece[0].iov_len = STREAM_HEAD;
	nr = iov_slice(piece + 1, iov, nr, be->hdr_size, len);
	if (stream_flush(s) && stream_write(s, piece, nr + 1, STREAM_HEAD + len))
		return 0;
	s->tx_blocked = true;
	stream_poll(s);
	return -EAGAIN;
}

/* What has come was for the driver that goes. What follows is dropped until there is another. */
static void stream_stop(struct net_backend *be)
{
	struct net_stream *s = container_of(be, struct net_stream, be);
	size_t len;

	while (stream_first(s, &len) == 1)
		s->in_at += STREAM_HEAD + len;
	s->rx_blocked = false;
	s->tx_blocked = false;
	stream_poll(s);
}

/* ---- The main loop ---- */

static gboolean stream_dispatch(GSource *source, GSourceFunc callback, gpointer opaque)
{
	struct net_stream *s = ((struct stream_source *)source)->s;
	GIOCondition events = g_source_query_unix_fd(source, s->source->tag);
	struct virtio_net *net = s->be.net;
	int ret = 0;

	(void)callback;
	(void)opaque;
	net_lock(net);
	if (!s->rx_blocked)
		ret = stream_read(s);
	else if (events & (G_IO_HUP | G_IO_ERR))
		/* Nothing is read while a frame waits, so that a read cannot notice the end. */
		ret = -EPIPE;
	if (!ret && events & G_IO_OUT && stream_flush(s) && s->tx_blocked) {
		s->tx_blocked = false;
		net_send_ready(net);
	}
	stream_go_on(s, ret);
	net_unlock(net);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs stream_source_funcs = { .dispatch = stream_dispatch };

static void stream_watch(struct net_stream *s)
{
	s->source = (struct stream_source *)g_source_new(&stream_source_funcs, sizeof(*s->source));
	s->source->s = s;
	s->source->tag = g_source_add_unix_fd(&s->source->source, s->fd, G_IO_IN);
	g_source_attach(&s->source->source, s->machine->context);
}

static void stream_destroy(struct net_backend *be)
{
	struct net_stream *s = container_of(be, struct net_stream, be);

	stream_forget_source(s);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

static const struct net_backend_ops stream_ops = {
	.send = stream_send,
	.receive_ready = stream_receive_ready,
	.stop = stream_stop,
	.destroy = stream_destroy,
};

/* ---- Making one ---- */

struct stream_config {
	const char *path;
};

static int stream_word(void *backend, const char *label, const char *word, struct error *err)
{
	struct stream_config *config = backend;
	const char *value = parse_value(word, "addr.path");

	if (value) {
		if (!*value || strlen(value) >= sizeof(((struct sockaddr_un *)0)->sun_path))
			return error_set(err, -EINVAL, "%s: a socket's path has 1 to %zu characters",
					 label, sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
		config->path = value;
		return 0;
	}
	value = parse_value(word, "addr.type");
	if (value && strcmp(value, "unix"))
		return error_set(err, -EINVAL, "%s: addr.type must be unix", label);
	if (value)
		return 0;
	value = parse_value(word, "server");
	if (value && strcmp(value, "off"))
		return error_set(err, -EINVAL, "%s: server must be off: the other program listens",
				 label);
	return value || !strcmp(word, "stream") ? 0 : -ENOENT;
}

static int stream_complete(const void *backend, const char *label, struct error *err)
{
	const struct stream_config *config = backend;

	return config->path ? 0 : error_set(err, -EINVAL, "%s: needs addr.path=PATH", label);
}

static int stream_connect(struct net_stream *s, const char *path, struct error *err)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	strcpy(sun.sun_path, path);
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return error_errno(err, -errno, "%s: a socket", s->label);
	if (!connect(s->fd, (const struct sockaddr *)&sun, sizeof(sun)))
		return 0;
	if (errno == ENOENT || errno == ECONNREFUSED)
		return error_set(err, -errno,
				 "%s: nobody listens there: start the other program first (passt --socket %s)",
				 s->label, path);
	return error_errno(err, -errno, "%s: cannot be connected to", s->label);
}

static int stream_create(struct machine *m, const struct net_config *config,
			 struct net_backend **be, struct error *err)
{
	const struct stream_config *stream = config->backend;
	struct net_stream *s = calloc(1, sizeof(*s));
	int ret;

	if (!s)
		return error_errno(err, -ENOMEM, "%s", config->label);
	s->be.ops = &stream_ops;
	s->machine = m;
	s->label = config->label;
	ret = stream_connect(s, stream->path, err);
	if (ret) {
		stream_destroy(&s->be);
		return ret;
	}
	stream_watch(s);
	*be = &s->be;
	return 0;
}

static const struct device_word stream_words[] = {
	{ "addr.path=PATH", "the Unix socket at which the other program listens" },
	{ "addr.type=unix", "may be said, as QEMU wants it" },
	{ "server=off", "likewise" },
	{ NULL, NULL },
};

static const struct net_type stream_type = {
	.name = "stream",
	.args = "stream,addr.path=PATH",
	.summary = "a program that has the network and listens at a Unix socket: passt",
	.config_size = sizeof(struct stream_config),
	.words = stream_words,
	.word = stream_word,
	.complete = stream_complete,
	.create = stream_create,
};
NET_TYPE(stream_type);
