// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <unistd.h>

#include "net/vsock_conn.h"

/*
 * Programs of the host that have connected, and have not said yet to which port. When there are so
 * many, one that has been silent for so long gives way.
 */
#define VSOCK_GREETINGS		16
#define VSOCK_GREETING_US	3000000

/*
 * Bytes that nobody has read for so long, on a connection that the guest has closed, give way to
 * another connection. A socket tells of readers only now and then.
 */
#define VSOCK_LEFT_US	5000000

/* Places that the guest's own connections leave to the host's. */
#define VSOCK_HOST_PLACES	8

uint32_t vsock_credit(const struct vsock_conn *c)
{
	uint32_t on_the_way = c->sent - c->guest_taken;

	return on_the_way < c->guest_room ? c->guest_room - on_the_way : 0;
}

bool vsock_wants_read(const struct vsock_conn *c)
{
	return c->state == VSOCK_OPEN && c->readable && !c->ended &&
	       !(c->guest_shut & VIRTIO_VSOCK_SHUTDOWN_RCV);
}

void vsock_poll(struct vsock *v, struct vsock_conn *c)
{
	GIOCondition events = 0;

	if (!c->tag)
		return;
	if (c->state == VSOCK_GREETING)
		events = G_IO_IN;
	if (c->state == VSOCK_OPEN && !c->readable && !c->ended &&
	    !(c->guest_shut & VIRTIO_VSOCK_SHUTDOWN_RCV))
		events |= G_IO_IN;
	if (c->ring.count)
		events |= G_IO_OUT;
	if (c->events == events)
		return;
	c->events = events;
	g_source_modify_unix_fd(&v->source->source, c->tag, events);
}

static struct vsock_conn *vsock_oldest_greeting(struct vsock *v)
{
	struct vsock_conn *oldest = NULL;

	for (unsigned int i = 0; i < VSOCK_CONNECTIONS; i++) {
		struct vsock_conn *c = &v->conn[i];

		if (c->state == VSOCK_GREETING && (!oldest || c->came < oldest->came))
			oldest = c;
	}
	return oldest;
}

/* The one that is left, and was not read from, for the longest time. NULL: there is none. */
static struct vsock_conn *vsock_oldest_left(struct vsock *v, bool by_guest)
{
	struct vsock_conn *oldest = NULL;

	for (unsigned int i = 0; i < VSOCK_CONNECTIONS; i++) {
		struct vsock_conn *c = &v->conn[i];

		if (c->state != VSOCK_FREE && c->left && (c->by_guest || !by_guest) &&
		    (!oldest || c->left < oldest->left))
			oldest = c;
	}
	return oldest;
}

static bool vsock_has_place(const struct vsock *v)
{
	return v->nr_greetings < VSOCK_GREETINGS && v->nr_conns < VSOCK_CONNECTIONS;
}

/*
 * Who gives way to a program, and when. Its place is of use only if there are not too many
 * greetings. NULL: nobody does.
 */
static struct vsock_conn *vsock_first_out(struct vsock *v, gint64 *at)
{
	struct vsock_conn *greeting = vsock_oldest_greeting(v), *left = NULL;

	if (v->nr_greetings < VSOCK_GREETINGS)
		left = vsock_oldest_left(v, false);
	if (left)
		*at = left->left + VSOCK_LEFT_US;
	if (left && (!greeting || *at <= greeting->came + VSOCK_GREETING_US))
		return left;
	if (greeting)
		*at = greeting->came + VSOCK_GREETING_US;
	return greeting;
}

/* When a program may be accepted: at once (0), at a time, or when something else ends (-1). */
static gint64 vsock_accepts_at(struct vsock *v)
{
	gint64 at;

	if (vsock_has_place(v))
		return v->accept_at;
	if (!vsock_first_out(v, &at))
		return -1;
	return MAX(at, v->accept_at);
}

void vsock_set_timer(struct vsock *v)
{
	gint64 ready = v->look_at ? v->look_at : -1;

	if (v->held_until && (ready < 0 || v->held_until < ready))
		ready = v->held_until;
	if (g_source_get_ready_time(&v->source->source) != ready)
		g_source_set_ready_time(&v->source->source, ready);
}

void vsock_poll_accept(struct vsock *v)
{
	gint64 at = vsock_accepts_at(v);
	bool now = !at || (at > 0 && at <= g_get_monotonic_time());
	GIOCondition events = now ? G_IO_IN : 0;

	v->look_at = now || at < 0 ? 0 : at;
	vsock_set_timer(v);
	if (v->accept_events == events)
		return;
	v->accept_events = events;
	g_source_modify_unix_fd(&v->source->source, v->accept_tag, events);
}

void vsock_set_ended(struct vsock_conn *c)
{
	c->ended = true;
	c->owed |= OWED_SHUTDOWN;
}

