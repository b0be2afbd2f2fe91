// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libslirp.h>

#include "net/fragments.h"
#include "net/slirp_stack.h"

#define NS_PER_MS	1000000ll
#define NS_PER_S	1000000000ll

struct slirp_timer {
	struct slirp_timer *next;
	SlirpTimerCb fire;
	void *opaque;
	int64_t expires;	/* ms; -1: it does not run */
};

struct slirp_stack {
	Slirp *slirp;
	const struct slirp_stack_ops *ops;
	void *opaque;
	struct slirp_timer *timer;
	struct pollfd *fds;
	unsigned int nr, room;
	bool filled;			/* libslirp has said what it waits for */
	struct fragments fragments;
};

static int64_t slirp_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* ---- What libslirp calls ---- */

static ssize_t slirp_cb_send_packet(const void *buf, size_t len, void *opaque)
{
	struct slirp_stack *s = opaque;

	if (len <= SLIRP_FRAME_MAX)
		s->ops->output(s->opaque, buf, len);
	return len;
}

static void slirp_cb_guest_error(const char *msg, void *opaque)
{
	struct slirp_stack *s = opaque;

	s->ops->note(s->opaque, msg);
}

static int64_t slirp_cb_clock_get_ns(void *opaque)
{
	(void)opaque;
	return slirp_now();
}

static void *slirp_cb_timer_new(SlirpTimerCb fire, void *cb_opaque, void *opaque)
{
	struct slirp_stack *s = opaque;
	struct slirp_timer *t = calloc(1, sizeof(*t));

	/* libslirp does not expect a failure. */
	if (!t)
		abort();
	*t = (struct slirp_timer){
		.next = s->timer, .fire = fire, .opaque = cb_opaque, .expires = -1,
	};
	s->timer = t;
	return t;
}

static void slirp_cb_timer_free(void *timer, void *opaque)
{
	struct slirp_stack *s = opaque;
	struct slirp_timer **at = &s->timer;

	while (*at && *at != timer)
		at = &(*at)->next;
	if (*at)
		*at = (*at)->next;
	free(timer);
}

static void slirp_cb_timer_mod(void *timer, int64_t expire_ms, void *opaque)
{
	(void)opaque;
	((struct slirp_timer *)timer)->expires = expire_ms;
}

/* These have nothing to do: file descriptors are collected anew before each poll. */
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

/* ---- Waiting ---- */

/* The bits of poll() and those of libslirp, to convert either way. */
static const struct {
	short poll;
	int slirp;
} slirp_events[] = {
	{ POLLIN, SLIRP_POLL_IN }, { POLLOUT, SLIRP_POLL_OUT }, { POLLPRI, SLIRP_POLL_PRI },
	{ POLLERR, SLIRP_POLL_ERR }, { POLLHUP, SLIRP_POLL_HUP },
};

#define NR(array) (sizeof(array) / sizeof((array)[0]))

static int slirp_add_poll(int fd, int events, void *opaque)
{
	struct slirp_stack *s = opaque;
	struct pollfd *p;

	if (s->nr == s->room) {
		unsigned int room = s->room ? 2 * s->room : 64;
		struct pollfd *fds = realloc(s->fds, room * sizeof(*fds));

		if (!fds)
			return -1;
		s->fds = fds;
		s->room = room;
	}
	p = &s->fds[s->nr];
	*p = (struct pollfd){ .fd = fd };
	for (unsigned int i = 0; i < NR(slirp_events); i++)
		if (events & slirp_events[i].slirp)
			p->events |= slirp_events[i].poll;
	return s->nr++;
}

static int slirp_get_revents(int index, void *opaque)
{
	struct slirp_stack *s = opaque;
	int events = 0;

	/* 0 is the caller's entry, and none of libslirp's. */
	if (index <= 0 || (unsigned int)index >= s->nr)
		return 0;
	for (unsigned int i = 0; i < NR(slirp_events); i++)
		if (s->fds[index].revents & slirp_events[i].poll)
			events |= slirp_events[i].slirp;
	return events;
}

