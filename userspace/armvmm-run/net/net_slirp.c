// SPDX-License-Identifier: GPL-2.0-only
/*
 * --net user: frames end in libslirp, a TCP/IP stack in this process that
 * opens ordinary sockets on the host. It needs no privilege.
 *
 * libslirp hands over a frame whether or not the guest can take it. Those that
 * it cannot are queued here, and while any are, libslirp is not asked to read
 * from its sockets: the data waits in the host's kernel, where TCP slows the
 * sender down.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include <libslirp.h>
#include <linux/virtio_net.h>

#include "core/iov.h"
#include "core/machine.h"
#include "net/net.h"
#include "net/slirp_config.h"

/* Frames that libslirp makes without reading a socket (answers to ARP, ...) still add up. */
#define SLIRP_BACKLOG_MAX (256 * 1024)

/* The longest frame of an Ethernet whose MTU, as this one's, is 1500. */
#define SLIRP_FRAME_MAX 1514

/* Pieces of IPv4 packets that libslirp is given in each window, microseconds long. */
#define SLIRP_FRAGMENTS_MAX 1024
#define SLIRP_FRAGMENT_WINDOW (30 * G_USEC_PER_SEC)

/* An Ethernet header. */
#define FRAME_MIN 14

struct slirp_frame {
	struct slirp_frame *next;
	size_t len;
	uint8_t data[];
};

struct net_slirp {
	struct net_backend be;
	struct machine *machine;
	Slirp *slirp;
	struct slirp_source *source;
	bool guest_csum; /* the guest takes our word for checksums */
	struct slirp_frame *backlog;
	struct slirp_frame **backlog_end;
	size_t backlog_size; /* bytes */
	gint64 fragment_window; /* when it began, monotonic */
	unsigned int nr_fragments; /* that were let through in it */
	uint64_t fragments_dropped;
	uint8_t *flat; /* a frame from the guest in one piece */
};

/* What libslirp waits for, as one GSource. */
struct slirp_source {
	GSource source;
	struct net_slirp *s;
	GPtrArray *fds; /* GPollFD or NULL, by file descriptor */
	gint64 deadline; /* monotonic, microseconds; -1: none */
};

struct slirp_timer {
	GSource source;
	struct net_slirp *s;
	SlirpTimerCb fire;
	void *opaque;
};

static void slirp_lock(struct net_slirp *s)
{
	if (s->be.net)
		net_lock(s->be.net);
}

static void slirp_unlock(struct net_slirp *s)
{
	if (s->be.net)
		net_unlock(s->be.net);
}

/* Frames to the guest; the device's lock is held */

static int slirp_deliver(struct net_slirp *s, const void *frame, size_t len)
{
	struct virtio_net_hdr_mrg_rxbuf hdr = { 0 };

	/* libslirp made the packet a moment ago: its checksums are right. */
	if (s->guest_csum)
		hdr.hdr.flags = VIRTIO_NET_HDR_F_DATA_VALID;
	return net_receive(s->be.net, &hdr, frame, len);
}

static void slirp_enqueue(struct net_slirp *s, const void *data, size_t len)
{
	struct slirp_frame *frame;

	if (s->backlog_size + len > SLIRP_BACKLOG_MAX)
		return;
	frame = malloc(sizeof(*frame) + len);
	if (!frame)
		return;
	frame->next = NULL;
	frame->len = len;
	memcpy(frame->data, data, len);
	*s->backlog_end = frame;
	s->backlog_end = &frame->next;
	s->backlog_size += len;
}

static void slirp_dequeue(struct net_slirp *s)
{
	struct slirp_frame *frame = s->backlog;

	s->backlog = frame->next;
	if (!s->backlog)
		s->backlog_end = &s->backlog;
	s->backlog_size -= frame->len;
	free(frame);
}

static ssize_t slirp_cb_send_packet(const void *buf, size_t len, void *opaque)
{
	struct net_slirp *s = opaque;

	if (s->be.net && (s->backlog || slirp_deliver(s, buf, len) == -EAGAIN))
		slirp_enqueue(s, buf, len);
	return len;
}

static void slirp_receive_ready(struct net_backend *be)
{
	struct net_slirp *s = container_of(be, struct net_slirp, be);

	while (s->backlog && !slirp_deliver(s, s->backlog->data, s->backlog->len))
		slirp_dequeue(s);
	net_receive_done(be->net);
}

/* Other services that libslirp wants */

