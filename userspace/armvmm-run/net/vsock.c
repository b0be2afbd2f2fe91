// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/machine.h"
#include "core/parse.h"
#include "net/vsock_input.h"

/* Ports of the host for connections that the host made; the guest's own choice lies below. */
#define VSOCK_PORT_FIRST	0x40000000u
#define VSOCK_PORT_LAST		0x7fffffffu

#define VSOCK_BACKLOG	16
#define VSOCK_ACCEPT_US	1000000
#define VSOCK_HOLD_US	5000000

/* ---- Events of the host ---- */

static uint32_t vsock_choose_port(struct vsock *v, uint32_t guest_port)
{
	uint32_t port;

	/* There are more of them than connections. */
	do {
		port = v->next_port;
		v->next_port = port == VSOCK_PORT_LAST ? VSOCK_PORT_FIRST : port + 1;
	} while (vsock_find(v, guest_port, port));
	return port;
}

/* The port of a line "CONNECT PORT", without its end. Returns 0 or -EINVAL. */
static int vsock_parse_line(char *line, uint32_t *port)
{
	static const char word[] = "CONNECT ";
	uint64_t value;
	size_t len = strlen(line);

	if (len && line[len - 1] == '\r')
		line[len - 1] = '\0';
	if (strncmp(line, word, sizeof(word) - 1) ||
	    parse_number_all(line + sizeof(word) - 1, UINT32_MAX, &value))
		return -EINVAL;
	*port = value;
	return 0;
}

/* Reads byte by byte: what follows the line is the guest's. Returns false if it is over. */
static bool vsock_greet(struct vsock *v, struct vsock_conn *c)
{
	for (;;) {
		ssize_t n = read(c->fd, &c->line[c->line_len], 1);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n <= 0)
			break;
		if (c->line[c->line_len] != '\n') {
			if (++c->line_len == sizeof(c->line))
				break;
			continue;
		}
		c->line[c->line_len] = '\0';
		/* A guest that runs no driver refuses. */
		if (!v->cid || vsock_parse_line(c->line, &c->guest_port))
			break;
		c->host_port = vsock_choose_port(v, c->guest_port);
		c->owed |= OWED_REQUEST;
		vsock_set_state(v, c, VSOCK_REQUESTED);
		vsock_poll(v, c);
		return true;
	}
	vsock_free(v, c);
	return false;
}

/* The program has closed its end, or both directions are at their end. */
static bool vsock_hang_up(struct vsock *v, struct vsock_conn *c)
{
	if (c->state != VSOCK_OPEN) {
		vsock_abort(v, c);
		return false;
	}
	c->gone = true;
	vsock_unwatch(v, c);
	vsock_deafen(c);
	if (c->ended || c->guest_shut & VIRTIO_VSOCK_SHUTDOWN_RCV)
		vsock_set_ended(c);
	c->readable = true;
	return true;
}

static void vsock_event(struct vsock *v, struct vsock_conn *c, GIOCondition events)
{
	bool alive = true;

	if (c->state == VSOCK_GREETING) {
		if (events)
			alive = vsock_greet(v, c);
	} else {
		if (events & c->events & G_IO_IN) {
			c->readable = true;
			vsock_poll(v, c);
		}
		if (events & c->events & G_IO_OUT)
			alive = vsock_flush(v, c);
		if (alive && events & (G_IO_HUP | G_IO_ERR | G_IO_NVAL))
			alive = vsock_hang_up(v, c);
	}
	if (alive)
		vsock_mark(v, c);
}