/* Milliseconds until the first timer, or -1. */
static int slirp_timers_wait(const struct slirp_stack *s)
{
	int64_t now = slirp_now() / NS_PER_MS, wait = -1;

	for (const struct slirp_timer *t = s->timer; t; t = t->next) {
		int64_t left = t->expires > now ? t->expires - now : 0;

		if (t->expires >= 0 && (wait < 0 || left < wait))
			wait = left;
	}
	return wait > INT32_MAX ? INT32_MAX : (int)wait;
}

static void slirp_timers_run(struct slirp_stack *s)
{
	int64_t now = slirp_now() / NS_PER_MS;
	struct slirp_timer *t = s->timer;

	while (t && (t->expires < 0 || t->expires > now))
		t = t->next;
	if (t) {
		t->expires = -1;
		/* It may make and free timers. Others that are due fire after the next poll(). */
		t->fire(t->opaque);
	}
}

struct pollfd *slirp_stack_prepare(struct slirp_stack *s, bool hold, unsigned int *nr, int *timeout)
{
	uint32_t wait = UINT32_MAX;

	*timeout = slirp_timers_wait(s);
	s->nr = 1;
	s->filled = !hold;
	if (!hold)
		slirp_pollfds_fill(s->slirp, &wait, slirp_add_poll, s);
	if (wait <= INT32_MAX && (*timeout < 0 || (int)wait < *timeout))
		*timeout = wait;
	*nr = s->nr;
	return s->fds;
}

void slirp_stack_dispatch(struct slirp_stack *s)
{
	slirp_timers_run(s);
	if (s->filled)
		slirp_pollfds_poll(s->slirp, 0, slirp_get_revents, s);
}

/* ---- Frames from the guest ---- */

void slirp_stack_input(struct slirp_stack *s, const void *frame, size_t len)
{
	if (len < SLIRP_FRAME_MIN || len > SLIRP_FRAME_MAX)
		return;
	if (fragments_is(frame, len))
		frame = fragments_add(&s->fragments, frame, len, slirp_now(), &len);
	if (frame)
		slirp_input(s->slirp, frame, len);
}

/* ---- Life ---- */

/* QEMU's addresses, which guests and people know: 10.0.2.0/24 and fec0::/64. */
static Slirp *slirp_stack_make(const struct slirp_config *user, struct slirp_stack *s)
{
	SlirpConfig cfg = {
		.version = 1,
		.vprefix_len = 64,
	};
	uint32_t net = user->mask ? user->net : 0x0a000200;

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
	return slirp_new(&cfg, &slirp_callbacks, s);
}

static int slirp_forward(struct slirp_stack *s, const struct slirp_hostfwd *fwd, struct error *err)
{
	struct in_addr host = { .s_addr = htonl(fwd->host_addr) };
	struct in_addr guest = { .s_addr = htonl(fwd->guest_addr) };
	int ret;

	errno = 0;
	ret = slirp_add_hostfwd(s->slirp, fwd->udp, host, fwd->host_port, guest, fwd->guest_port);
	if (ret >= 0)
		return 0;
	ret = errno ? -errno : -EADDRINUSE;
	return error_errno(err, ret, "cannot listen on host %s port %u", fwd->udp ? "UDP" : "TCP",
			   fwd->host_port);
}

struct slirp_stack *slirp_stack_new(const struct slirp_config *config,
				    const struct slirp_stack_ops *ops, void *opaque, int *ret,
				    struct error *err)
{
	struct slirp_stack *s = calloc(1, sizeof(*s));

	*ret = 0;
	if (!s) {
		*ret = error_errno(err, -ENOMEM, "libslirp");
		return NULL;
	}
	s->ops = ops;
	s->opaque = opaque;
	/* Room for the caller's entry. */
	slirp_add_poll(-1, 0, s);
	s->slirp = s->fds ? slirp_stack_make(config, s) : NULL;
	if (!s->slirp)
		*ret = error_set(err, -ENOMEM, "libslirp did not start");
	for (unsigned int i = 0; !*ret && i < config->nr_hostfwds; i++)
		*ret = slirp_forward(s, &config->hostfwd[i], err);
	if (!*ret)
		return s;
	slirp_stack_free(s);
	return NULL;
}

void slirp_stack_free(struct slirp_stack *s)
{
	if (s->slirp)
		slirp_cleanup(s->slirp);
	while (s->timer)
		slirp_cb_timer_free(s->timer, s);
	fragments_free(&s->fragments);
	free(s->fds);
	free(s);
}
