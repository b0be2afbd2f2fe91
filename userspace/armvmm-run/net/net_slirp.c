// SPDX-License-Identifier: GPL-2.0-only
/*
 * --net user: frames go over a socket to a process of their own (slirp_process.c), where libslirp
 * handles them. The process has nothing else of the guest's. Nothing is parsed here.
 *
 * Back pressure goes both ways. While the socket is full, the guest's queue waits. While the guest
 * has no buffers, the socket waits, and in the end the host's sockets do. When the process dies,
 * the guest's cable is pulled for good: its connections are lost in any case, and an attacker who
 * made the process die gets no second try.
 */
#include <errno.h>
#include <glib-unix.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/virtio_net.h>

#include "core/iov.h"
#include "core/machine.h"
#include "core/message.h"
#include "core/process.h"
#include "net/net.h"
#include "net/slirp_config.h"
#include "net/slirp_process.h"
#include "net/slirp_stack.h"

/* Time for the process to start and confine itself on a slow and busy machine. */
#define SLIRP_START_S	60

/* Frames to the guest before other work of the main thread gets its turn. */
#define SLIRP_BUDGET	64

struct net_slirp {
	struct net_backend be;
	struct machine *machine;
	const char *label;
	struct process process;
	struct slirp_source *source;
	GSource *text;
	bool guest_csum;	/* the guest takes our word for checksums */
	bool tx_blocked;	/* a frame of the guest's waits for room */
	bool stop_owed;		/* the process has yet to be told that the driver went */
	unsigned int stopping;	/* markers to come: frames before the last are for an old driver */
	size_t kept;		/* bytes of @frame, for which the guest has had no room yet */
	uint8_t frame[SLIRP_FRAME_MAX + 1];
};

struct slirp_source {
	GSource source;
	struct net_slirp *s;
	gpointer tag;
};

/* Sets the events that the main loop polls for. The device's lock is held. */
static void slirp_poll(struct net_slirp *s)
{
	GIOCondition events = 0;

	if (!s->source)
		return;
	if (!s->kept)
		events |= G_IO_IN;
	if (s->tx_blocked || s->stop_owed)
		events |= G_IO_OUT;
	g_source_modify_unix_fd(&s->source->source, s->source->tag, events);
}

/* ---- To the guest ---- */

/* Returns false when the guest has no room for it. */
static bool slirp_deliver(struct net_slirp *s)
{
	struct virtio_net_hdr_mrg_rxbuf hdr = { 0 };

	/* libslirp made the packet a moment ago: its checksums are right. */
	if (s->guest_csum)
		hdr.hdr.flags = VIRTIO_NET_HDR_F_DATA_VALID;
	if (net_receive(s->be.net, &hdr, s->frame, s->kept) == -EAGAIN)
		return false;
	s->kept = 0;
	return true;
}

/* Returns false at the process' end. */
static bool slirp_take(struct net_slirp *s)
{
	for (unsigned int i = 0; i < SLIRP_BUDGET && !s->kept; i++) {
		ssize_t n = read(s->process.fd, s->frame, sizeof(s->frame));

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0)
			return false;
		if (n == SLIRP_STOP && s->stopping)
			s->stopping--;
		/* Any other length that no frame has comes from a process that was taken over. */
		if (n < SLIRP_FRAME_MIN || n > SLIRP_FRAME_MAX || s->stopping)
			continue;
		s->kept = n;
		slirp_deliver(s);
	}
	return true;
}

static void slirp_receive_ready(struct net_backend *be)
{
	struct net_slirp *s = container_of(be, struct net_slirp, be);

	if (s->kept && slirp_deliver(s))
		slirp_poll(s);
	net_receive_done(be->net);
}

/* ---- From the guest; the device's lock is held ---- */

/*
 * Tells the process that the driver is gone, before it gets a frame of the next driver's. Returns
 * false if the socket has no room.
 */
