// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/output.h"

/*
 * Where the output cannot be made non-blocking: what a terminal or pipe takes once it polls ready.
 */
#define OUTPUT_BLOCKING_CHUNK	64
/*
 * A serial port sends byte after byte. A write this soon after the last one waits for more, for so
 * long and until there is so much: a system call for each byte costs more than all else.
 */
#define OUTPUT_HOLD_SOON_NS	1000000
#define OUTPUT_HOLD_MS		2
#define OUTPUT_HOLD_MAX		1024
/*
 * Whoever reads gets all, and the guest waits for that. But if nothing was taken for so long, the
 * oldest output gives way, so that a person who has gone for lunch stops no guest.
 */
#define OUTPUT_PATIENCE_MS	100

static uint64_t output_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

/*
 * May a write block? Then only the main thread writes, and without the lock: a vCPU that writes
 * late (chardev_write_late()) has others waiting for it.
 */
static bool output_blocks(const struct output *out)
{
	return out->kind == OUTPUT_BLOCKING || out->kind == OUTPUT_FILE;
}

/* What does a failed write mean? Returns the bytes that are done with: all, if they are lost. */
static size_t output_failed(struct output *out, size_t len, int error)
{
	if (error == EAGAIN)
		return 0;
	if (out->comes_and_goes) {
		out->broken = true;
		out->ops->wake(out->opaque);
		return 0;
	}
	out->error = error;
	/* A full disk may have room later; a closed pipe or a terminal hung up will not. */
	if (error != ENOSPC && error != EDQUOT && error != EFBIG)
		out->dead = true;
	return len;
}

/*
 * Writes what goes without waiting. Returns the bytes that are done with. The lock is held, and is
 * dropped meanwhile if a write may block: @buf is the queue's head then, which nobody else takes
 * from.
 */
