// SPDX-License-Identifier: GPL-2.0-only
#include <endian.h>
#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/virtio_vsock.h>

#include "core/iov.h"
#include "core/machine.h"
#include "core/named_socket.h"
#include "core/parse.h"
#include "core/ring.h"
#include "net/vsock.h"
#include "net/vsock_dial.h"

/*
 * Programs of the host that have connected, and have not said yet to which port. When there are so
 * many, one that has been silent for so long gives way.
 */
#define VSOCK_GREETINGS		16
#define VSOCK_GREETING_US	3000000

/* Places that the guest's own connections leave to the host's. */
#define VSOCK_HOST_PLACES	8

/* "CONNECT 4294967295\n", and a few blanks. */
#define VSOCK_LINE_MAX	32

/* Ports of the host for connections that the host made; the guest's own choice lies below. */
#define VSOCK_PORT_FIRST	0x40000000u
#define VSOCK_PORT_LAST		0x7fffffffu

#define VSOCK_BACKLOG	16
#define VSOCK_ACCEPT_US	1000000
#define VSOCK_HOLD_US	5000000

/*
 * At so many resets nothing more is taken from the guest. There is room for one of each connection
 * beside them.
 */
#define VSOCK_RESETS_FULL	64
#define VSOCK_RESETS_MAX	(VSOCK_RESETS_FULL + VSOCK_CONNECTIONS)

#define VSOCK_SHUTDOWN_BOTH	(VIRTIO_VSOCK_SHUTDOWN_RCV | VIRTIO_VSOCK_SHUTDOWN_SEND)

enum vsock_state {
	VSOCK_FREE,
	VSOCK_GREETING,		/* a program of the host has yet to name the port */
	VSOCK_REQUESTED,	/* the guest has yet to accept */
	VSOCK_DIALING,		/* the guest has asked, the socket is not connected yet */
	VSOCK_OPEN,
	VSOCK_DRAINING,		/* the guest has forgotten it, and what it sent is on its way */
};

/* What is owed to the guest, in the order in which it is sent. */
enum vsock_owed {
	OWED_REQUEST = 1 << 0,
	OWED_RESPONSE = 1 << 1,
	OWED_CREDIT = 1 << 2,
	OWED_DEAF = 1 << 3,	/* nobody reads what the guest sends */
	OWED_SHUTDOWN = 1 << 4,	/* once there is nothing to be read any more */
};

struct vsock_conn {
	enum vsock_state state;
	uint32_t guest_port, host_port;
	uint32_t serial;	/* tells it from those that had its place before */
	int fd;			/* -1: not connected yet */
	gpointer tag;		/* of fd in the source; NULL: its events matter no more */
	GIOCondition events;
	char line[VSOCK_LINE_MAX];
	unsigned int line_len;
	gint64 came;		/* when it connected */
	bool by_guest;		/* the guest asked for it */
	unsigned int owed;
	bool queued;
	struct vsock_conn *next;	/* in the queue for the guest */
	bool readable;		/* the socket may have bytes, or their end */
	bool ended;		/* it has had its end */
	bool deaf;		/* the program reads no more: what the guest sends is dropped */
	bool gone;		/* it has closed it: it writes no more, either */
	bool told_deaf;		/* the guest was told */
	bool told_end;		/* the socket was told that the guest sends no more */
	uint32_t guest_shut;	/* VIRTIO_VSOCK_SHUTDOWN_*: what the guest will do no more */
	/* Bytes to the guest: sent; and what it said of room and of those that it has taken. */
	uint32_t sent, guest_room, guest_taken;
	/* Bytes from the guest: written to the socket, and how many of them it knows of. */
	uint32_t taken, told_taken;
	struct ring ring;	/* those that the socket had no room for yet */
};

/* A pair of ports that the guest is to forget. */
struct vsock_reset {
	uint32_t guest_port, host_port;
	uint16_t type;
};

struct vsock {
	struct machine *machine;
	const char *label;
	const struct vsock_ops *ops;
	void *opaque;
	uint64_t cid;		/* the guest's; 0: no driver runs */
	struct named_socket socket;
	struct vsock_dial dial;
	struct vsock_source *source;
	gpointer accept_tag, dial_tag;
	GIOCondition accept_events;
	uint32_t next_serial, next_port;
	unsigned int nr_greetings, nr_conns, nr_by_guest;
	gint64 accept_at;	/* nothing is accepted until then; 0: now */
	gint64 look_at;		/* when to look again whether something can be; 0: no need */
	gint64 held_until;	/* no connection's packets go to the guest; 0: they do */
	struct vsock_conn conn[VSOCK_CONNECTIONS];
	struct vsock_conn *first, *last;	/* those that have something for the guest */
	struct vsock_reset reset[VSOCK_RESETS_MAX];
	unsigned int reset_head, nr_resets;
};