static bool slirp_tell_stop(struct net_slirp *s)
{
	const uint8_t stop[SLIRP_STOP] = { 0 };

	if (s->stop_owed && write(s->process.fd, stop, sizeof(stop)) < 0 &&
	    (errno == EAGAIN || errno == EINTR))
		return false;
	s->stop_owed = false;
	return true;
}

static int slirp_send(struct net_backend *be, const struct iovec *iov, unsigned int nr, size_t len)
{
	struct net_slirp *s = container_of(be, struct net_slirp, be);
	struct iovec piece[NET_PIECES_MAX];

	len -= be->hdr_size;
	if (!s->source || len < SLIRP_FRAME_MIN || len > SLIRP_FRAME_MAX)
		return 0;
	nr = iov_slice(piece, iov, nr, be->hdr_size, len);
	/* If the process has ended, the next read notices it. */
	if (slirp_tell_stop(s) &&
	    (writev(s->process.fd, piece, nr) >= 0 || (errno != EAGAIN && errno != EINTR)))
		return 0;
	s->tx_blocked = true;
	slirp_poll(s);
	return -EAGAIN;
}

static void slirp_start(struct net_backend *be, uint64_t features)
{
	struct net_slirp *s = container_of(be, struct net_slirp, be);

	s->guest_csum = features & NET_FEATURE(VIRTIO_NET_F_GUEST_CSUM);
}

static void slirp_stop(struct net_backend *be)
{
	struct net_slirp *s = container_of(be, struct net_slirp, be);

	s->guest_csum = false;
	s->tx_blocked = false;
	s->kept = 0;
	if (!s->source)
		return;
	/* A stop that still has to be sent covers this one too. */
	if (!s->stop_owed)
		s->stopping++;
	s->stop_owed = true;
	slirp_tell_stop(s);
	slirp_poll(s);
}

/* ---- The main loop ---- */

static void slirp_forget_source(struct net_slirp *s)
{
	if (!s->source)
		return;
	g_source_destroy(&s->source->source);
	g_source_unref(&s->source->source);
	s->source = NULL;
}

/* Passes on what the process prints, for a person. One that was taken over may say anything. */
static void slirp_hear(struct net_slirp *s)
{
	char text[256];
	bool ended;

	for (unsigned int i = 0; i < PROCESS_SENTENCES; i++) {
		if (!process_says(&s->process, text, sizeof(text), &ended))
			break;
		machine_warn(s->machine, "network: %s", text);
	}
	if (!ended || !s->text)
		return;
	g_source_destroy(s->text);
	g_source_unref(s->text);
	s->text = NULL;
}

static gboolean slirp_text(int fd, GIOCondition condition, void *opaque)
{
	(void)fd;
	(void)condition;
	slirp_hear(opaque);
	return G_SOURCE_CONTINUE;
}

/* The lock is held. */
static void slirp_died(struct net_slirp *s)
{
	char how[64] = "";
	int status;

	slirp_forget_source(s);
	slirp_hear(s);
	status = process_end(&s->process);
	if (status >= 0 && WIFSIGNALED(status))
		snprintf(how, sizeof(how), " of signal %d", WTERMSIG(status));
	else if (status >= 0)
		snprintf(how, sizeof(how), " with status %d", WEXITSTATUS(status));
	machine_warn(s->machine, "%s: its process has ended%s: the guest's cable is pulled",
		     s->label, how);
	s->kept = 0;
	net_link_down(s->be.net);
	if (s->tx_blocked) {
		s->tx_blocked = false;
		net_send_ready(s->be.net);
	}
}

