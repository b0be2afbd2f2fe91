// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/snapshot/memlog.c userspace/armvmm-run/snapshot/follow.c
// sources: userspace/armvmm-run/snapshot/send.c userspace/armvmm-run/snapshot/send_thread.c userspace/armvmm-run/snapshot/receive.c
// sources: userspace/armvmm-run/snapshot/wire.c userspace/armvmm-run/snapshot/state.c
// sources: userspace/armvmm-run/snapshot/restore.c userspace/armvmm-run/snapshot/part.c
// sources: userspace/armvmm-run/snapshot/pages.c userspace/armvmm-run/snapshot/facts.c
// sources: userspace/armvmm-run/core/record.c userspace/armvmm-run/core/error.c
// sources: userspace/armvmm-run/core/device.c userspace/armvmm-run/core/guestmem.c
// sources: userspace/armvmm-run/core/rate.c userspace/armvmm-run/core/parse.c
// sources: userspace/armvmm-run/core/thread.c userspace/armvmm-run/snapshot/places.c
// sources: userspace/armvmm-run/snapshot/postcopy.c userspace/armvmm-run/snapshot/faults.c
// sources: userspace/armvmm-run/core/machine_type.c userspace/armvmm-run/machines/virt.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -Idriver -D_GNU_SOURCE
// pkgs: glib-2.0 zlib libzstd
//
// What was written to the connection may be anywhere on its way: it counts as sent only when the
// far end has passed the mark behind it.
#include <signal.h>

#define MEMORY	(40u << 20)	/* more than may be on its way */

#include "guest_fake.h"
#include "proxy.h"
#include "snapshot/part.h"
#include "snapshot/receive.h"
#include "snapshot/send.h"
#include "snapshot/wire.h"

#define MUCH	(36u << 20)	/* of it, which cannot be compressed */
#define ON_WAY	(34u << 20)	/* bytes: 32 marks, each behind a mebibyte; and one more */
#define LITTLE	(4u << 20)
#define PACE	1000u		/* bytes in a millisecond: far less than are written */

static struct guest a, b;

void machine_note(struct machine *m, const char *fmt, ...)
{
}

/* ---- One migration ---- */

struct run {
	struct proxy proxy;
	struct send *s;
	void (*work)(struct run *run);	/* once a millisecond, while the guest runs here */
	size_t arrived;			/* bytes, when it was seen to stand still first */
	bool stood;
	int ret;
};

static void setup(unsigned int noise)
{
	uint32_t *word;

	signal(SIGPIPE, SIG_IGN);
	guest_init(&a);
	guest_init(&b);
	a.kept[0] = b.kept[0] = '\0';
	machine_hold(&b.m, MACHINE_HOLDER_INCOMING);
	word = (uint32_t *)a.m.mem.region[0].host;
	for (unsigned int i = 0; i < noise / 4; i++)
		word[i] = i * 2654435761u ^ i >> 3;
}

static bool runs(const struct guest *g)
{
	return !g->holders && !g->thing.paused;
}

static gboolean turn(void *opaque)
{
	struct run *run = opaque;

	if (!a.holders && run->work)
		run->work(run);
	if (a.holders && !run->stood)
		run->arrived = __atomic_load_n(&run->proxy.way[0].out, __ATOMIC_ACQUIRE);
	run->stood |= a.holders != 0;
	return G_SOURCE_CONTINUE;
}

static void run_it(struct run *run, struct send_status *status)
{
	struct receive_source source = { .name = "B", .listen = -1 };
	struct error err = { "" };
	struct facts facts;
	struct receive *r;
	guint timer;
	int fd;

	proxy_open(&run->proxy, &fd, &source.in);
	source.out = source.in;
	run->s = send_new(&a.m);
	r = receive_new(&b.m, &source, NULL);
	timer = g_timeout_add(1, turn, run);
	KTAP_EQ(send_start(run->s, fd, 0, &err), 0);
	run->ret = receive_guest(r, &facts, &err);
	if (!run->ret) {
		KTAP_EQ(receive_confirm(r, &err), 0);
		device_bus_resume(&b.m.bus);
		machine_release(&b.m, MACHINE_HOLDER_INCOMING);
	}
	receive_free(r);
	while (send_is_active(run->s))
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(timer);
	proxy_close(&run->proxy);
	send_get(run->s, status);
	send_free(run->s);
}

/* ---- The cases ---- */

/* Some 200 KB a second. */
static void write_some(struct run *run)
{
	unsigned int page = g_random_int_range(0, LITTLE / 4096);

	if (g_random_int_range(0, 20))
		return;
	memset(a.m.mem.region[0].host + page * 4096, (int)g_random_int(), 64);
	__atomic_fetch_or(&a.log[page / 32], 1u << page % 32, __ATOMIC_SEQ_CST);
}

