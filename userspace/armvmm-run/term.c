// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "core/chardev_private.h"
#include "core/device.h"
#include "core/nonblock.h"
#include "core/output.h"
#include "term.h"

#define TERM_OUT_SIZE		16384
#define TERM_ESCAPE		0x01	/* Ctrl-A */
#define TERM_FOREGROUND_MS	500

struct term {
	struct chardev chr;
	struct output out;
	void (*key)(void *opaque, enum term_key key);
	void *opaque;
	bool in_tty, in_closed, started, escape;
	GSource *in_source;
	guint foreground_timer;
};

static struct term *to_term(struct chardev *chr)
{
	return container_of(chr, struct term, chr);
}

/*
 * The one thing that must be reachable from a signal handler and from atexit():
 * how the terminal was. Valid while raw is 1.
 */
static struct {
	struct termios saved;
	volatile sig_atomic_t raw;
	volatile sig_atomic_t keep_input;	/* the guest goes on reading it */
} term_guarded;

static void term_restore(void)
{
	if (!term_guarded.raw)
		return;
	term_guarded.raw = 0;
	/*
	 * What was typed for the guest, and what the terminal answered to the guest's
	 * questions, is not for the shell. TCSAFLUSH would wait for output that is held
	 * back by Ctrl-S.
	 */
	if (!term_guarded.keep_input)
		tcflush(STDIN_FILENO, TCIFLUSH);
	tcsetattr(STDIN_FILENO, TCSANOW, &term_guarded.saved);
}

static bool term_size(struct chardev *chr, uint16_t *cols, uint16_t *rows)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col || !size.ws_row)
		return false;
	*cols = size.ws_col;
	*rows = size.ws_row;
	return true;
}

static void term_fatal(int signal)
{
	/* tcsetattr() is async-signal-safe; the handler was one-shot, so this time it is deadly. */
	term_restore();
	raise(signal);
}

