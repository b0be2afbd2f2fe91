// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/snapshot/follow.c userspace/armvmm-run/snapshot/wire.c
// sources: userspace/armvmm-run/snapshot/part.c userspace/armvmm-run/snapshot/pages.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/rate.c
// sources: userspace/armvmm-run/core/parse.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE
// pkgs: glib-2.0 zlib libzstd
//
// Memory that follows a guest over a line that is slow, or dead, and which of the two it is. The
// clock of what is tested goes when the test wants it to: so nothing depends on the machine's load.
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../guest/lib/board.h"
#include "ktap.h"
#include "snapshot/follow.h"

static gint64 clock_now;	/* atomic, as all of these */
static gint64 clock_step;	/* so much later it is at each look */
static unsigned int clock_looks;

gint64 g_get_monotonic_time(void)
{
	gint64 step = __atomic_load_n(&clock_step, __ATOMIC_SEQ_CST);

	__atomic_fetch_add(&clock_looks, 1, __ATOMIC_SEQ_CST);
	return __atomic_add_fetch(&clock_now, step, __ATOMIC_SEQ_CST);
}

static gint64 clock_read(void)
{
	return __atomic_load_n(&clock_now, __ATOMIC_SEQ_CST);
}

static void clock_run(gint64 step)
{
	__atomic_store_n(&clock_step, step, __ATOMIC_SEQ_CST);
}

static bool over;	/* what is tested looks no more */

/* Until what is tested has looked at the clock, and at the line behind that, since the call. */
static void await_look(void)
{
	unsigned int from = __atomic_load_n(&clock_looks, __ATOMIC_SEQ_CST);

	while (!__atomic_load_n(&over, __ATOMIC_SEQ_CST) &&
	       __atomic_load_n(&clock_looks, __ATOMIC_SEQ_CST) - from < 2)
		g_usleep(1000);
}

#define MINUTE	(60 * G_USEC_PER_SEC)

static const uint8_t id[PART_ID_SIZE] = { 1, 2, 3 };

/* Both ends of the line; what the host's kernel holds of it is in pieces of 4 KiB. */
static struct line {
	struct wire wire;
	bool cancelled;
	int far;
	pthread_t thread;
} line;

static int far_write(void *opaque, const void *data, size_t len)
{
	return write(line.far, data, len) == (ssize_t)len ? 0 : -EPIPE;
}

static struct part_writer far_words = { .write = far_write };

static void line_open(void *(*far)(void *opaque), unsigned int pieces)
{
	static const uint8_t piece[4096];
	int fd[2];

	/* A far end may write when the test has ended in a failure. */
	signal(SIGPIPE, SIG_IGN);
	KTAP_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	KTAP_EQ(fcntl(fd[0], F_SETFL, O_NONBLOCK), 0);
	line.far = fd[1];
	over = false;
	line.cancelled = false;
	line.wire = (struct wire){ .in = fd[0], .out = fd[0], .sends = true,
				   .cancelled = &line.cancelled };
	for (unsigned int i = 0; i < pieces; i++)
		KTAP_EQ(wire_write(&line.wire, piece, sizeof(piece)), 0);
	KTAP_EQ(part_begin(&far_words, id, NULL), 0);
	if (far)
		KTAP_EQ(pthread_create(&line.thread, NULL, far, NULL), 0);
}

static void line_close(bool thread)
{
	__atomic_store_n(&over, true, __ATOMIC_SEQ_CST);
	/* Who still writes there gets an error. */
	shutdown(line.wire.in, SHUT_RDWR);
	if (thread)
		pthread_join(line.thread, NULL);
	close(line.wire.in);
	close(line.far);
}

/* Nothing is left to be sent: all that there is are the last words. */
static int follows(struct error *why)
{
	static uint8_t memory[WIRE_PAGES * PAGES_SIZE];
	static uint32_t dirty[1];
	struct memlog log = { .layout = { 1, { { RAM_BASE, sizeof(memory), memory, dirty } } } };
	struct part_writer writer = { .write = wire_write, .opaque = &line.wire };
	struct part_reader answers = { .read = wire_read, .opaque = &line.wire, .file = "far end" };
	struct follow_count count = { .left = 0 };
	struct follow f = {
		.log = &log, .pages = pages_writer_new(&log.layout, PAGES_LIVE), .writer = &writer,
		.answers = &answers, .wire = &line.wire, .count = &count, .why = why,
	};
	int ret;

	*why = (struct error){ "" };
	KTAP_EQ(part_open(&answers, why), 0);
	ret = follow_send(&f);
	pages_writer_free(f.pages);
	part_reader_free(&answers);
	return ret;
}

