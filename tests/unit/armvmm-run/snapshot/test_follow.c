// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/snapshot/follow.c userspace/armvmm-run/snapshot/wire.c
// sources: userspace/armvmm-run/snapshot/part.c userspace/armvmm-run/snapshot/pages.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/rate.c
// sources: userspace/armvmm-run/core/parse.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -D_GNU_SOURCE
// pkgs: glib-2.0 zlib libzstd
//
// Memory that follows a guest over a line that is slow, or dead, and which of the two it is. The
// clock of what is tested is fast: a minute of it is 200 ms.
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../guest/lib/board.h"
#include "ktap.h"
#include "snapshot/follow.h"

#define FAST	300

gint64 g_get_monotonic_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec * 1000000ll + now.tv_nsec / 1000) * FAST;
}

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

	KTAP_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	KTAP_EQ(fcntl(fd[0], F_SETFL, O_NONBLOCK), 0);
	line.far = fd[1];
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

/* It takes a piece twice a minute, and says its last word when it has all. */
static void *far_slow(void *opaque)
{
	uint8_t piece[4096];

	for (;;) {
		g_usleep(100000);
		if (read(line.far, piece, sizeof(piece)) < (ssize_t)sizeof(piece))
			break;
	}
	part_write(&far_words, WIRE_WHOLE, WIRE_VERSION, NULL, 0, NULL, 0);
	return NULL;
}

/* It takes some, and then nothing more. */
static void *far_dies(void *opaque)
{
	uint8_t piece[4096];

	for (unsigned int i = 0; i < 4; i++) {
		g_usleep(100000);
		KTAP_EQ(read(line.far, piece, sizeof(piece)), sizeof(piece));
	}
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
	gint64 begun;
	struct error why;

	line_open(far_slow, 12);
	begun = g_get_monotonic_time();
	KTAP_EQ(follows(&why), 0);
	/* It took longer than a dead line is waited for. */
	KTAP_TRUE(g_get_monotonic_time() - begun > 4 * WIRE_STALL_MS * 1000ll);
	line_close(true);
}

static void test_dead(void)
{
	gint64 begun;
	struct error why;

	line_open(NULL, 12);
	begun = g_get_monotonic_time();
	KTAP_EQ(follows(&why), -ETIMEDOUT);
	KTAP_TRUE(g_get_monotonic_time() - begun >= WIRE_STALL_MS * 1000ll);
	line_close(false);
	line_open(far_dies, 12);
	begun = g_get_monotonic_time();
	KTAP_EQ(follows(&why), -ETIMEDOUT);
	/* The time begins anew with each byte that goes. */
	KTAP_TRUE(g_get_monotonic_time() - begun >= 2 * WIRE_STALL_MS * 1000ll);
	line_close(true);
}

static void test_asks_for_ever(void)
{
	struct error why;

	signal(SIGPIPE, SIG_IGN);
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
	int came = 0;

	line_open(NULL, 0);
	line.wire.per_second = &per_second;
	KTAP_EQ(pthread_create(&line.thread, NULL, soon, NULL), 0);
	KTAP_EQ(wire_write(&line.wire, data, sizeof(data)), -ECANCELED);
	KTAP_EQ(ioctl(line.far, FIONREAD, &came), 0);
	KTAP_TRUE(came > 0 && came <= 200);
	line_close(true);
}

KTAP_MAIN(KTAP_CASE(test_slow), KTAP_CASE(test_dead), KTAP_CASE(test_asks_for_ever),
	  KTAP_CASE(test_low_rate))
