// SPDX-License-Identifier: GPL-2.0-only
/*
 * await [-l] SECONDS FILE TEXT: waits until FILE, which grows, holds TEXT; with -l, until the line
 * that begins with TEXT has ended, too. await SECONDS PID: waits until the process has ended,
 * whoever its parent is.
 *
 * Status 0 when it came, 1 when the time was up, 2 for bad arguments. Both are told by the kernel:
 * a shell that looks again and again takes a good part of an emulated processor.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* How often to look for a file that does not exist yet, in ms. */
#define LOOK	100

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

static int left_ms(int64_t end)
{
	int64_t left = end - now_ms();

	return left > 0 ? (int)left : 0;
}

static int await_end(const char *pid, int64_t end)
{
	int fd = (int)syscall(SYS_pidfd_open, atoi(pid), 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (fd < 0 && errno == ESRCH)
		return 0;
	if (fd < 0) {
		fprintf(stderr, "await: process %s: %s\n", pid, strerror(errno));
		return 2;
	}
	while (poll(&p, 1, left_ms(end)) < 0 && errno == EINTR)
		;
	return !(p.revents & POLLIN);
}

/* Reads on from the last position; the last *old bytes of what was read before are kept in BUF. */
static bool read_on(int fd, char *buf, size_t size, size_t *old, const char *text, bool line)
{
	size_t len = strlen(text);
	ssize_t n;

	while ((n = read(fd, buf + *old, size - *old)) > 0) {
		size_t all = *old + (size_t)n;
		char *at = memmem(buf, all, text, len);

		if (at && (!line || memchr(at + len, '\n', (size_t)(buf + all - at) - len)))
			return true;
		/* Text and line may be split across two reads. */
		*old = at ? (size_t)(buf + all - at) : all < len - 1 ? all : len - 1;
		memmove(buf, buf + all - *old, *old);
	}
	return false;
}

static int await_text(const char *path, const char *text, bool line, int64_t end)
{
	struct pollfd p = { .events = POLLIN };
	char buf[65536], events[4096];
	size_t old = 0;
	int fd;

	while ((fd = open(path, O_RDONLY)) < 0) {
		if (!left_ms(end))
			return 1;
		usleep(LOOK * 1000);
	}
	p.fd = inotify_init1(IN_NONBLOCK);
	if (p.fd < 0 || inotify_add_watch(p.fd, path, IN_MODIFY) < 0) {
		fprintf(stderr, "await: %s: %s\n", path, strerror(errno));
		return 2;
	}
	/* The watch is set before the first look, so that nothing is missed in between. */
	while (!read_on(fd, buf, sizeof(buf), &old, text, line)) {
		int left = left_ms(end);

		if (!left)
			return 1;
		poll(&p, 1, left);
		while (read(p.fd, events, sizeof(events)) > 0)
			;
	}
	return 0;
}

int main(int argc, char **argv)
{
	bool line = argc > 1 && !strcmp(argv[1], "-l");
	int64_t end;

	argc -= line, argv += line;
	if (argc < 3 || argc > 4 || (line && argc < 4) ||
	    (argc == 4 && (!*argv[3] || strlen(argv[3]) > 4096))) {
		fprintf(stderr, "usage: await [-l] SECONDS FILE TEXT, or await SECONDS PID\n");
		return 2;
	}
	end = now_ms() + atoi(argv[1]) * 1000ll;
	return argc == 4 ? await_text(argv[2], argv[3], line, end) : await_end(argv[2], end);
}
