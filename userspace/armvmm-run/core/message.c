// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/message.h"
#include "core/nonblock.h"

#define MESSAGE_MAX	768
/* What a terminal or pipe takes once it polls ready, if it cannot be opened again. */
#define MESSAGE_CHUNK	64

enum message_kind {
	MESSAGE_NONBLOCK,	/* a descriptor of our own with O_NONBLOCK */
	MESSAGE_BLOCKING,	/* poll first, then little at a time */
	MESSAGE_SOCKET,		/* MSG_DONTWAIT */
	MESSAGE_FILE,
};

static const char message_program[] = "armvmm-run: ";

/* There is one stderr. */
static struct {
	pthread_mutex_t lock;
	bool hurried;		/* message_patience() was called, and has set what follows */
	int ms, fd;
	enum message_kind kind;
	bool gave_up;		/* a line was waited for in vain: no other one is */
	bool torn;		/* the last line lacks its end */
	unsigned int lost;	/* lines */
} message_err = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int64_t message_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

/* Waits until stderr takes something, for @ms (-1: as long as it takes), whatever signals come. */
static bool message_wait(int ms)
{
	struct pollfd ready = { .fd = message_err.fd, .events = POLLOUT };
	int64_t end = message_now_ms() + ms, left;
	int n;

	while ((n = poll(&ready, 1, ms)) < 0 && errno == EINTR) {
		left = end - message_now_ms();
		if (ms > 0)
			ms = left > 0 ? left : 0;
	}
	return n > 0;
}

/* Writes what goes without waiting. Returns how much that is, or -1. */
static ssize_t message_piece(const char *text, size_t len)
{
	ssize_t n;

	if (!message_wait(message_err.gave_up ? 0 : message_err.ms)) {
		message_err.gave_up = true;
		return -1;
	}
	if (message_err.kind == MESSAGE_BLOCKING && len > MESSAGE_CHUNK)
		len = MESSAGE_CHUNK;
	do {
		n = message_err.kind == MESSAGE_SOCKET ?
			    send(message_err.fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL) :
			    write(message_err.fd, text, len);
	} while (n < 0 && errno == EINTR);
	return n;
}

static bool message_put(const char *text, size_t len)
{
	while (len) {
		ssize_t n = message_piece(text, len);

		if (n <= 0)
			return false;
		message_err.torn = text[n - 1] != '\n';
		text += n;
		len -= n;
	}
	return true;
}

static bool message_tell_lost(const char *end)
{
	char line[96];
	int n = snprintf(line, sizeof(line), "%s%smessages that are lost, as stderr was not read: %u%s",
			 message_err.torn ? end : "", message_program, message_err.lost, end);

	if (!message_put(line, n))
		return false;
	message_err.lost = 0;
	return true;
}

static void message_hurried(const char *line, size_t len, const char *end)
{
	pthread_mutex_lock(&message_err.lock);
	if ((message_err.lost && !message_tell_lost(end)) || !message_put(line, len))
		message_err.lost++;
	pthread_mutex_unlock(&message_err.lock);
}

void message_va(const char *fmt, va_list ap)
{
	/* A carriage return is harmless on a terminal that is not raw, and wrong in a file. */
	const char *end = isatty(STDERR_FILENO) ? "\r\n" : "\n";
	size_t len = sizeof(message_program) - 1, room = MESSAGE_MAX - len - strlen(end);
	char line[MESSAGE_MAX];
	int n;

	memcpy(line, message_program, len);
	n = vsnprintf(line + len, room, fmt, ap);
	if (n < 0)
		return;
	len += (size_t)n < room ? (size_t)n : room - 1;
	memcpy(line + len, end, strlen(end));
	len += strlen(end);
	if (message_err.hurried)
		message_hurried(line, len, end);
	/* If stderr is gone, there is nobody to tell. */
	else if (write(STDERR_FILENO, line, len) < 0)
		return;
}

void message(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message_va(fmt, ap);
	va_end(ap);
}

static void message_open(void)
{
	struct stat st;
	int fd;

	message_err.fd = STDERR_FILENO;
	if (fstat(STDERR_FILENO, &st) || S_ISREG(st.st_mode)) {
		message_err.kind = MESSAGE_FILE;
	} else if (S_ISSOCK(st.st_mode)) {
		message_err.kind = MESSAGE_SOCKET;
	} else {
		fd = nonblock_open(STDERR_FILENO);
		message_err.kind = fd < 0 ? MESSAGE_BLOCKING : MESSAGE_NONBLOCK;
		if (fd >= 0)
			message_err.fd = fd;
	}
}

void message_patience(int ms)
{
	if (!message_err.hurried)
		message_open();
	pthread_mutex_lock(&message_err.lock);
	message_err.hurried = true;
	message_err.ms = ms;
	message_err.gave_up = false;
	pthread_mutex_unlock(&message_err.lock);
}
