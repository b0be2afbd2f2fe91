/* SPDX-License-Identifier: GPL-2.0-only */
/* A connection between two guests of a test that does as it is told. */
#ifndef TESTS_UNIT_PROXY_H
#define TESTS_UNIT_PROXY_H

#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ktap.h"

struct way {
	size_t cut;		/* after so many bytes it ends, for good; SIZE_MAX: never */
	size_t flip;		/* a bit of this byte is turned over; SIZE_MAX: of none */
	size_t stop;		/* after so many bytes nothing more goes; SIZE_MAX: all goes */
	size_t bytes;		/* went so far */
	size_t holds;		/* when so many bytes are to go, the other way is held */
	bool held;		/* atomic: for now nothing goes, ... */
	size_t lets;		/* ... after so many bytes more */
	size_t pace;		/* bytes in a millisecond, and it holds any number. 0: at once */
	GByteArray *store;	/* what it holds */
	gint64 since;		/* when something left it */
	size_t out;		/* atomic: bytes that have arrived, with .pace */
};

struct proxy {
	int end[2];		/* towards a, and b */
	struct way way[2];	/* from there */
	int quit[2];
	pthread_t thread;
};

static bool proxy_write(int fd, const uint8_t *at, ssize_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, at, n);

		if (done <= 0)
			return false;
		at += done;
		n -= done;
	}
	return true;
}

/* What a way with a pace lets go now. */
static bool proxy_drip(struct proxy *p, unsigned int from)
{
	struct way *w = &p->way[from];
	gint64 now = g_get_monotonic_time();
	size_t n;
	bool ok;

	if (!w->store || !w->store->len) {
		w->since = now;
		return true;
	}
	n = MIN((size_t)(now - w->since) * w->pace / 1000, w->store->len);
	if (!n)
		return true;
	ok = proxy_write(p->end[!from], w->store->data, n);
	g_byte_array_remove_range(w->store, 0, n);
	w->since = now;
	__atomic_fetch_add(&w->out, n, __ATOMIC_RELEASE);
	return ok;
}

/* Returns false when the connection has ended. */
static bool proxy_pass(struct proxy *p, unsigned int from)
{
	struct way *w = &p->way[from];
	uint8_t buf[65536];
	size_t len = MIN(sizeof(buf), w->cut - w->bytes);
	bool held = __atomic_load_n(&w->held, __ATOMIC_ACQUIRE);
	ssize_t n;

	if (held && !w->lets)
		return true;
	n = read(p->end[from], buf, held ? MIN(len, w->lets) : len);
	if (n <= 0)
		return false;
	w->lets -= held ? n : 0;
	if (w->flip >= w->bytes && w->flip - w->bytes < (size_t)n)
		buf[w->flip - w->bytes] ^= 1u << w->flip % 8;
	if (w->bytes + n > w->stop)
		n = w->stop - w->bytes;
	w->bytes += n;
	if (w->bytes >= w->holds) {
		w->holds = SIZE_MAX;
		__atomic_store_n(&p->way[!from].held, true, __ATOMIC_RELEASE);
	}
	if (w->pace) {
		w->store = w->store ? w->store : g_byte_array_new();
		g_byte_array_append(w->store, buf, n);
		return w->bytes < w->cut;
	}
	return proxy_write(p->end[!from], buf, n) && w->bytes < w->cut;
}

static void *proxy_main(void *opaque)
{
	struct proxy *p = opaque;
	struct pollfd fds[3] = {
		{ p->end[0], POLLIN, 0 }, { p->end[1], POLLIN, 0 }, { p->quit[0], POLLIN, 0 },
	};
	bool open = p->way[0].cut && p->way[1].cut;

	while (open && !fds[2].revents) {
		bool held = false;

		for (unsigned int i = 0; i < 2; i++) {
			bool on = __atomic_load_n(&p->way[i].held, __ATOMIC_ACQUIRE) &&
				  !p->way[i].lets;

			fds[i].fd = on ? -1 : p->end[i];
			fds[i].revents = 0;
			held |= on || p->way[i].pace;
		}
		poll(fds, 3, held ? 1 : -1);
		for (unsigned int i = 0; open && i < 2; i++)
			if (fds[i].revents)
				open = proxy_pass(p, i);
		for (unsigned int i = 0; open && i < 2; i++)
			if (p->way[i].pace)
				open = proxy_drip(p, i);
	}
	for (unsigned int i = 0; i < 2; i++) {
		close(p->end[i]);
		if (p->way[i].store)
			g_byte_array_unref(p->way[i].store);
	}
	return NULL;
}

/* Makes a connection; @one and @other are its ends. */
static inline void proxy_open(struct proxy *p, int *one, int *other)
{
	int left[2], right[2];

	KTAP_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, left), 0);
	KTAP_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, right), 0);
	KTAP_EQ(pipe(p->quit), 0);
	p->end[0] = left[1];
	p->end[1] = right[1];
	*one = left[0];
	*other = right[0];
	/* As armvmm-run has it. */
	KTAP_EQ(fcntl(*other, F_SETFL, O_NONBLOCK), 0);
	pthread_create(&p->thread, NULL, proxy_main, p);
}

static inline void proxy_close(struct proxy *p)
{
	KTAP_EQ(write(p->quit[1], "", 1), 1);
	pthread_join(p->thread, NULL);
	close(p->quit[0]);
	close(p->quit[1]);
}

#define ALL	{ .cut = SIZE_MAX, .flip = SIZE_MAX, .stop = SIZE_MAX, .holds = SIZE_MAX }

#endif /* TESTS_UNIT_PROXY_H */
