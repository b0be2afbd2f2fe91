// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "snapshot/wire.h"

#define WIRE_LOOK_MS	50	/* how often a thread that waits looks whether it should go on */
#define WIRE_CHUNK	65536u	/* bytes that are written at once, if they are rationed */

unsigned int wire_unsent(const struct wire *w)
{
	int n = 0;

	/* A pipe has no such number: it fails then, and sets none. */
	if (w->sends)
		(void)ioctl(w->out, SIOCOUTQ, &n);
	return n;
}

/* When bytes last came or went; and how many have yet to go. */
struct wire_moved {
	int64_t at;
	unsigned int unsent;
};

static struct wire_moved wire_moved(const struct wire *w)
{
	return (struct wire_moved){ g_get_monotonic_time(), wire_unsent(w) };
}

/* Waits a moment for @events. */
static int wire_wait(struct wire *w, int fd, short events, struct wire_moved *moved)
{
	struct pollfd poll_fd = { .fd = fd, .events = events };
	struct wire_moved now = wire_moved(w);

	if (now.unsent < moved->unsent)
		*moved = now;
	if (__atomic_load_n(w->cancelled, __ATOMIC_ACQUIRE))
		return -ECANCELED;
	if ((w->deadline && now.at >= w->deadline) || now.at - moved->at >= WIRE_STALL_MS * 1000)
		return -ETIMEDOUT;
	poll(&poll_fd, 1, WIRE_LOOK_MS);
	return 0;
}

/* How many of @len bytes may go now; 0 after a wait. */
static size_t wire_ration(struct wire *w, size_t len)
{
	uint64_t want = w->per_second ? __atomic_load_n(w->per_second, __ATOMIC_RELAXED) : 0;
	uint64_t now = rate_now(), wait;

	if (want != w->rate.per_second)
		rate_init(&w->rate, want);
	if (!want)
		return len;
	wait = rate_wait(&w->rate, now) / 1000;
	if (wait) {
		g_usleep(wait < WIRE_LOOK_MS * 1000 ? wait : WIRE_LOOK_MS * 1000);
		return 0;
	}
	/* The far end hears from us every second. */
	want = want < WIRE_CHUNK ? want : WIRE_CHUNK;
	len = len < want ? len : want;
	rate_take(&w->rate, len, now);
	return len;
}

int wire_write(void *opaque, const void *data, size_t len)
{
	struct wire *w = opaque;
	struct wire_moved moved = wire_moved(w);
	const uint8_t *at = data;

	while (len) {
		size_t some = wire_ration(w, len);
		ssize_t n;
		int ret = 0;

		if (!some) {
			if (__atomic_load_n(w->cancelled, __ATOMIC_ACQUIRE))
				return -ECANCELED;
			moved = wire_moved(w);
			continue;
		}
		while (some && !ret) {
			n = write(w->out, at, some);
			if (n < 0 && errno == EAGAIN) {
				ret = wire_wait(w, w->out, POLLOUT, &moved);
			} else if (n < 0 && errno != EINTR) {
				ret = -errno;
			} else if (n > 0) {
				at += n;
				len -= n;
				some -= n;
				moved = wire_moved(w);
				__atomic_fetch_add(&w->written, n, __ATOMIC_RELAXED);
			}
		}
		if (ret)
			return ret;
	}
	return 0;
}

int64_t wire_read(void *opaque, void *data, size_t len)
{
	struct wire *w = opaque;
	struct wire_moved moved = wire_moved(w);
	size_t done = 0;

	while (done < len) {
		ssize_t n = read(w->in, (uint8_t *)data + done, len - done);
		int ret = 0;

		if (!n)
			break;
		if (n < 0 && errno == EAGAIN)
			ret = wire_wait(w, w->in, POLLIN, &moved);
		else if (n < 0 && errno != EINTR)
			ret = -errno;
		if (ret)
			return ret;
		if (n < 0)
			continue;
		done += n;
		moved = wire_moved(w);
		/* A far end that never rests must not keep us from looking. */
		if (__atomic_load_n(w->cancelled, __ATOMIC_ACQUIRE))
			return -ECANCELED;
		if (w->deadline && done < len && moved.at >= w->deadline)
			return -ETIMEDOUT;
	}
	return done;
}

bool wire_is_readable(const struct wire *w)
{
	struct pollfd in = { .fd = w->in, .events = POLLIN };

	return poll(&in, 1, 0) > 0;
}

void wire_drain(struct wire *w, unsigned int ms)
{
	uint8_t buf[4096];

	w->deadline = g_get_monotonic_time() + ms * 1000ll;
	while (g_get_monotonic_time() < w->deadline && wire_read(w, buf, sizeof(buf)) > 0)
		;
}