static size_t output_write(struct output *out, const void *buf, size_t len)
{
	ssize_t n;
	int error;

	if (output_blocks(out))
		pthread_mutex_unlock(&out->lock);
	do {
		if (out->kind == OUTPUT_SOCKET)
			n = send(out->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		else
			n = write(out->fd, buf, len);
	} while (n < 0 && errno == EINTR);
	error = errno;
	if (output_blocks(out))
		pthread_mutex_lock(&out->lock);
	if (n < 0)
		return output_failed(out, len, error);
	if (n > 0)
		out->taken_ns = output_now_ns();
	return n;
}

static bool output_is_there(const struct output *out)
{
	return out->fd >= 0 && !out->broken;
}

/* Is there nothing to be written before new output? The lock is held, as it is for all below. */
static bool output_is_empty(const struct output *out)
{
	return !out->ring.count && !out->lost && out->notice_at == out->notice_len;
}

/* What gave way was older than all that is queued: say so first. Returns true when it is said. */
static bool output_tell_lost(struct output *out)
{
	if (out->notice_at == out->notice_len && out->lost) {
		out->notice_at = 0;
		out->notice_len = snprintf(out->notice, sizeof(out->notice),
					   "\r\n[armvmm-run: %llu bytes were lost]\r\n",
					   (unsigned long long)out->lost);
		out->lost = 0;
	}
	if (out->notice_at < out->notice_len)
		out->notice_at += output_write(out, out->notice + out->notice_at,
					       out->notice_len - out->notice_at);
	return out->notice_at == out->notice_len;
}

/*
 * Writes what is queued, as far as that goes without waiting. What comes meanwhile is left. On the
 * main thread, if a write may block.
 */
static void output_drain(struct output *out)
{
	size_t left = out->ring.count;

	out->held = false;
	if (!output_is_there(out) || !output_tell_lost(out))
		return;
	while (left) {
		size_t len = ring_piece(&out->ring), n;

		if (len > left)
			len = left;
		if (out->kind == OUTPUT_BLOCKING && len > OUTPUT_BLOCKING_CHUNK)
			len = OUTPUT_BLOCKING_CHUNK;
		n = output_write(out, out->ring.data + out->ring.head, len);
		ring_drop(&out->ring, n);
		left -= n;
		if (n < len || out->kind == OUTPUT_BLOCKING)
			break;
	}
	out->sent_ns = output_now_ns();
}

/* Does nobody take anything, so that the oldest may give way? */
static bool output_is_ignored(const struct output *out)
{
	return !output_is_there(out) ||
	       output_now_ns() - out->taken_ns > OUTPUT_PATIENCE_MS * 1000000ull;
}

/* Those who were refused may try again. */
static bool output_ends_hunger(struct output *out)
{
	bool room = out->ring.count <= out->limit / 2 ||
		    (out->gives_way && output_is_ignored(out));

	if (!out->starved || !room)
		return false;
	out->starved = false;
	return true;
}

static void output_disarm(struct output *out)
{
	if (!out->source)
		return;
	g_source_destroy(out->source);
	g_source_unref(out->source);
	out->source = NULL;
}

static gboolean output_ready(int fd, GIOCondition condition, void *opaque)
{
	struct output *out = opaque;
	GSource *mine = g_source_ref(out->source);
	bool tell, more;

	pthread_mutex_lock(&out->lock);
	output_drain(out);
	tell = output_ends_hunger(out);
	pthread_mutex_unlock(&out->lock);
	if (tell)
		out->ops->room(out->opaque);

	/* The source goes with the last byte. A later byte makes a new one, by way of wake(). */
	pthread_mutex_lock(&out->lock);
	more = !output_is_empty(out) && output_is_there(out);
	if (!more && out->source == mine) {
		g_source_unref(out->source);
		out->source = NULL;
	}
	pthread_mutex_unlock(&out->lock);
	more = more && !g_source_is_destroyed(mine);
	g_source_unref(mine);
	return more ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static gboolean output_hold_over(void *opaque)
{
	struct output *out = opaque;

	out->hold_timer = 0;
	output_unhold(out, false);
	/* The rest, if the other end is slow. */
	output_woken(out);
	return G_SOURCE_REMOVE;
}

static gboolean output_patience_over(void *opaque)
{
	struct output *out = opaque;
	bool tell;

	out->patience_timer = 0;
	pthread_mutex_lock(&out->lock);
	tell = output_ends_hunger(out);
	pthread_mutex_unlock(&out->lock);
	if (tell)
		out->ops->room(out->opaque);
	else
		output_woken(out);
	return G_SOURCE_REMOVE;
}

/* Waits for the output to take more, if there is more, or first for more. */
void output_woken(struct output *out)
{
	pthread_mutex_lock(&out->lock);
	if (out->held) {
		if (!out->hold_timer)
			out->hold_timer = g_timeout_add(OUTPUT_HOLD_MS, output_hold_over, out);
	} else if ((!output_is_empty(out) || out->starved) && !out->source &&
		   output_is_there(out)) {
		out->source = g_unix_fd_source_new(out->fd, G_IO_OUT);
		g_source_set_callback(out->source, G_SOURCE_FUNC(output_ready), out, NULL);
		g_source_attach(out->source, NULL);
	}
	if (out->starved && out->gives_way && !out->patience_timer)
		out->patience_timer = g_timeout_add(OUTPUT_PATIENCE_MS + 1, output_patience_over,
						    out);
	pthread_mutex_unlock(&out->lock);
}

void output_unhold(struct output *out, bool all)
{
	pthread_mutex_lock(&out->lock);
	if (out->held || all)
		output_drain(out);
	pthread_mutex_unlock(&out->lock);
}

/* Nothing is queued: may @len bytes wait for more? */
static bool output_may_hold(const struct output *out, size_t len)
{
	return out->kind != OUTPUT_BLOCKING && len < OUTPUT_HOLD_MAX &&
	       output_now_ns() - out->sent_ns < OUTPUT_HOLD_SOON_NS;
}

/* Queues what has room, at most so that there are @limit bytes. Returns the bytes taken. */
static size_t output_queue(struct output *out, const uint8_t *buf, size_t len, size_t limit)
{
	size_t room = out->ring.count < limit ? limit - out->ring.count : 0;

	if (len > room && out->gives_way && output_is_ignored(out)) {
		out->lost += out->ring.count + len > out->ring.size ?
			     out->ring.count + len - out->ring.size : 0;
		ring_keep(&out->ring, buf, len);
		return len;
	}
	return ring_put(&out->ring, buf, len < room ? len : room);
}

/* Writes, or queues. *@wake: the main thread is to be called. */
static size_t output_put_locked(struct output *out, const uint8_t *buf, size_t len, size_t limit,
				bool *wake)
{
	size_t done = 0;

	if (out->held && out->ring.count + len > OUTPUT_HOLD_MAX) {
		if (output_blocks(out))
			out->held = false;
		else
			output_drain(out);
		*wake = out->ring.count;
	}
	if (output_is_empty(out) && !out->dead && output_is_there(out)) {
		out->held = output_may_hold(out, len);
		if (!out->held && !output_blocks(out)) {
			done = output_write(out, buf, len);
			out->sent_ns = output_now_ns();
		}
	}
	if (out->dead)
		return len;
	if (done < len) {
		*wake |= output_is_empty(out);
		done += output_queue(out, buf + done, len - done, limit);
	}
	if (done < len) {
		/* Whose patience is measured has to be looked at again. */
		*wake |= out->gives_way && !out->starved;
		out->starved = true;
	}
	return done;
}

size_t output_put(struct output *out, const uint8_t *buf, size_t len, bool late, bool *room)
{
	bool wake = false;
	size_t done;

	pthread_mutex_lock(&out->lock);
	done = output_put_locked(out, buf, len, late ? out->ring.size : out->limit, &wake);
	*room = out->ring.count < out->limit || (out->gives_way && output_is_ignored(out));
	if (late && !*room) {
		wake |= out->gives_way && !out->starved;
		out->starved = true;
	}
	pthread_mutex_unlock(&out->lock);
	if (wake)
		out->ops->wake(out->opaque);
	return done;
}

void output_set_fd(struct output *out, int fd, enum output_kind kind)
{
	bool tell;

	output_disarm(out);
	pthread_mutex_lock(&out->lock);
	out->fd = fd;
	out->kind = kind;
	out->broken = out->held = false;
	/* The rest of a broken line of ours is for nobody. */
	out->notice_at = out->notice_len = 0;
	out->taken_ns = output_now_ns();
	tell = output_ends_hunger(out);
	pthread_mutex_unlock(&out->lock);
	if (tell)
		out->ops->room(out->opaque);
	output_woken(out);
}

bool output_is_broken(struct output *out)
{
	bool broken;

	pthread_mutex_lock(&out->lock);
	broken = out->broken;
	pthread_mutex_unlock(&out->lock);
	return broken;
}

int output_take_error(struct output *out)
{
	int error;

	pthread_mutex_lock(&out->lock);
	error = out->error;
	out->error = 0;
	pthread_mutex_unlock(&out->lock);
	return error;
}

void output_flush(struct output *out, unsigned int ms)
{
	uint64_t now = output_now_ns() / 1000000, end = now + ms;

	pthread_mutex_lock(&out->lock);
	while (!output_is_empty(out) && !out->dead && output_is_there(out) && now < end) {
		struct pollfd pfd = { .fd = out->fd, .events = POLLOUT };
		size_t len = ring_piece(&out->ring);

		if (poll(&pfd, 1, end - now) > 0 && output_tell_lost(out)) {
			if (len > OUTPUT_BLOCKING_CHUNK)
				len = OUTPUT_BLOCKING_CHUNK;
			ring_drop(&out->ring,
				  output_write(out, out->ring.data + out->ring.head, len));
		}
		now = output_now_ns() / 1000000;
	}
	pthread_mutex_unlock(&out->lock);
}

int output_init(struct output *out, size_t size, size_t late)
{
	out->ring = (struct ring){ .data = malloc(size + late), .size = size + late };
	if (!out->ring.data)
		return -ENOMEM;
	out->limit = size;
	out->fd = -1;
	pthread_mutex_init(&out->lock, NULL);
	return 0;
}

void output_exit(struct output *out)
{
	output_disarm(out);
	if (out->hold_timer)
		g_source_remove(out->hold_timer);
	if (out->patience_timer)
		g_source_remove(out->patience_timer);
	pthread_mutex_destroy(&out->lock);
	free(out->ring.data);
}