/* ---- Far ends ---- */

/* Takes a piece, and less than a minute goes by. Returns false if there is no whole one. */
static bool far_takes(void)
{
	uint8_t piece[4096];

	if (read(line.far, piece, sizeof(piece)) < (ssize_t)sizeof(piece))
		return false;
	await_look();
	__atomic_fetch_add(&clock_now, MINUTE * 3 / 4, __ATOMIC_SEQ_CST);
	await_look();
	return true;
}

/* It says its last word when it has all. */
static void *far_slow(void *opaque)
{
	await_look();
	while (far_takes())
		;
	part_write(&far_words, WIRE_WHOLE, WIRE_VERSION, NULL, 0, NULL, 0);
	return NULL;
}

/* It takes some, and then nothing more. */
static void *far_dies(void *opaque)
{
	await_look();
	for (unsigned int i = 0; i < 4; i++)
		KTAP_TRUE(far_takes());
	clock_run(G_USEC_PER_SEC);
	return NULL;
}

/* It asks for the same page for ever, and takes nothing. */
static void *far_asks(void *opaque)
{
	const uint64_t gpa = RAM_BASE;
	int ret = 0;

	while (!ret) {
		g_usleep(10000);
		ret = part_write(&far_words, WIRE_REQUEST, WIRE_VERSION, &gpa, sizeof(gpa), NULL,
				 0);
	}
	return NULL;
}

/* ---- The cases ---- */

static void test_slow(void)
{
	struct error why;
	gint64 begun;

	clock_run(0);
	line_open(far_slow, 12);
	begun = clock_read();
	KTAP_EQ(follows(&why), 0);
	/* It took longer than a dead line is waited for. */
	KTAP_EQ(clock_read() - begun, 9 * MINUTE);
	line_close(true);
}

static void test_dead(void)
{
	struct error why;
	gint64 begun;

	clock_run(G_USEC_PER_SEC);
	line_open(NULL, 12);
	begun = clock_read();
	KTAP_EQ(follows(&why), -ETIMEDOUT);
	KTAP_TRUE(clock_read() - begun >= WIRE_STALL_MS * 1000ll);
	line_close(false);
	clock_run(0);
	line_open(far_dies, 12);
	begun = clock_read();
	KTAP_EQ(follows(&why), -ETIMEDOUT);
	/* The time begins anew with each byte that goes. */
	KTAP_TRUE(clock_read() - begun >= 3 * MINUTE + MINUTE / 4);
	line_close(true);
}

static void test_asks_for_ever(void)
{
	struct error why;

	clock_run(G_USEC_PER_SEC / 10);
	line_open(far_asks, 2);
	KTAP_EQ(follows(&why), -ETIMEDOUT);
	line_close(true);
}

/* A limit on the bandwidth makes no pause that a far end would take for our end. */
static void *soon(void *opaque)
{
	g_usleep(300000);
	__atomic_store_n(&line.cancelled, true, __ATOMIC_RELEASE);
	return NULL;
}

static void test_low_rate(void)
{
	static const uint8_t data[4096];
	uint64_t per_second = 100;
	gint64 begun = g_get_real_time();
	int came = 0;

	line_open(NULL, 0);
	line.wire.per_second = &per_second;
	KTAP_EQ(pthread_create(&line.thread, NULL, soon, NULL), 0);
	KTAP_EQ(wire_write(&line.wire, data, sizeof(data)), -ECANCELED);
	KTAP_EQ(ioctl(line.far, FIONREAD, &came), 0);
	/* It may have been a slow machine's seconds. */
	KTAP_TRUE(came > 0 && came <= 200 + (g_get_real_time() - begun) / 10000);
	line_close(true);
}

KTAP_MAIN(KTAP_CASE(test_slow), KTAP_CASE(test_dead), KTAP_CASE(test_asks_for_ever),
	  KTAP_CASE(test_low_rate))
