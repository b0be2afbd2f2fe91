/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A bounded queue of output before a descriptor that may be slow, or not be there. Bytes that
 * follow each other closely wait there for a few milliseconds, so that many are written at once.
 */
#ifndef ARMVMM_RUN_OUTPUT_H
#define ARMVMM_RUN_OUTPUT_H

#include <glib.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/ring.h"

enum output_kind {
	OUTPUT_NONBLOCK,	/* has O_NONBLOCK */
	OUTPUT_BLOCKING,	/* poll first, then little at a time */
	OUTPUT_SOCKET,		/* MSG_DONTWAIT */
	OUTPUT_FILE,		/* may block at any time: its disk may be slow */
};

struct output_ops {
	/* Has output_woken() called on the main thread. Any thread, the lock may be held. */
	void (*wake)(void *opaque);
	/* After output_put() fell short: there is room again. Main thread. */
	void (*room)(void *opaque);
};

struct output {
	const struct output_ops *ops;
	void *opaque;
	/*
	 * What to do with output that nobody takes. False: refuse what there is no room for. True:
	 * the oldest gives way, is counted, and the next reader is told how much it was. Not for
	 * kinds that block: those are written while the queue is not locked.
	 */
	bool gives_way;
	bool comes_and_goes;	/* a descriptor that fails is taken away, and another may come */

	pthread_mutex_t lock;	/* what follows, except for sources */
	struct ring ring;
	size_t limit;		/* bytes in the ring, but for those that come late */
	enum output_kind kind;
	int fd;			/* -1: nobody is there */
	bool dead;		/* nobody will ever be */
	bool broken;		/* the descriptor's other end is gone */
	bool starved;		/* somebody was refused */
	bool held;		/* what is queued waits for more */
	int error;		/* output was lost by it; 0: none */
	uint64_t sent_ns;	/* when output was written last */
	uint64_t taken_ns;	/* when the other end took some last, or came */
	uint64_t lost;		/* bytes that gave way */
	char notice[64];	/* the words about them, as far as they are still to be written */
	size_t notice_len, notice_at;

	GSource *source;	/* the main thread's, as are the timers */
	guint hold_timer, patience_timer;
};

/*
 * @out is zeroed, except for the fields before the lock. @size: bytes of the queue; @late: and
 * those that come late. Nobody is there at first. Returns 0 or -ENOMEM.
 */
int output_init(struct output *out, size_t size, size_t late);
void output_exit(struct output *out);

/* Somebody is there; -1: nobody any more. The descriptor stays the caller's. Main thread. */
void output_set_fd(struct output *out, int fd, enum output_kind kind);

/*
 * Queues or writes output. Returns the bytes taken; *@room is false if the queue is full for those
 * who are not @late. Any thread.
 */
size_t output_put(struct output *out, const uint8_t *buf, size_t len, bool late, bool *room);

/* Main thread: after ops->wake(). */
void output_woken(struct output *out);

/* Main thread: writes what waits for more, or with @all also what waits for this thread. */
void output_unhold(struct output *out, bool all);

/* Main thread: writes queued output, for at most @ms milliseconds. */
void output_flush(struct output *out, unsigned int ms);

/* Is the other end gone, of an output that comes and goes? Main thread. */
bool output_is_broken(struct output *out);

/* The errno by which output was lost since this was last asked, or 0. */
int output_take_error(struct output *out);

#endif /* ARMVMM_RUN_OUTPUT_H */