static void vsock_accept(struct vsock *v)
{
	/* Some may have been read from, and stay. */
	vsock_poll_accept(v);
	while (v->accept_events) {
		int fd = accept4(v->socket.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		struct vsock_conn *c;

		if (fd < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
			/* Nothing is left for it, for a while. */
			v->accept_at = g_get_monotonic_time() + VSOCK_ACCEPT_US;
			vsock_poll_accept(v);
		}
		if (fd < 0)
			return;
		v->accept_at = 0;
		vsock_make_place_for_program(v);
		c = vsock_new(v, VSOCK_GREETING);
		if (!c) {
			close(fd);
			return;
		}
		vsock_watch(v, c, fd);
		vsock_poll(v, c);
	}
}

/* The guest's port that @serial asked for is connected, or not. */
static void vsock_dialed(struct vsock *v, uint32_t slot, uint32_t serial, int fd)
{
	struct vsock_conn *c = &v->conn[slot % VSOCK_CONNECTIONS];

	if (c->state != VSOCK_DIALING || c->serial != serial) {
		if (fd >= 0)
			close(fd);
		return;
	}
	if (fd < 0) {
		vsock_abort(v, c);
		return;
	}
	vsock_watch(v, c, fd);
	c->owed |= OWED_RESPONSE;
	vsock_set_state(v, c, VSOCK_OPEN);
	vsock_poll(v, c);
	vsock_mark(v, c);
}

/* Whatever the guest connects to is refused from now on. */
static void vsock_dial_ended(struct vsock *v)
{
	machine_warn(v->machine,
		     "%s: its process has ended: the guest can be connected to, and cannot connect",
		     v->label);
	g_source_remove_unix_fd(&v->source->source, v->dial_tag);
	v->dial_tag = NULL;
	vsock_dial_stop(&v->dial);
	for (unsigned int i = 0; i < VSOCK_CONNECTIONS; i++)
		if (v->conn[i].state == VSOCK_DIALING)
			vsock_abort(v, &v->conn[i]);
}

static void vsock_take_answers(struct vsock *v)
{
	uint32_t slot, serial;
	int fd, ret;

	/* As many as there are questions, at most. */
	for (unsigned int i = 0; i < VSOCK_CONNECTIONS; i++) {
		ret = vsock_dial_answer(&v->dial, &slot, &serial, &fd);
		if (ret < 0)
			vsock_dial_ended(v);
		if (ret <= 0)
			return;
		vsock_dialed(v, slot, serial, fd);
	}
}

static gboolean vsock_dispatch(GSource *source, GSourceFunc callback, gpointer opaque)
{
	struct vsock *v = ((struct vsock_source *)source)->vsock;

	(void)callback;
	(void)opaque;
	v->ops->lock(v->opaque);
	for (unsigned int i = 0; i < VSOCK_CONNECTIONS; i++) {
		struct vsock_conn *c = &v->conn[i];
		GIOCondition events = c->tag ? g_source_query_unix_fd(source, c->tag) : 0;

		if (events)
			vsock_event(v, c, events);
	}
	if (v->dial_tag && g_source_query_unix_fd(source, v->dial_tag))
		vsock_take_answers(v);
	if (g_source_query_unix_fd(source, v->accept_tag) & G_IO_IN)
		vsock_accept(v);
	if (v->held_until && v->held_until <= g_get_monotonic_time()) {
		vsock_let_go(v);
		v->ops->held(v->opaque);
	}
	if (v->look_at)
		vsock_poll_accept(v);
	if (vsock_has_output(v))
		v->ops->ready(v->opaque);
	v->ops->unlock(v->opaque);
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs vsock_source_funcs = { .dispatch = vsock_dispatch };

/* ---- Life ---- */

void vsock_start(struct vsock *v, uint64_t cid)
{
	v->cid = cid;
	vsock_poll_accept(v);
}

void vsock_stop(struct vsock *v)
{
	for (unsigned int i = 0; i < VSOCK_CONNECTIONS; i++)
		if (v->conn[i].state != VSOCK_FREE)
			vsock_free(v, &v->conn[i]);
	v->nr_resets = 0;
	v->cid = 0;
	vsock_let_go(v);
}

void vsock_hold(struct vsock *v)
{
	v->held_until = g_get_monotonic_time() + VSOCK_HOLD_US;
	vsock_set_timer(v);
}

void vsock_let_go(struct vsock *v)
{
	v->held_until = 0;
	vsock_set_timer(v);
}

static int vsock_open(struct vsock *v, const char *path, struct error *err)
{
	struct error why;
	int ret;

	ret = vsock_dial_start(&v->dial, v->label, path, &v->machine->rights, err);
	if (ret)
		return ret;
	ret = named_socket_open(&v->socket, path, VSOCK_BACKLOG, false, &why);
	return ret ? error_set(err, ret, "%s: %.480s", v->label, why.text) : 0;
}

int vsock_create(struct vsock **out, struct machine *m, const char *label, const char *path,
		 const struct vsock_ops *ops, void *opaque, struct error *err)
{
	struct vsock *v = calloc(1, sizeof(*v));
	int ret;

	*out = NULL;
	if (!v)
		return error_errno(err, -ENOMEM, "%s", label);
	v->machine = m;
	v->label = label;
	v->ops = ops;
	v->opaque = opaque;
	v->next_port = VSOCK_PORT_FIRST;
	v->socket = (struct named_socket){ .fd = -1, .keeper_fd = -1 };
	v->dial.process = (struct process){ .fd = -1, .text = -1 };
	ret = vsock_open(v, path, err);
	if (ret) {
		vsock_destroy(v);
		return ret;
	}
	v->source = (struct vsock_source *)g_source_new(&vsock_source_funcs, sizeof(*v->source));
	v->source->vsock = v;
	/*
	 * Around each dispatch GLib takes all descriptors of another source out of its set, and
	 * wakes itself for each of them. Nothing in there runs the loop.
	 */
	g_source_set_can_recurse(&v->source->source, TRUE);
	v->accept_events = G_IO_IN;
	v->accept_tag = g_source_add_unix_fd(&v->source->source, v->socket.fd, G_IO_IN);
	v->dial_tag = g_source_add_unix_fd(&v->source->source, v->dial.process.fd, G_IO_IN);
	g_source_attach(&v->source->source, m->context);
	*out = v;
	return 0;
}

void vsock_destroy(struct vsock *v)
{
	if (!v)
		return;
	if (v->source) {
		vsock_stop(v);
		g_source_destroy(&v->source->source);
		g_source_unref(&v->source->source);
	}
	vsock_dial_stop(&v->dial);
	named_socket_close(&v->socket);
	free(v);
}