/* Queues a connection that has something for the guest. */
void vsock_mark(struct vsock *v, struct vsock_conn *c)
{
	if (c->queued || c->state == VSOCK_FREE || c->state == VSOCK_DRAINING ||
	    !(c->owed || (vsock_wants_read(c) && vsock_credit(c))))
		return;
	c->queued = true;
	c->next = NULL;
	if (v->last)
		v->last->next = c;
	else
		v->first = c;
	v->last = c;
}

void vsock_unmark(struct vsock *v, struct vsock_conn *c)
{
	struct vsock_conn **at = &v->first, *before = NULL;

	if (!c->queued)
		return;
	while (*at != c) {
		before = *at;
		at = &before->next;
	}
	*at = c->next;
	if (v->last == c)
		v->last = before;
	c->queued = false;
}

void vsock_add_reset(struct vsock *v, uint32_t guest_port, uint32_t host_port, uint16_t type)
{
	unsigned int at = (v->reset_head + v->nr_resets) % VSOCK_RESETS_MAX;

	if (!v->cid || v->nr_resets == VSOCK_RESETS_MAX)
		return;
	v->reset[at] = (struct vsock_reset){ guest_port, host_port, type };
	v->nr_resets++;
}

struct vsock_conn *vsock_find(struct vsock *v, uint32_t guest_port, uint32_t host_port)
{
	for (unsigned int i = 0; i < VSOCK_CONNECTIONS; i++) {
		struct vsock_conn *c = &v->conn[i];

		if (c->state > VSOCK_GREETING && c->state != VSOCK_DRAINING &&
		    c->guest_port == guest_port && c->host_port == host_port)
			return c;
	}
	return NULL;
}

struct vsock_conn *vsock_new(struct vsock *v, enum vsock_state state)
{
	struct vsock_conn *c = v->conn;

	while (c < v->conn + VSOCK_CONNECTIONS && c->state != VSOCK_FREE)
		c++;
	if (c == v->conn + VSOCK_CONNECTIONS)
		return NULL;
	*c = (struct vsock_conn){
		.state = state,
		.serial = v->next_serial++,
		.fd = -1,
		.came = g_get_monotonic_time(),
		.by_guest = state == VSOCK_DIALING,
	};
	c->ring = (struct ring){ .data = malloc(VSOCK_BUFFER), .size = VSOCK_BUFFER };
	if (!c->ring.data) {
		c->state = VSOCK_FREE;
		return NULL;
	}
	v->nr_conns++;
	v->nr_by_guest += c->by_guest;
	v->nr_greetings += state == VSOCK_GREETING;
	vsock_poll_accept(v);
	return c;
}

void vsock_watch(struct vsock *v, struct vsock_conn *c, int fd)
{
	c->fd = fd;
	c->tag = g_source_add_unix_fd(&v->source->source, fd, 0);
	c->events = 0;
}

void vsock_unwatch(struct vsock *v, struct vsock_conn *c)
{
	if (c->tag)
		g_source_remove_unix_fd(&v->source->source, c->tag);
	c->tag = NULL;
}

void vsock_set_state(struct vsock *v, struct vsock_conn *c, enum vsock_state state)
{
	v->nr_greetings -= c->state == VSOCK_GREETING;
	c->state = state;
	vsock_poll_accept(v);
}

void vsock_free(struct vsock *v, struct vsock_conn *c)
{
	vsock_unmark(v, c);
	vsock_unwatch(v, c);
	if (c->fd >= 0)
		close(c->fd);
	free(c->ring.data);
	c->ring.data = NULL;
	v->nr_conns--;
	v->nr_by_guest -= c->by_guest;
	vsock_set_state(v, c, VSOCK_FREE);
}

void vsock_abort(struct vsock *v, struct vsock_conn *c)
{
	if (c->state != VSOCK_GREETING && c->state != VSOCK_DRAINING && !(c->owed & OWED_REQUEST))
		vsock_add_reset(v, c->guest_port, c->host_port, VIRTIO_VSOCK_TYPE_STREAM);
	vsock_free(v, c);
}

void vsock_leave(struct vsock *v, struct vsock_conn *c)
{
	if (!c->left)
		c->left = g_get_monotonic_time();
	vsock_poll_accept(v);
}

bool vsock_make_place(struct vsock *v)
{
	bool many = v->nr_by_guest >= VSOCK_CONNECTIONS - VSOCK_HOST_PLACES;
	struct vsock_conn *c;

	if (!many && v->nr_conns < VSOCK_CONNECTIONS)
		return true;
	c = vsock_oldest_left(v, many);
	if (!c || c->left + VSOCK_LEFT_US > g_get_monotonic_time())
		return false;
	vsock_abort(v, c);
	return true;
}

void vsock_make_place_for_program(struct vsock *v)
{
	struct vsock_conn *c;
	gint64 at;

	if (vsock_has_place(v))
		return;
	c = vsock_first_out(v, &at);
	if (c)
		vsock_abort(v, c);
}