struct vsock_source {
	GSource source;
	struct vsock *vsock;
};

/* ---- Connections, and what is owed to the guest ---- */

/* Bytes that the guest has room for. A guest that tells nonsense has none. */
static uint32_t vsock_credit(const struct vsock_conn *c)
{
	uint32_t on_the_way = c->sent - c->guest_taken;

	return on_the_way < c->guest_room ? c->guest_room - on_the_way : 0;
}

static bool vsock_wants_read(const struct vsock_conn *c)
{
	return c->state == VSOCK_OPEN && c->readable && !c->ended &&
	       !(c->guest_shut & VIRTIO_VSOCK_SHUTDOWN_RCV);
}

static void vsock_poll(struct vsock *v, struct vsock_conn *c)
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

/* The program that has said nothing for the longest time. NULL: there is none. */
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

static bool vsock_has_place(const struct vsock *v)
{
	return v->nr_greetings < VSOCK_GREETINGS && v->nr_conns < VSOCK_CONNECTIONS;
}

/* When a program may be accepted: at once (0), at a time, or when something else ends (-1). */
static gint64 vsock_accepts_at(struct vsock *v)
{
	struct vsock_conn *oldest;

	if (vsock_has_place(v))
		return v->accept_at;
	oldest = vsock_oldest_greeting(v);
	if (!oldest)
		return -1;
	return MAX(oldest->came + VSOCK_GREETING_US, v->accept_at);
}

static void vsock_set_timer(struct vsock *v)
{
	gint64 ready = v->look_at ? v->look_at : -1;

	if (v->held_until && (ready < 0 || v->held_until < ready))
		ready = v->held_until;
	if (g_source_get_ready_time(&v->source->source) != ready)
		g_source_set_ready_time(&v->source->source, ready);
}

static void vsock_poll_accept(struct vsock *v)
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

/* The program has nothing more for the guest, which is told behind what it has not got yet. */
static void vsock_set_ended(struct vsock_conn *c)
{
	c->ended = true;
	c->owed |= OWED_SHUTDOWN;
}

/* Queues a connection that has something for the guest. */
static void vsock_mark(struct vsock *v, struct vsock_conn *c)
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

static void vsock_unmark(struct vsock *v, struct vsock_conn *c)
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

static void vsock_add_reset(struct vsock *v, uint32_t guest_port, uint32_t host_port, uint16_t type)
{
	unsigned int at = (v->reset_head + v->nr_resets) % VSOCK_RESETS_MAX;

	if (!v->cid || v->nr_resets == VSOCK_RESETS_MAX)
		return;
	v->reset[at] = (struct vsock_reset){ guest_port, host_port, type };
	v->nr_resets++;
}

static struct vsock_conn *vsock_find(struct vsock *v, uint32_t guest_port, uint32_t host_port)
{
	for (unsigned int i = 0; i < VSOCK_CONNECTIONS; i++) {
		struct vsock_conn *c = &v->conn[i];

		if (c->state > VSOCK_GREETING && c->state != VSOCK_DRAINING &&
		    c->guest_port == guest_port && c->host_port == host_port)
			return c;
	}
	return NULL;
}

/* A free place, with memory for what the guest sends. NULL: there is none. */
static struct vsock_conn *vsock_new(struct vsock *v, enum vsock_state state)
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

static void vsock_watch(struct vsock *v, struct vsock_conn *c, int fd)
{
	c->fd = fd;
	c->tag = g_source_add_unix_fd(&v->source->source, fd, 0);
	c->events = 0;
}

/* Its events come again and again: takes them off the main loop. */
static void vsock_unwatch(struct vsock *v, struct vsock_conn *c)
{
	if (c->tag)
		g_source_remove_unix_fd(&v->source->source, c->tag);
	c->tag = NULL;
}

static void vsock_set_state(struct vsock *v, struct vsock_conn *c, enum vsock_state state)
{
	v->nr_greetings -= c->state == VSOCK_GREETING;
	c->state = state;
	vsock_poll_accept(v);
}

/* The connection is over, and its place is free. The guest is told nothing. */
static void vsock_free(struct vsock *v, struct vsock_conn *c)
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