void term_guard(void)
{
	/* Every signal that ends a process by default, except those that main() handles. */
	static const int fatal[] = {
		SIGABRT, SIGALRM, SIGBUS,  SIGFPE,  SIGILL,    SIGPOLL, SIGPROF, SIGQUIT,
		SIGSEGV, SIGSYS,  SIGTRAP, SIGUSR2, SIGVTALRM, SIGXCPU, SIGXFSZ,
	};
	struct sigaction action = { .sa_handler = term_fatal,
				    .sa_flags = SA_RESETHAND | SA_NODEFER };

	for (unsigned int i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		sigaction(fatal[i], &action, NULL);
	atexit(term_restore);
}

void term_abandon(int status)
{
	term_restore();
	_exit(status);
}

/* ---- Output ---- */

static size_t term_write(struct chardev *chr, const uint8_t *buf, size_t len, bool late,
			 bool *room)
{
	return output_put(&to_term(chr)->out, buf, len, late, room);
}

static void term_out_wake(void *opaque)
{
	struct term *term = opaque;

	chardev_wake(&term->chr);
}

static void term_out_room(void *opaque)
{
	struct term *term = opaque;

	chardev_tell_room(&term->chr);
}

static const struct output_ops term_out_ops = { .wake = term_out_wake, .room = term_out_room };

void term_flush(struct chardev *chr, unsigned int ms)
{
	output_flush(&to_term(chr)->out, ms);
}

/* ---- Input ---- */

static void term_help(struct term *term)
{
	static const char help[] =
		"\r\nCtrl-A x  leave at once, as by cutting the power\r\n"
		"Ctrl-A p  press the power button\r\n"
		"Ctrl-A b  send a break\r\n"
		"Ctrl-A h  this help\r\n"
		"Ctrl-A Ctrl-A  send Ctrl-A\r\n";

	chardev_write(&term->chr, help, sizeof(help) - 1);
}

static void term_command(struct term *term, uint8_t c)
{
	const uint8_t escape = TERM_ESCAPE;

	switch (c) {
	case 'x':
	case 'X':
		term->key(term->opaque, TERM_KEY_QUIT);
		break;
	case 'p':
	case 'P':
		term->key(term->opaque, TERM_KEY_POWER);
		break;
	case 'b':
	case 'B':
		chardev_break(&term->chr);
		break;
	case TERM_ESCAPE:
	case 'a':
		ring_put(&term->chr.in, &escape, 1);
		break;
	default:
		term_help(term);
		break;
	}
}

static void term_in_disarm(struct term *term)
{
	if (!term->in_source)
		return;
	g_source_destroy(term->in_source);
	g_source_unref(term->in_source);
	term->in_source = NULL;
}

static gboolean term_in_ready(int fd, GIOCondition condition, void *opaque);

static void term_in_arm(struct term *term)
{
	if (!term->started || term->in_closed || term->in_source ||
	    term->chr.in.count == term->chr.in.size)
		return;
	term->in_source = g_unix_fd_source_new(STDIN_FILENO, G_IO_IN | G_IO_HUP | G_IO_ERR);
	g_source_set_callback(term->in_source, G_SOURCE_FUNC(term_in_ready), term, NULL);
	g_source_attach(term->in_source, NULL);
}

static gboolean term_in_ready(int fd, GIOCondition condition, void *opaque)
{
	struct term *term = opaque;
	struct chardev *chr = &term->chr;
	size_t room = chr->in.size - chr->in.count;
	uint8_t buf[256];
	ssize_t n;

	/*
	 * Always read from a terminal, even if the guest takes nothing, to find commands in what is
	 * typed. From other input read only what can be kept.
	 */
	n = read(fd, buf, term->in_tty || room > sizeof(buf) ? sizeof(buf) : room);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	if (n <= 0) {
		/* EOF, or EIO of a terminal that is gone: the guest runs on without input. */
		term->in_closed = true;
		term_in_disarm(term);
		return G_SOURCE_REMOVE;
	}

	if (!term->in_tty) {
		ring_put(&chr->in, buf, n);
	} else {
		for (ssize_t i = 0; i < n; i++) {
			if (term->escape) {
				term->escape = false;
				term_command(term, buf[i]);
			} else if (buf[i] == TERM_ESCAPE) {
				term->escape = true;
			} else {
				ring_put(&chr->in, &buf[i], 1);
			}
		}
	}
	chardev_deliver(chr);
	/* A command may have stopped us, and a full ring must not spin on a pipe. */
	if (!term->in_source)
		return G_SOURCE_REMOVE;
	if (!term->in_tty && chr->in.count == chr->in.size) {
		term_in_disarm(term);
		return G_SOURCE_REMOVE;
	}
	return G_SOURCE_CONTINUE;
}

static void term_woken(struct chardev *chr)
{
	struct term *term = to_term(chr);

	output_woken(&term->out);
	chardev_deliver(chr);
	term_in_arm(term);
}

/* ---- Taking and giving back ---- */

/*
 * A job in the background may not touch its terminal: it would be stopped, and the guest with it.
 * This is so only for the terminal that controls us.
 */
static bool term_in_background(void)
{
	pid_t group = tcgetpgrp(STDIN_FILENO);

	return group >= 0 && group != getpgrp();
}

static void term_raw(void)
{
	struct termios raw;

	if (term_guarded.raw || tcgetattr(STDIN_FILENO, &term_guarded.saved))
		return;
	raw = term_guarded.saved;
	cfmakeraw(&raw);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	term_guarded.raw = 1;
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

static gboolean term_foreground(void *opaque)
{
	struct term *term = opaque;

	/* "fg" sends no signal to a job that runs already, so look. */
	if (term_in_background())
		return G_SOURCE_CONTINUE;
	term->foreground_timer = 0;
	term_start(&term->chr);
	return G_SOURCE_REMOVE;
}

void term_resized(struct chardev *chr)
{
	chardev_tell_size(chr);
}

void term_start(struct chardev *chr)
{
	struct term *term = to_term(chr);

	/* A terminal that no device uses stays the person's. */
	if (!chr->clients)
		return;
	term->started = true;
	if (term->in_closed)
		return;
	if (term->in_tty) {
		if (term_in_background()) {
			term->started = false;
			if (!term->foreground_timer)
				term->foreground_timer =
					g_timeout_add(TERM_FOREGROUND_MS, term_foreground, term);
			return;
		}
		term_raw();
	}
	term_in_arm(term);
}

void term_stop(struct chardev *chr)
{
	struct term *term = to_term(chr);

	/* What the guest has sent comes before what the terminal, or the file, gets next. */
	output_unhold(&term->out, term->out.kind == OUTPUT_FILE);
	term->started = false;
	if (term->foreground_timer)
		g_source_remove(term->foreground_timer);
	term->foreground_timer = 0;
	term_in_disarm(term);
	if (!term_in_background())
		term_restore();
	else
		term_guarded.raw = 0;
}

void term_retake(struct chardev *chr)
{
	term_guarded.keep_input = 1;
	term_stop(chr);
	term_guarded.keep_input = 0;
	term_start(chr);
}

static void term_out_open(struct term *term)
{
	struct stat st;
	int fd;

	if (fstat(STDOUT_FILENO, &st)) {
		term->out.dead = true;
	} else if (S_ISSOCK(st.st_mode)) {
		output_set_fd(&term->out, STDOUT_FILENO, OUTPUT_SOCKET);
	} else if (S_ISREG(st.st_mode)) {
		output_set_fd(&term->out, STDOUT_FILENO, OUTPUT_FILE);
	} else {
		fd = nonblock_open(STDOUT_FILENO);
		output_set_fd(&term->out, fd < 0 ? STDOUT_FILENO : fd,
			      fd < 0 ? OUTPUT_BLOCKING : OUTPUT_NONBLOCK);
	}
}

static const struct chardev_ops term_ops = {
	.write = term_write,
	.woken = term_woken,
	.size = term_size,
	.destroy = term_destroy,
};

int term_create(struct chardev **out, void (*key)(void *opaque, enum term_key key), void *opaque,
		struct error *err)
{
	struct term *term = calloc(1, sizeof(*term));
	int ret;

	if (!term)
		return error_errno(err, -ENOMEM, "terminal");
	term->key = key;
	term->opaque = opaque;
	term->in_tty = isatty(STDIN_FILENO);
	ret = chardev_init(&term->chr, &term_ops, "stdio", err);
	if (ret) {
		free(term);
		return ret;
	}
	term->out.ops = &term_out_ops;
	term->out.opaque = term;
	ret = output_init(&term->out, TERM_OUT_SIZE, CHARDEV_LATE);
	if (ret) {
		chardev_exit(&term->chr);
		free(term);
		return error_errno(err, ret, "terminal");
	}
	term_out_open(term);
	*out = &term->chr;
	return 0;
}

void term_destroy(struct chardev *chr)
{
	struct term *term;
	int fd;

	if (!chr)
		return;
	term = to_term(chr);
	term_stop(chr);
	term_flush(chr, 1000);
	fd = term->out.kind == OUTPUT_NONBLOCK ? term->out.fd : -1;
	output_exit(&term->out);
	chardev_exit(chr);
	if (fd >= 0)
		close(fd);
	free(term);
}