/* All is taken at once, and arrives later: the guest does not stand still for most of it. */
static void test_long_way(void)
{
	struct run run = { .proxy.way = { ALL, ALL }, .work = write_some };
	struct send_status status;

	setup(LITTLE);
	run.proxy.way[0].pace = PACE;
	run_it(&run, &status);
	KTAP_EQ(run.ret, 0);
	KTAP_EQ(status.phase, SEND_COMPLETED);
	KTAP_TRUE(runs(&b) && !runs(&a));
	KTAP_TRUE(!memcmp(a.m.mem.region[0].host, b.m.mem.region[0].host, MEMORY));
	printf("# stood still for %llu ms, with %zu of %zu bytes to come\n",
	       (unsigned long long)status.down_ms, run.proxy.way[0].bytes - run.arrived,
	       run.proxy.way[0].bytes);
	KTAP_TRUE(run.arrived >= LITTLE);
	/* 300 ms, by an estimate that any load of this machine makes longer. */
	KTAP_TRUE(run.proxy.way[0].bytes - run.arrived < LITTLE / 4);
}

/* Until somebody has no more patience. */
static gboolean cancel(void *opaque)
{
	struct run *run = opaque;

	send_cancel(run->s);
	return G_SOURCE_REMOVE;
}

static void stop_when_full(struct run *run)
{
	static size_t last;
	static unsigned int times;
	size_t now = __atomic_load_n(&run->proxy.way[0].bytes, __ATOMIC_RELAXED);

	times = now == last && now > 64 * 1024 ? times + 1 : 0;
	last = now;
	if (times == 500)
		cancel(run);
}

/* The far end passes no mark: only so much is written, and the guest runs. */
static void test_unanswered(void)
{
	struct run run = { .proxy.way = { ALL, ALL }, .work = stop_when_full };
	struct send_status status;

	setup(MUCH);
	run.proxy.way[1].stop = 64 + 64;	/* header and "ready" */
	run_it(&run, &status);
	KTAP_EQ(status.phase, SEND_CANCELLED);
	KTAP_EQ(status.down_ms, 0);
	KTAP_TRUE(runs(&a) && !runs(&b));
	printf("# %zu bytes were on their way\n", run.proxy.way[0].bytes);
	KTAP_TRUE(run.proxy.way[0].bytes > MUCH / 2 && run.proxy.way[0].bytes < ON_WAY);
}

/* ---- A far end that lies ---- */

struct liar {
	int fd;
	const char *to;		/* this part is answered ... */
	const char *word;	/* ... by this word */
	unsigned int times;
};

static int say(void *opaque, const void *data, size_t len)
{
	return send(*(int *)opaque, data, len, MSG_NOSIGNAL) == (ssize_t)len ? 0 : -EPIPE;
}

static const char *answer_to(const struct liar *l, const char *part)
{
	if (!strcmp(part, l->to))
		return l->word;
	if (!strcmp(part, WIRE_HELLO))
		return WIRE_READY;
	if (!strcmp(part, WIRE_MARK))
		return WIRE_PASSED;
	return strcmp(part, PART_END) ? NULL : WIRE_TAKEN;
}

static void *liar_main(void *opaque)
{
	struct liar *l = opaque;
	struct part_writer w = { .write = say, .opaque = &l->fd };
	static uint8_t head[64], rest[65536];
	bool begun = false;

	while (recv(l->fd, head, sizeof(head), MSG_WAITALL) == sizeof(head)) {
		const char *part = (const char *)head + 8, *word;
		unsigned int times;
		uint64_t len;

		if (!begun) {
			part_begin(&w, head + 16, NULL);
			begun = true;
			continue;
		}
		memcpy(&len, head + 48, sizeof(len));
		while (len) {
			ssize_t n = recv(l->fd, rest, MIN(len, sizeof(rest)), MSG_WAITALL);

			if (n <= 0)
				return NULL;
			len -= n;
		}
		word = answer_to(l, part);
		times = strcmp(part, l->to) ? 1 : l->times;
		for (unsigned int i = 0; word && i < times; i++)
			part_write(&w, word, WIRE_VERSION, "no", strcmp(word, WIRE_REFUSED) ? 0 : 2,
				   NULL, 0);
	}
	return NULL;
}

static void lies(struct liar l, const char *why)
{
	struct send_status status;
	struct error err;
	struct send *s;
	pthread_t thread;
	int end[2];

	setup(LITTLE);
	KTAP_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, end), 0);
	l.fd = end[1];
	KTAP_EQ(pthread_create(&thread, NULL, liar_main, &l), 0);
	s = send_new(&a.m);
	KTAP_EQ(send_start(s, end[0], 0, &err), 0);
	while (send_is_active(s))
		g_main_context_iteration(NULL, TRUE);
	send_get(s, &status);
	KTAP_EQ(status.phase, SEND_FAILED);
	KTAP_STREQ(status.why.text, why);
	KTAP_TRUE(runs(&a));
	send_free(s);
	pthread_join(thread, NULL);
	close(end[1]);
}

static void test_lies(void)
{
	lies((struct liar){ .to = WIRE_MARK, .word = WIRE_REFUSED, .times = 1 },
	     "the far end refuses: no");
	lies((struct liar){ .to = WIRE_MARK, .word = WIRE_TAKEN, .times = 1 },
	     "the far end: part passed: in its place is the part taken: was the guest saved with other options?");
	/* It says so once more than it was asked: in the place of another word. */
	lies((struct liar){ .to = PART_END, .word = WIRE_PASSED, .times = 1 },
	     "the far end: part taken: in its place is the part passed: was the guest saved with other options?");
}

KTAP_MAIN(KTAP_CASE(test_long_way), KTAP_CASE(test_unanswered), KTAP_CASE(test_lies))