/* The same, and the guest is told, if it knows of it. */
static void vsock_abort(struct vsock *v, struct vsock_conn *c)
{
	if (c->state != VSOCK_GREETING && c->state != VSOCK_DRAINING && !(c->owed & OWED_REQUEST))
		vsock_add_reset(v, c->guest_port, c->host_port, VIRTIO_VSOCK_TYPE_STREAM);
	vsock_free(v, c);
}

/* ---- From the guest to the socket ---- */

/*
 * The program reads no more. What the guest has sent counts as taken, and the guest is told if
 * anything is lost. What the program has written still gets there.
 */
static void vsock_deafen(struct vsock_conn *c)
{
	c->deaf = true;
	if (c->ring.count && !c->told_deaf) {
		c->told_deaf = true;
		c->owed |= OWED_DEAF;
	}
	c->taken += c->ring.count;
	ring_drop(&c->ring, c->ring.count);
}

/*
 * Writes what the socket takes. When the guest sends no more and all is written, the socket is
 * told. Returns false if the connection is over: the caller must not use it any more.
 */
static bool vsock_flush(struct vsock *v, struct vsock_conn *c)
{
	while (c->ring.count) {
		ssize_t n = send(c->fd, c->ring.data + c->ring.head, ring_piece(&c->ring),
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			vsock_deafen(c);
			break;
		}
		ring_drop(&c->ring, n);
		c->taken += n;
	}
	if (c->state == VSOCK_DRAINING && !c->ring.count) {
		vsock_free(v, c);
		return false;
	}
	/* The guest waits when it believes that there is no room. */
	if (c->taken - c->told_taken >= VSOCK_BUFFER / 2)
		c->owed |= OWED_CREDIT;
	if (!c->ring.count && c->guest_shut == VSOCK_SHUTDOWN_BOTH) {
		vsock_abort(v, c);
		return false;
	}
	if (!c->ring.count && c->guest_shut & VIRTIO_VSOCK_SHUTDOWN_SEND && !c->told_end) {
		c->told_end = true;
		(void)shutdown(c->fd, SHUT_WR);
	}
	vsock_poll(v, c);
	return true;
}

static bool vsock_take_data(struct vsock *v, struct vsock_conn *c, uint32_t len,
			    const struct iovec *iov, unsigned int nr, size_t offset)
{
	uint8_t piece[4096];

	if (c->state != VSOCK_OPEN || c->guest_shut & VIRTIO_VSOCK_SHUTDOWN_SEND ||
	    len > c->ring.size - c->ring.count) {
		vsock_abort(v, c);
		return false;
	}
	while (len) {
		size_t want = len < sizeof(piece) ? len : sizeof(piece);
		size_t n = iov_read(iov, nr, offset, piece, want);

		if (!n)
			break;
		ring_put(&c->ring, piece, n);
		offset += n;
		len -= n;
	}
	if (c->deaf)
		vsock_deafen(c);
	return vsock_flush(v, c);
}

static bool vsock_take_response(struct vsock *v, struct vsock_conn *c)
{
	char line[VSOCK_LINE_MAX];
	int len = snprintf(line, sizeof(line), "OK %u\n", c->host_port);

	if (c->state != VSOCK_REQUESTED || c->owed & OWED_REQUEST ||
	    send(c->fd, line, len, MSG_NOSIGNAL | MSG_DONTWAIT) != len) {
		vsock_abort(v, c);
		return false;
	}
	vsock_set_state(v, c, VSOCK_OPEN);
	vsock_poll(v, c);
	return true;
}

static bool vsock_take_shutdown(struct vsock *v, struct vsock_conn *c, uint32_t flags)
{
	if (c->state != VSOCK_OPEN) {
		vsock_abort(v, c);
		return false;
	}
	flags &= VSOCK_SHUTDOWN_BOTH & ~c->guest_shut;
	c->guest_shut |= flags;
	if (flags & VIRTIO_VSOCK_SHUTDOWN_RCV) {
		/* The program learns it when it writes; one that is gone is at its end. */
		(void)shutdown(c->fd, SHUT_RD);
		if (c->gone)
			vsock_set_ended(c);
	}
	return vsock_flush(v, c);
}

/* The guest has forgotten it. What it sent before is the program's all the same. */
static void vsock_take_reset(struct vsock *v, struct vsock_conn *c)
{
	if (c->state != VSOCK_OPEN || !c->ring.count) {
		vsock_free(v, c);
		return;
	}
	vsock_unmark(v, c);
	c->owed = 0;
	vsock_set_state(v, c, VSOCK_DRAINING);
	vsock_poll(v, c);
}