static gboolean slirp_dispatch(GSource *source, GSourceFunc callback, gpointer opaque)
{
	struct net_slirp *s = ((struct slirp_source *)source)->s;
	GIOCondition events = g_source_query_unix_fd(source, s->source->tag);
	struct virtio_net *net = s->be.net;
	bool alive;

	(void)callback;
	(void)opaque;
	net_lock(net);
	alive = s->kept || slirp_take(s);
	/* While a frame is kept nothing is read, so that a read cannot notice the end. */
	if (s->kept && events & G_IO_HUP)
		alive = false;
	net_receive_done(net);
	if (!alive) {
		slirp_died(s);
	} else {
		if (events & G_IO_OUT && slirp_tell_stop(s) && s->tx_blocked) {
			s->tx_blocked = false;
			net_send_ready(net);
		}
		slirp_poll(s);
	}
	net_unlock(net);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs slirp_source_funcs = { .dispatch = slirp_dispatch };

static void slirp_watch(struct net_slirp *s)
{
	s->source = (struct slirp_source *)g_source_new(&slirp_source_funcs, sizeof(*s->source));
	s->source->s = s;
	s->source->tag = g_source_add_unix_fd(&s->source->source, s->process.fd, G_IO_IN);
	g_source_attach(&s->source->source, s->machine->context);
	s->text = g_unix_fd_source_new(s->process.text, G_IO_IN);
	g_source_set_callback(s->text, G_SOURCE_FUNC(slirp_text), s, NULL);
	g_source_attach(s->text, s->machine->context);
}

static void slirp_destroy(struct net_backend *be)
{
	struct net_slirp *s = container_of(be, struct net_slirp, be);

	slirp_forget_source(s);
	if (s->text) {
		g_source_destroy(s->text);
		g_source_unref(s->text);
	}
	process_end(&s->process);
	free(s);
}

static const struct net_backend_ops slirp_ops = {
	.send = slirp_send,
	.receive_ready = slirp_receive_ready,
	.start = slirp_start,
	.stop = slirp_stop,
	.destroy = slirp_destroy,
};

/* ---- Making one ---- */

static int slirp_start_process(struct net_slirp *s, const struct net_config *config,
			       struct error *err)
{
	const struct process_rights *rights = &s->machine->rights;
	struct slirp_setup setup = { .rights = *rights, .verbose = s->machine->verbose };
	struct slirp_reply reply = { .ret = 0 };
	bool apart = rights->confined;
	ssize_t n;
	int ret;

	memcpy(&setup.config, config->backend, sizeof(setup.config));
	ret = process_start(&s->process, SLIRP_ROLE, config->label, &apart, !rights->change_user,
			    err);
	if (ret)
		return ret;
	if (rights->confined && !apart)
		message("%s: sandbox: goes on without what this host does not give: PID namespaces",
			config->label);
	if (write(s->process.fd, &setup, sizeof(setup)) != sizeof(setup))
		return error_errno(err, -errno, "%s: its process", config->label);
	n = process_receive(&s->process, &reply, sizeof(reply), SLIRP_START_S);
	slirp_hear(s);
	if (n != sizeof(reply))
		return error_set(err, n < 0 ? n : -EPROTO,
				 "%s: its process does not start (/proc/self/exe)", config->label);
	reply.why.text[sizeof(reply.why.text) - 1] = '\0';
	return reply.ret ? error_set(err, reply.ret, "%s: %s", config->label, reply.why.text) : 0;
}

static int slirp_create(struct machine *m, const struct net_config *config, struct net_backend **be,
			struct error *err)
{
	struct net_slirp *s = calloc(1, sizeof(*s));
	int ret;

	if (!s)
		return error_errno(err, -ENOMEM, "%s", config->label);
	s->be.ops = &slirp_ops;
	s->be.alone = true;
	s->be.features = NET_FEATURE(VIRTIO_NET_F_GUEST_CSUM);
	s->machine = m;
	s->label = config->label;
	s->process.fd = s->process.text = -1;
	ret = slirp_start_process(s, config, err);
	if (ret) {
		slirp_destroy(&s->be);
		return ret;
	}
	slirp_watch(s);
	*be = &s->be;
	return 0;
}

static const struct net_type slirp_type = {
	.name = "user",
	.args = "user",
	.summary = "a network address translator in a process of its own, which needs no privilege",
	.words = slirp_config_words,
	.config_size = sizeof(struct slirp_config),
	.word = slirp_config_word,
	.create = slirp_create,
};
NET_TYPE(slirp_type);
