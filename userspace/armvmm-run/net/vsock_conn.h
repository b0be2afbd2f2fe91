/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The places for the connections of net/vsock.h: what each is up to, which of them have something
 * for the guest, and what the main loop waits for. For the files of vsock alone.
 */
#ifndef ARMVMM_RUN_VSOCK_CONN_H
#define ARMVMM_RUN_VSOCK_CONN_H

#include <glib.h>

#include <linux/virtio_vsock.h>

#include "core/named_socket.h"
#include "core/ring.h"
#include "net/vsock.h"
#include "net/vsock_dial.h"

/* "CONNECT 4294967295\n", and a few blanks. */
#define VSOCK_LINE_MAX	32

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
	gint64 left;		/* when its guest, done with it, last saw it read; 0: it is not */
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

/* Bytes that the guest has room for. A guest that tells nonsense has none. */
uint32_t vsock_credit(const struct vsock_conn *c);
bool vsock_wants_read(const struct vsock_conn *c);

/* Waits for those events of the socket that matter now. */
void vsock_poll(struct vsock *v, struct vsock_conn *c);

/*
 * The guest is done with a connection, and its program has yet to read what it was sent. It keeps
 * its place until another needs that; from then on, only while bytes are read every few seconds.
 */
void vsock_leave(struct vsock *v, struct vsock_conn *c);

/* Is there a place for what the guest asks for? One may have to give way for that. */
bool vsock_make_place(struct vsock *v);

/* The same for a program of the host that connects, for which vsock_poll_accept() has waited. */
void vsock_make_place_for_program(struct vsock *v);

/* To be called when what the clock, or a program that connects, has to wait for has changed. */
void vsock_set_timer(struct vsock *v);
void vsock_poll_accept(struct vsock *v);

/* The program has nothing more for the guest, which is told behind what it has not got yet. */
void vsock_set_ended(struct vsock_conn *c);

/* Queues a connection that has something for the guest; and takes it out of the queue. */
void vsock_mark(struct vsock *v, struct vsock_conn *c);
void vsock_unmark(struct vsock *v, struct vsock_conn *c);

/* The guest is to forget the pair of ports. */
void vsock_add_reset(struct vsock *v, uint32_t guest_port, uint32_t host_port, uint16_t type);

/* The one that the guest calls so. NULL: there is none. */
struct vsock_conn *vsock_find(struct vsock *v, uint32_t guest_port, uint32_t host_port);

/* A free place, with memory for what the guest sends. NULL: there is none. */
struct vsock_conn *vsock_new(struct vsock *v, enum vsock_state state);
void vsock_watch(struct vsock *v, struct vsock_conn *c, int fd);

/* Its events come again and again: takes them off the main loop. */
void vsock_unwatch(struct vsock *v, struct vsock_conn *c);
void vsock_set_state(struct vsock *v, struct vsock_conn *c, enum vsock_state state);

/* The connection is over, and its place is free. The guest is told nothing. */
void vsock_free(struct vsock *v, struct vsock_conn *c);

/* The same, and the guest is told, if it knows of it. */
void vsock_abort(struct vsock *v, struct vsock_conn *c);

#endif /* ARMVMM_RUN_VSOCK_CONN_H */