static void vsock_take_request(struct vsock *v, const struct virtio_vsock_hdr *hdr)
{
	uint32_t guest_port = le32toh(hdr->src_port), host_port = le32toh(hdr->dst_port);
	struct vsock_conn *c = NULL;

	if (v->nr_by_guest < VSOCK_CONNECTIONS - VSOCK_HOST_PLACES)
		c = vsock_new(v, VSOCK_DIALING);
	if (!c) {
		vsock_add_reset(v, guest_port, host_port, VIRTIO_VSOCK_TYPE_STREAM);
		return;
	}
	c->guest_port = guest_port;
	c->host_port = host_port;
	c->guest_room = le32toh(hdr->buf_alloc);
	c->guest_taken = le32toh(hdr->fwd_cnt);
	if (vsock_dial_ask(&v->dial, c - v->conn, c->serial, host_port))
		vsock_abort(v, c);
}

/* Returns false if the connection is over. */
static bool vsock_take(struct vsock *v, struct vsock_conn *c, const struct virtio_vsock_hdr *hdr,
		       const struct iovec *iov, unsigned int nr, size_t offset)
{
	c->guest_room = le32toh(hdr->buf_alloc);
	c->guest_taken = le32toh(hdr->fwd_cnt);
	switch (le16toh(hdr->op)) {
	case VIRTIO_VSOCK_OP_RST:
		vsock_take_reset(v, c);
		return false;
	case VIRTIO_VSOCK_OP_RESPONSE:
		return vsock_take_response(v, c);
	case VIRTIO_VSOCK_OP_RW:
		return vsock_take_data(v, c, le32toh(hdr->len), iov, nr, offset);
	case VIRTIO_VSOCK_OP_SHUTDOWN:
		return vsock_take_shutdown(v, c, le32toh(hdr->flags));
	case VIRTIO_VSOCK_OP_CREDIT_REQUEST:
		c->owed |= OWED_CREDIT;
		return true;
	case VIRTIO_VSOCK_OP_CREDIT_UPDATE:
		return true;
	default:
		vsock_abort(v, c);
		return false;
	}
}

void vsock_input(struct vsock *v, const struct virtio_vsock_hdr *hdr, const struct iovec *iov,
		 unsigned int nr, size_t offset)
{
	uint32_t guest_port = le32toh(hdr->src_port), host_port = le32toh(hdr->dst_port);
	uint16_t op = le16toh(hdr->op), type = le16toh(hdr->type);
	struct vsock_conn *c;

	/* To or from somebody else: there is no such way. */
	if (le64toh(hdr->src_cid) != v->cid || le64toh(hdr->dst_cid) != VSOCK_HOST_CID)
		return;
	if (type != VIRTIO_VSOCK_TYPE_STREAM) {
		if (op != VIRTIO_VSOCK_OP_RST)
			vsock_add_reset(v, guest_port, host_port, type);
		return;
	}
	c = vsock_find(v, guest_port, host_port);
	if (c) {
		if (vsock_take(v, c, hdr, iov, nr, offset))
			vsock_mark(v, c);
	} else if (op == VIRTIO_VSOCK_OP_REQUEST) {
		vsock_take_request(v, hdr);
	} else if (op != VIRTIO_VSOCK_OP_RST) {
		vsock_add_reset(v, guest_port, host_port, type);
	}
}

bool vsock_is_full(const struct vsock *v)
{
	return v->nr_resets >= VSOCK_RESETS_FULL;
}

/* ---- From the socket to the guest ---- */

static void vsock_header(const struct vsock *v, struct virtio_vsock_hdr *hdr, uint32_t guest_port,
			 uint32_t host_port, uint16_t type, uint16_t op)
{
	*hdr = (struct virtio_vsock_hdr){
		.src_cid = htole64(VSOCK_HOST_CID),
		.dst_cid = htole64(v->cid),
		.src_port = htole32(host_port),
		.dst_port = htole32(guest_port),
		.type = htole16(type),
		.op = htole16(op),
	};
}

/* A packet of a connection, with what it has to know of our side. */
static void vsock_packet(struct vsock *v, struct vsock_conn *c, struct virtio_vsock_hdr *hdr,
			 uint16_t op, uint32_t len)
{
	vsock_header(v, hdr, c->guest_port, c->host_port, VIRTIO_VSOCK_TYPE_STREAM, op);
	hdr->len = htole32(len);
	hdr->buf_alloc = htole32(VSOCK_BUFFER);
	hdr->fwd_cnt = htole32(c->taken);
	c->told_taken = c->taken;
	c->owed &= ~OWED_CREDIT;
}

/*
 * If the program has closed the connection, it is over with this packet: a guest that goes on
 * sending gets a reset then.
 */