static void slirp_cb_guest_error(const char *msg, void *opaque)
{
	struct net_slirp *s = opaque;

	machine_note(s->machine, "net user: %s", msg);
}

static int64_t slirp_cb_clock_get_ns(void *opaque)
{
	(void)opaque;
	return g_get_monotonic_time() * 1000;
}

static gboolean slirp_timer_dispatch(GSource *source, GSourceFunc callback, gpointer opaque)
{
	struct slirp_timer *t = (struct slirp_timer *)source;
	struct net_slirp *s = t->s;

	(void)callback;
	(void)opaque;
	g_source_set_ready_time(source, -1);
	slirp_lock(s);
	t->fire(t->opaque);
	if (s->be.net)
		net_receive_done(s->be.net);
	slirp_unlock(s);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs slirp_timer_funcs = { .dispatch = slirp_timer_dispatch };

static void *slirp_cb_timer_new(SlirpTimerCb fire, void *cb_opaque, void *opaque)
{
	struct net_slirp *s = opaque;
	struct slirp_timer *t;

	t = (struct slirp_timer *)g_source_new(&slirp_timer_funcs, sizeof(*t));
	t->s = s;
	t->fire = fire;
	t->opaque = cb_opaque;
	g_source_attach(&t->source, s->machine->context);
	return t;
}

static void slirp_cb_timer_free(void *timer, void *opaque)
{
	struct slirp_timer *t = timer;

	(void)opaque;
	g_source_destroy(&t->source);
	g_source_unref(&t->source);
}

static void slirp_cb_timer_mod(void *timer, int64_t expire_ms, void *opaque)
{
	struct slirp_timer *t = timer;

	(void)opaque;
	g_source_set_ready_time(&t->source, expire_ms * 1000);
}

/* File descriptors are asked for anew before each poll, so these have nothing to do. */
static void slirp_cb_poll_fd(int fd, void *opaque)
{
	(void)fd;
	(void)opaque;
}

static void slirp_cb_notify(void *opaque)
{
	(void)opaque;
}

/* libslirp keeps the pointer. */
static const SlirpCb slirp_callbacks = {
	.send_packet = slirp_cb_send_packet,
	.guest_error = slirp_cb_guest_error,
	.clock_get_ns = slirp_cb_clock_get_ns,
	.timer_new = slirp_cb_timer_new,
	.timer_free = slirp_cb_timer_free,
	.timer_mod = slirp_cb_timer_mod,
	.register_poll_fd = slirp_cb_poll_fd,
	.unregister_poll_fd = slirp_cb_poll_fd,
	.notify = slirp_cb_notify,
};

/* Sockets, on the main loop */

static int slirp_add_poll(int fd, int events, void *opaque)
{
	struct slirp_source *src = opaque;
	gushort want = 0;
	GPollFD *p;

	if (events & SLIRP_POLL_IN)
		want |= G_IO_IN;
	if (events & SLIRP_POLL_OUT)
		want |= G_IO_OUT;
	if (events & SLIRP_POLL_PRI)
		want |= G_IO_PRI;
	if (events & SLIRP_POLL_ERR)
		want |= G_IO_ERR;
	if (events & SLIRP_POLL_HUP)
		want |= G_IO_HUP;
	if ((guint)fd >= src->fds->len)
		g_ptr_array_set_size(src->fds, fd + 1);
	p = src->fds->pdata[fd];
	if (!p) {
		p = g_new0(GPollFD, 1);
		p->fd = fd;
		src->fds->pdata[fd] = p;
		g_source_add_poll(&src->source, p);
	}
	p->events |= want;
	return fd;
}

static int slirp_get_revents(int fd, void *opaque)
{
	struct slirp_source *src = opaque;
	int events = 0;
	GPollFD *p;

	p = fd >= 0 && (guint)fd < src->fds->len ? src->fds->pdata[fd] : NULL;
	if (!p)
		return 0;
	if (p->revents & G_IO_IN)
		events |= SLIRP_POLL_IN;
	if (p->revents & G_IO_OUT)
		events |= SLIRP_POLL_OUT;
	if (p->revents & G_IO_PRI)
		events |= SLIRP_POLL_PRI;
	if (p->revents & G_IO_ERR)
		events |= SLIRP_POLL_ERR;
	if (p->revents & G_IO_HUP)
		events |= SLIRP_POLL_HUP;
	return events;
}

static gboolean slirp_source_prepare(GSource *source, gint *timeout)
{
	struct slirp_source *src = (struct slirp_source *)source;
	uint32_t wait = UINT32_MAX;
	guint i;

	for (i = 0; i < src->fds->len; i++) {
		GPollFD *p = src->fds->pdata[i];

		if (p)
			p->events = 0;
	}
	slirp_lock(src->s);
	if (!src->s->backlog)
		slirp_pollfds_fill(src->s->slirp, &wait, slirp_add_poll, src);
	slirp_unlock(src->s);
	for (i = 0; i < src->fds->len; i++) {
		GPollFD *p = src->fds->pdata[i];

		if (p && !p->events) {
			g_source_remove_poll(source, p);
			g_free(p);
			src->fds->pdata[i] = NULL;
		}
	}
	*timeout = wait > G_MAXINT ? -1 : (gint)wait;
	src->deadline = -1;
	if (*timeout >= 0)
		src->deadline = g_source_get_time(source) + (gint64)*timeout * 1000;
	return FALSE;
}

static gboolean slirp_source_check(GSource *source)
{
	struct slirp_source *src = (struct slirp_source *)source;
	guint i;

	if (src->deadline >= 0 && g_source_get_time(source) >= src->deadline)
		return TRUE;
	for (i = 0; i < src->fds->len; i++) {
		GPollFD *p = src->fds->pdata[i];

		if (p && p->revents)
			return TRUE;
	}
	return FALSE;
}

static gboolean slirp_source_dispatch(GSource *source, GSourceFunc callback, gpointer opaque)
{
	struct slirp_source *src = (struct slirp_source *)source;
	struct net_slirp *s = src->s;

	(void)callback;
	(void)opaque;
	slirp_lock(s);
	slirp_pollfds_poll(s->slirp, 0, slirp_get_revents, src);
	if (s->be.net)
		net_receive_done(s->be.net);
	slirp_unlock(s);
	return G_SOURCE_CONTINUE;
}

static void slirp_source_finalize(GSource *source)
{
	struct slirp_source *src = (struct slirp_source *)source;

	g_ptr_array_free(src->fds, TRUE);
}

static GSourceFuncs slirp_source_funcs = {
	.prepare = slirp_source_prepare,
	.check = slirp_source_check,
	.dispatch = slirp_source_dispatch,
	.finalize = slirp_source_finalize,
};

static void slirp_source_start(struct net_slirp *s)
{
	struct slirp_source *src;

	src = (struct slirp_source *)g_source_new(&slirp_source_funcs, sizeof(*src));
	src->s = s;
	src->fds = g_ptr_array_new_with_free_func(g_free);
	src->deadline = -1;
	g_source_attach(&src->source, s->machine->context);
	s->source = src;
}

/* The back end's ops; the device's lock is held, except in destroy */

/* Is it a piece of an IPv4 packet (RFC 791: more fragments, or an offset)? */
static bool slirp_is_fragment(const uint8_t *frame, size_t len)
{
	return len >= FRAME_MIN + 8 && frame[12] == 0x08 && frame[13] == 0x00 &&
	       ((frame[FRAME_MIN + 6] & 0x3f) || frame[FRAME_MIN + 7]);
}

/*
 * libslirp keeps the pieces of a packet for half a minute until it is whole, as many
 * as come: what a guest may have there is bounded.
 */
static bool slirp_may_fragment(struct net_slirp *s)
{
	gint64 now = g_get_monotonic_time();

	if (now - s->fragment_window > SLIRP_FRAGMENT_WINDOW) {
		s->fragment_window = now;
		s->nr_fragments = 0;
	}
	if (s->nr_fragments < SLIRP_FRAGMENTS_MAX) {
		s->nr_fragments++;
		return true;
	}
	if (!s->fragments_dropped++)
		machine_note(s->machine, "net user: the guest sends more fragments than are kept");
	return false;
}

static int slirp_send(struct net_backend *be, const struct iovec *iov, unsigned int nr, size_t len)
{
	struct net_slirp *s = container_of(be, struct net_slirp, be);

	len -= be->hdr_size;
	if (len < FRAME_MIN || len > SLIRP_FRAME_MAX)
		return 0;
	if (!s->flat)
		s->flat = malloc(SLIRP_FRAME_MAX);
	if (!s->flat)
		return 0;
	/* A copy, which the guest cannot change while libslirp looks at it. */
	len = iov_read(iov, nr, be->hdr_size, s->flat, len);
	if (slirp_is_fragment(s->flat, len) && !slirp_may_fragment(s))
		return 0;
	slirp_input(s->slirp, s->flat, len);
	return 0;
}

static void slirp_send_done(struct net_backend *be)
{
	net_receive_done(be->net);
}

static void slirp_start(struct net_backend *be, uint64_t features)
{
	struct net_slirp *s = container_of(be, struct net_slirp, be);

	s->guest_csum = features & NET_FEATURE(VIRTIO_NET_F_GUEST_CSUM);
}

static void slirp_stop(struct net_backend *be)
{
	struct net_slirp *s = container_of(be, struct net_slirp, be);

	while (s->backlog)
		slirp_dequeue(s);
	s->guest_csum = false;
}

static void slirp_destroy(struct net_backend *be)
{
	struct net_slirp *s = container_of(be, struct net_slirp, be);

	be->net = NULL;
	if (s->source) {
		g_source_destroy(&s->source->source);
		g_source_unref(&s->source->source);
	}
	if (s->slirp)
		slirp_cleanup(s->slirp);
	slirp_stop(be);
	free(s->flat);
	free(s);
}

static const struct net_backend_ops slirp_ops = {
	.send = slirp_send,
	.send_done = slirp_send_done,
	.receive_ready = slirp_receive_ready,
	.start = slirp_start,
	.stop = slirp_stop,
	.destroy = slirp_destroy,
};

static int slirp_forward(struct net_slirp *s, const struct net_config *config,
			 const struct slirp_hostfwd *fwd, struct error *err)
{
	struct in_addr host = { .s_addr = htonl(fwd->host_addr) };
	struct in_addr guest = { .s_addr = htonl(fwd->guest_addr) };
	int ret;

	errno = 0;
	ret = slirp_add_hostfwd(s->slirp, fwd->udp, host, fwd->host_port, guest, fwd->guest_port);
	if (ret >= 0)
		return 0;
	ret = errno ? -errno : -EADDRINUSE;
	return error_errno(err, ret, "%s: cannot listen on host %s port %u", config->label,
			   fwd->udp ? "UDP" : "TCP", fwd->host_port);
}

static int slirp_create(struct machine *m, const struct net_config *config, struct net_backend **be,
			struct error *err)
{
	/* QEMU's addresses, which guests and people know: 10.0.2.0/24 and fec0::/64. */
	SlirpConfig cfg = {
		.version = 1,
		.vprefix_len = 64,
	};
	const struct slirp_config *user = config->backend;
	uint32_t net = user->mask ? user->net : 0x0a000200;
	struct net_slirp *s;
	unsigned int i;
	int ret = 0;

	cfg.in_enabled = !user->no_ipv4;
	cfg.in6_enabled = !user->no_ipv6;
	cfg.restricted = user->restrict_;
	cfg.disable_host_loopback = !user->loopback;
	cfg.vnetwork.s_addr = htonl(net);
	cfg.vnetmask.s_addr = htonl(user->mask ? user->mask : 0xffffff00);
	cfg.vhost.s_addr = htonl(net + 2);
	cfg.vnameserver.s_addr = htonl(user->dns ? user->dns : net + 3);
	cfg.vdhcp_start.s_addr = htonl(net + 15);
	inet_pton(AF_INET6, "fec0::", &cfg.vprefix_addr6);
	inet_pton(AF_INET6, "fec0::2", &cfg.vhost6);
	inet_pton(AF_INET6, "fec0::3", &cfg.vnameserver6);

	s = calloc(1, sizeof(*s));
	if (!s)
		return error_errno(err, -ENOMEM, "%s", config->label);
	s->be.ops = &slirp_ops;
	s->be.features = NET_FEATURE(VIRTIO_NET_F_GUEST_CSUM);
	s->machine = m;
	m->network = true;
	s->backlog_end = &s->backlog;
	s->slirp = slirp_new(&cfg, &slirp_callbacks, s);
	if (!s->slirp)
		ret = error_set(err, -ENOMEM, "%s: libslirp did not start", config->label);
	for (i = 0; !ret && i < user->nr_hostfwds; i++)
		ret = slirp_forward(s, config, &user->hostfwd[i], err);
	if (ret) {
		slirp_destroy(&s->be);
		return ret;
	}
	slirp_source_start(s);
	*be = &s->be;
	return 0;
}

static const struct net_type slirp_type = {
	.name = "user",
	.args = "user",
	.summary = "a network address translator in this process, which needs no privilege",
	.words = slirp_config_words,
	.config_size = sizeof(struct slirp_config),
	.word = slirp_config_word,
	.create = slirp_create,
};
NET_TYPE(slirp_type);