static void vsock_put_shutdown(struct vsock *v, struct vsock_conn *c, struct virtio_vsock_hdr *hdr)
{
	vsock_packet(v, c, hdr, VIRTIO_VSOCK_OP_SHUTDOWN, 0);
	hdr->flags = htole32(c->gone ? VSOCK_SHUTDOWN_BOTH : VIRTIO_VSOCK_SHUTDOWN_SEND);
	c->owed &= ~OWED_SHUTDOWN;
	if (c->gone)
		vsock_free(v, c);
}

/* Returns false if nothing is owed, or not yet. */
static bool vsock_put_owed(struct vsock *v, struct vsock_conn *c, struct virtio_vsock_hdr *hdr)
{
	if (c->owed & OWED_REQUEST) {
		c->owed &= ~OWED_REQUEST;
		vsock_packet(v, c, hdr, VIRTIO_VSOCK_OP_REQUEST, 0);
	} else if (c->owed & OWED_RESPONSE) {
		c->owed &= ~OWED_RESPONSE;
		vsock_packet(v, c, hdr, VIRTIO_VSOCK_OP_RESPONSE, 0);
	} else if (c->owed & OWED_CREDIT) {
		vsock_packet(v, c, hdr, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0);
	} else if (c->owed & OWED_DEAF) {
		c->owed &= ~OWED_DEAF;
		vsock_packet(v, c, hdr, VIRTIO_VSOCK_OP_SHUTDOWN, 0);
		hdr->flags = htole32(VIRTIO_VSOCK_SHUTDOWN_RCV);
	} else if (c->owed & OWED_SHUTDOWN) {
		vsock_put_shutdown(v, c, hdr);
	} else {
		return false;
	}
	return true;
}

/*
 * Reads as much as the guest has room for. Returns the bytes; or -EAGAIN if there are none now, and
 * perhaps never, which is owed then.
 */
static ssize_t vsock_read(struct vsock *v, struct vsock_conn *c, const struct iovec *iov,
			  unsigned int nr)
{
	uint32_t room = vsock_credit(c);
	struct iovec piece[VSOCK_IOV_MAX];
	ssize_t n;

	if (room > VSOCK_PACKET_MAX)
		room = VSOCK_PACKET_MAX;
	nr = iov_slice(piece, iov, nr, 0, room);
	if (!nr)
		return -EAGAIN;
	do {
		n = readv(c->fd, piece, nr);
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		c->sent += n;
		return n;
	}
	if (n < 0 && errno == EAGAIN) {
		c->readable = false;
		vsock_poll(v, c);
		return -EAGAIN;
	}
	/* An error is an end, too: a reset of ours would outrun what the guest has not got yet. */
	vsock_set_ended(c);
	return -EAGAIN;
}

static ssize_t vsock_output_conn(struct vsock *v, struct vsock_conn *c,
				 struct virtio_vsock_hdr *hdr, const struct iovec *iov,
				 unsigned int nr)
{
	ssize_t n = 0;

	if (vsock_put_owed(v, c, hdr))
		goto out;
	if (vsock_wants_read(c) && vsock_credit(c)) {
		n = vsock_read(v, c, iov, nr);
		if (n > 0)
			vsock_packet(v, c, hdr, VIRTIO_VSOCK_OP_RW, n);
		else if (vsock_put_owed(v, c, hdr))
			n = 0;
	} else {
		n = -EAGAIN;
	}
out:
	vsock_mark(v, c);
	return n;
}

ssize_t vsock_output(struct vsock *v, struct virtio_vsock_hdr *hdr, const struct iovec *iov,
		     unsigned int nr)
{
	ssize_t n = -EAGAIN;

	if (v->nr_resets) {
		const struct vsock_reset *reset = &v->reset[v->reset_head];

		vsock_header(v, hdr, reset->guest_port, reset->host_port, reset->type,
			     VIRTIO_VSOCK_OP_RST);
		v->reset_head = (v->reset_head + 1) % VSOCK_RESETS_MAX;
		v->nr_resets--;
		return 0;
	}
	while (n < 0 && v->first && !v->held_until) {
		struct vsock_conn *c = v->first;

		vsock_unmark(v, c);
		n = vsock_output_conn(v, c, hdr, iov, nr);
	}
	return n;
}

bool vsock_has_output(const struct vsock *v)
{
	return v->nr_resets || (v->first && !v->held_until);
}

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
		c = vsock_has_place(v) ? NULL : vsock_oldest_greeting(v);
		if (c)
			vsock_free(v, c);
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
