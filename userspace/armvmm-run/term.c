// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "core/message.h"
#include "core/nonblock.h"
#include "core/ring.h"
#include "term.h"

#define TERM_IN_SIZE		4096
#define TERM_OUT_SIZE		16384
#define TERM_ESCAPE		0x01	/* Ctrl-A */
/*
 * Where the output cannot be made non-blocking: what a terminal or pipe takes once it polls ready.
 */
#define TERM_BLOCKING_CHUNK	64
#define TERM_FOREGROUND_MS	500
/*
 * A serial port sends byte after byte. A write this soon after the last one waits for more, for so
 * long and until there is so much: a system call for each byte costs more than all else.
 */
#define TERM_HOLD_SOON_NS	1000000
#define TERM_HOLD_MS		2
#define TERM_HOLD_MAX		1024

enum term_out_kind {
	TERM_OUT_NONBLOCK,	/* a descriptor of our own with O_NONBLOCK */
	TERM_OUT_BLOCKING,	/* poll first, then little at a time */
	TERM_OUT_SOCKET,	/* MSG_DONTWAIT */
	TERM_OUT_FILE,		/* may block at any time: its disk may be slow */
};

struct chardev {
	struct chardev_client *clients;	/* the head gets the input */
	void (*key)(void *opaque, enum term_key key);
	void *opaque;

	/* Input: the main thread's. */
	bool in_tty, in_closed, started, escape;
	bool waiting;		/* atomic: input waits for room at the client */
	struct ring in;
	GSource *in_source;
	guint foreground_timer;

	int wake_fd;		/* eventfd: other threads call the main thread */
	GSource *wake_source;

	/* Output: any thread. */
	pthread_mutex_t lock;
	struct ring out;
	struct ring kept;	/* the last of what was written; NULL data: nothing is kept */
	enum term_out_kind out_kind;
	int out_fd;
	bool out_dead;		/* nobody will ever read it */
	bool starved;		/* a client was refused */
	bool held;		/* what is queued waits for more */
	uint64_t sent_ns;	/* when output was written last */
	GSource *out_source;	/* the main thread's */
	guint hold_timer;	/* the main thread's */

	uint8_t in_data[TERM_IN_SIZE];
	uint8_t out_data[TERM_OUT_SIZE + CHARDEV_LATE];
};

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

bool chardev_size(struct chardev *chr, uint16_t *cols, uint16_t *rows)
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

static void term_wake(struct chardev *chr)
{
	const uint64_t one = 1;

	/* Fails only when the count is at its end, and then the event is pending anyway. */
	if (write(chr->wake_fd, &one, sizeof(one)) < 0)
		return;
}

/* ---- Output ---- */

/*
 * May a write block? Then only the main thread writes, and without the lock: a vCPU that writes
 * late (chardev_write_late()) has others waiting for it.
 */
static bool term_out_blocks(const struct chardev *chr)
{
	return chr->out_kind == TERM_OUT_BLOCKING || chr->out_kind == TERM_OUT_FILE;
}

/*
 * Writes what goes without waiting. Returns the bytes that are done with: all, if they are lost.
 * The lock is held, and is dropped meanwhile if a write may block: @buf is the queue's head then,
 * which nobody else takes from.
 */
static size_t term_out_write(struct chardev *chr, const uint8_t *buf, size_t len)
{
	ssize_t n;
	int error;

	if (term_out_blocks(chr))
		pthread_mutex_unlock(&chr->lock);
	do {
		if (chr->out_kind == TERM_OUT_SOCKET)
			n = send(chr->out_fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		else
			n = write(chr->out_fd, buf, len);
	} while (n < 0 && errno == EINTR);
	error = errno;
	if (term_out_blocks(chr))
		pthread_mutex_lock(&chr->lock);
	if (n >= 0)
		return n;
	if (error == EAGAIN)
		return 0;
	/* A full disk may have room later; a closed pipe or a terminal hung up will not. */
	if (error != ENOSPC && error != EDQUOT)
		chr->out_dead = true;
	return len;
}

static uint64_t term_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

/*
 * Writes what is queued, as far as that goes without waiting. What comes meanwhile is left. The
 * lock is held; on the main thread, if a write may block.
 */
static void term_out_drain(struct chardev *chr)
{
	size_t left = chr->out.count;

	chr->held = false;
	while (left) {
		size_t len = ring_piece(&chr->out), n;

		if (len > left)
			len = left;
		if (chr->out_kind == TERM_OUT_BLOCKING && len > TERM_BLOCKING_CHUNK)
			len = TERM_BLOCKING_CHUNK;
		n = term_out_write(chr, chr->out.data + chr->out.head, len);
		ring_drop(&chr->out, n);
		left -= n;
		if (n < len || chr->out_kind == TERM_OUT_BLOCKING)
			break;
	}
	chr->sent_ns = term_now_ns();
}

static gboolean term_out_ready(int fd, GIOCondition condition, void *opaque)
{
	struct chardev *chr = opaque;
	bool tell = false, more;

	pthread_mutex_lock(&chr->lock);
	term_out_drain(chr);
	if (chr->starved && chr->out.count <= TERM_OUT_SIZE / 2) {
		chr->starved = false;
		tell = true;
	}
	pthread_mutex_unlock(&chr->lock);

	for (struct chardev_client *c = chr->clients; tell && c; c = c->next)
		if (c->tx_room)
			c->tx_room(c);

	/* The source goes with the last byte. A later byte makes a new one, by way of wake_fd. */
	pthread_mutex_lock(&chr->lock);
	more = chr->out.count;
	if (!more) {
		g_source_unref(chr->out_source);
		chr->out_source = NULL;
	}
	pthread_mutex_unlock(&chr->lock);
	return more ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static gboolean term_hold_over(void *opaque);

/* On the main thread: waits for the output to take more, if there is more, or first for more. */
static void term_out_arm(struct chardev *chr)
{
	pthread_mutex_lock(&chr->lock);
	if (chr->held) {
		if (!chr->hold_timer)
			chr->hold_timer = g_timeout_add(TERM_HOLD_MS, term_hold_over, chr);
	} else if ((chr->out.count || chr->starved) && !chr->out_source) {
		chr->out_source = g_unix_fd_source_new(chr->out_fd, G_IO_OUT);
		g_source_set_callback(chr->out_source, G_SOURCE_FUNC(term_out_ready), chr, NULL);
		g_source_attach(chr->out_source, NULL);
	}
	pthread_mutex_unlock(&chr->lock);
}

/* On the main thread. Writes what waits for more, or for the main thread too. */
static void term_out_unhold(struct chardev *chr, bool all)
{
	pthread_mutex_lock(&chr->lock);
	if (chr->held || all)
		term_out_drain(chr);
	pthread_mutex_unlock(&chr->lock);
}

static gboolean term_hold_over(void *opaque)
{
	struct chardev *chr = opaque;

	chr->hold_timer = 0;
	term_out_unhold(chr, false);
	/* The rest, if the terminal is slow. */
	term_out_arm(chr);
	return G_SOURCE_REMOVE;
}

/* Nothing is queued: may @len bytes wait for more? The lock is held. */
static bool term_out_may_hold(const struct chardev *chr, size_t len)
{
	return chr->out_kind != TERM_OUT_BLOCKING && len < TERM_HOLD_MAX &&
	       term_now_ns() - chr->sent_ns < TERM_HOLD_SOON_NS;
}

/*
 * Queues, or writes, at most so much that the queue has @limit bytes. Returns the bytes taken. The
 * lock is held; @wake: it is to be called by the main thread.
 */
static size_t term_out_put(struct chardev *chr, const uint8_t *buf, size_t len, size_t limit,
			   bool *wake)
{
	size_t done = 0, room;

	if (chr->held && chr->out.count + len > TERM_HOLD_MAX) {
		if (term_out_blocks(chr))
			chr->held = false;
		else
			term_out_drain(chr);
		*wake = chr->out.count;
	}
	if (!chr->out.count && !chr->out_dead) {
		chr->held = term_out_may_hold(chr, len);
		if (!chr->held && !term_out_blocks(chr)) {
			done = term_out_write(chr, buf, len);
			chr->sent_ns = term_now_ns();
		}
	}
	if (chr->out_dead) {
		done = len;
	} else if (done < len) {
		*wake |= !chr->out.count;
		room = chr->out.count < limit ? limit - chr->out.count : 0;
		done += ring_put(&chr->out, buf + done, len - done < room ? len - done : room);
		if (done < len)
			chr->starved = true;
	}
	if (chr->kept.data)
		ring_keep(&chr->kept, buf, done);
	return done;
}

size_t chardev_write(struct chardev *chr, const void *buf, size_t len)
{
	bool wake = false;
	size_t done;

	pthread_mutex_lock(&chr->lock);
	done = term_out_put(chr, buf, len, TERM_OUT_SIZE, &wake);
	pthread_mutex_unlock(&chr->lock);
	if (wake)
		term_wake(chr);
	return done;
}

bool chardev_write_late(struct chardev *chr, const void *buf, size_t len)
{
	bool wake = false, room;

	pthread_mutex_lock(&chr->lock);
	term_out_put(chr, buf, len, TERM_OUT_SIZE + CHARDEV_LATE, &wake);
	room = chr->out.count < TERM_OUT_SIZE;
	if (!room)
		chr->starved = true;
	pthread_mutex_unlock(&chr->lock);
	if (wake)
		term_wake(chr);
	return room;
}

int chardev_keep(struct chardev *chr, size_t size)
{
	chr->kept = (struct ring){ .data = malloc(size), .size = size };
	return chr->kept.data ? 0 : -ENOMEM;
}

size_t chardev_take_kept(struct chardev *chr, uint8_t *buf, size_t len)
{
	size_t n;

	pthread_mutex_lock(&chr->lock);
	n = ring_take(&chr->kept, buf, len);
	pthread_mutex_unlock(&chr->lock);
	return n;
}

size_t chardev_peek_kept(struct chardev *chr, uint8_t *buf, size_t len)
{
	struct ring kept;
	size_t n;

	pthread_mutex_lock(&chr->lock);
	/* The copy has a head of its own. */
	kept = chr->kept;
	n = ring_take(&kept, buf, len);
	pthread_mutex_unlock(&chr->lock);
	return n;
}

void chardev_put_kept(struct chardev *chr, const uint8_t *buf, size_t len)
{
	pthread_mutex_lock(&chr->lock);
	if (chr->kept.data)
		ring_keep(&chr->kept, buf, len);
	pthread_mutex_unlock(&chr->lock);
}

static uint64_t term_now_ms(void)
{
	return term_now_ns() / 1000000;
}

void term_flush(struct chardev *chr, unsigned int ms)
{
	uint64_t now = term_now_ms(), end = now + ms;

	pthread_mutex_lock(&chr->lock);
	while (chr->out.count && !chr->out_dead && now < end) {
		struct pollfd pfd = { .fd = chr->out_fd, .events = POLLOUT };
		size_t len = ring_piece(&chr->out);

		if (poll(&pfd, 1, end - now) > 0) {
			if (len > TERM_BLOCKING_CHUNK)
				len = TERM_BLOCKING_CHUNK;
			ring_drop(&chr->out,
				  term_out_write(chr, chr->out.data + chr->out.head, len));
		}
		now = term_now_ms();
	}
	pthread_mutex_unlock(&chr->lock);
}

/* ---- Input ---- */

static void term_help(struct chardev *chr)
{
	static const char help[] =
		"\r\nCtrl-A x  leave at once, as by cutting the power\r\n"
		"Ctrl-A p  press the power button\r\n"
		"Ctrl-A b  send a break\r\n"
		"Ctrl-A h  this help\r\n"
		"Ctrl-A Ctrl-A  send Ctrl-A\r\n";

	chardev_write(chr, help, sizeof(help) - 1);
}

static void term_command(struct chardev *chr, uint8_t c)
{
	const uint8_t escape = TERM_ESCAPE;

	switch (c) {
	case 'x':
	case 'X':
		chr->key(chr->opaque, TERM_KEY_QUIT);
		break;
	case 'p':
	case 'P':
		chr->key(chr->opaque, TERM_KEY_POWER);
		break;
	case 'b':
	case 'B':
		if (chr->clients && chr->clients->rx_break)
			chr->clients->rx_break(chr->clients);
		break;
	case TERM_ESCAPE:
	case 'a':
		ring_put(&chr->in, &escape, 1);
		break;
	default:
		term_help(chr);
		break;
	}
}

static void term_deliver(struct chardev *chr)
{
	struct chardev_client *client = chr->clients;

	while (client && chr->in.count) {
		size_t room, piece;

		/*
		 * First say that we wait, then look for room: a client that
		 * makes room after the look sees that we wait, and calls.
		 */
		__atomic_store_n(&chr->waiting, true, __ATOMIC_SEQ_CST);
		room = client->rx_room(client);
		if (!room)
			return;
		piece = ring_piece(&chr->in);
		if (piece > room)
			piece = room;
		client->receive(client, chr->in.data + chr->in.head, piece);
		ring_drop(&chr->in, piece);
	}
	__atomic_store_n(&chr->waiting, false, __ATOMIC_SEQ_CST);
}

void chardev_rx_ready(struct chardev *chr)
{
	if (__atomic_load_n(&chr->waiting, __ATOMIC_SEQ_CST))
		term_wake(chr);
}

static void term_in_disarm(struct chardev *chr)
{
	if (!chr->in_source)
		return;
	g_source_destroy(chr->in_source);
	g_source_unref(chr->in_source);
	chr->in_source = NULL;
}

static gboolean term_in_ready(int fd, GIOCondition condition, void *opaque);

static void term_in_arm(struct chardev *chr)
{
	if (!chr->started || chr->in_closed || chr->in_source || chr->in.count == chr->in.size)
		return;
	chr->in_source = g_unix_fd_source_new(STDIN_FILENO, G_IO_IN | G_IO_HUP | G_IO_ERR);
	g_source_set_callback(chr->in_source, G_SOURCE_FUNC(term_in_ready), chr, NULL);
	g_source_attach(chr->in_source, NULL);
}

static gboolean term_in_ready(int fd, GIOCondition condition, void *opaque)
{
	struct chardev *chr = opaque;
	size_t room = chr->in.size - chr->in.count;
	uint8_t buf[256];
	ssize_t n;

	/*
	 * Always read from a terminal, even if the guest takes nothing, to find commands in what is
	 * typed. From other input read only what can be kept.
	 */
	n = read(fd, buf, chr->in_tty || room > sizeof(buf) ? sizeof(buf) : room);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return G_SOURCE_CONTINUE;
	if (n <= 0) {
		/* EOF, or EIO of a terminal that is gone: the guest runs on without input. */
		chr->in_closed = true;
		term_in_disarm(chr);
		return G_SOURCE_REMOVE;
	}

	if (!chr->in_tty) {
		ring_put(&chr->in, buf, n);
	} else {
		for (ssize_t i = 0; i < n; i++) {
			if (chr->escape) {
				chr->escape = false;
				term_command(chr, buf[i]);
			} else if (buf[i] == TERM_ESCAPE) {
				chr->escape = true;
			} else {
				ring_put(&chr->in, &buf[i], 1);
			}
		}
	}
	term_deliver(chr);
	/* A command may have stopped us, and a full ring must not spin on a pipe. */
	if (!chr->in_source)
		return G_SOURCE_REMOVE;
	if (!chr->in_tty && chr->in.count == chr->in.size) {
		term_in_disarm(chr);
		return G_SOURCE_REMOVE;
	}
	return G_SOURCE_CONTINUE;
}

static gboolean term_woken(int fd, GIOCondition condition, void *opaque)
{
	struct chardev *chr = opaque;
	uint64_t times;

	if (read(fd, &times, sizeof(times)) < 0)
		return G_SOURCE_CONTINUE;
	term_out_arm(chr);
	term_deliver(chr);
	term_in_arm(chr);
	return G_SOURCE_CONTINUE;
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
	struct chardev *chr = opaque;

	/* "fg" sends no signal to a job that runs already, so look. */
	if (term_in_background())
		return G_SOURCE_CONTINUE;
	chr->foreground_timer = 0;
	term_start(chr);
	return G_SOURCE_REMOVE;
}

void term_resized(struct chardev *chr)
{
	for (struct chardev_client *client = chr->clients; client; client = client->next)
		if (client->resized)
			client->resized(client);
}

void term_start(struct chardev *chr)
{
	chr->started = true;
	if (chr->in_closed)
		return;
	if (chr->in_tty) {
		if (term_in_background()) {
			chr->started = false;
			if (!chr->foreground_timer)
				chr->foreground_timer =
					g_timeout_add(TERM_FOREGROUND_MS, term_foreground, chr);
			return;
		}
		term_raw();
	}
	term_in_arm(chr);
}

void term_stop(struct chardev *chr)
{
	/* What the guest has sent comes before what the terminal, or the file, gets next. */
	term_out_unhold(chr, chr->out_kind == TERM_OUT_FILE);
	chr->started = false;
	if (chr->foreground_timer)
		g_source_remove(chr->foreground_timer);
	chr->foreground_timer = 0;
	term_in_disarm(chr);
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

void chardev_attach(struct chardev *chr, struct chardev_client *client)
{
	client->next = chr->clients;
	chr->clients = client;
}

static void term_out_open(struct chardev *chr)
{
	struct stat st;
	int fd;

	chr->out_fd = STDOUT_FILENO;
	if (fstat(STDOUT_FILENO, &st)) {
		chr->out_dead = true;
	} else if (S_ISSOCK(st.st_mode)) {
		chr->out_kind = TERM_OUT_SOCKET;
	} else if (S_ISREG(st.st_mode)) {
		chr->out_kind = TERM_OUT_FILE;
	} else {
		fd = nonblock_open(STDOUT_FILENO);
		chr->out_kind = fd < 0 ? TERM_OUT_BLOCKING : TERM_OUT_NONBLOCK;
		if (fd >= 0)
			chr->out_fd = fd;
	}
}

int term_create(struct chardev **out, void (*key)(void *opaque, enum term_key key), void *opaque,
		struct error *err)
{
	struct chardev *chr = calloc(1, sizeof(*chr));

	if (!chr)
		return error_errno(err, -ENOMEM, "terminal");
	chr->key = key;
	chr->opaque = opaque;
	chr->in = (struct ring){ .data = chr->in_data, .size = sizeof(chr->in_data) };
	chr->out = (struct ring){ .data = chr->out_data, .size = sizeof(chr->out_data) };
	chr->in_tty = isatty(STDIN_FILENO);
	chr->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (chr->wake_fd < 0) {
		int ret = -errno;

		free(chr);
		if (ret == -ENOSYS)
			return error_set(err, ret, "the kernel has no eventfd, which armvmm-run "
					 "needs: build it with CONFIG_EVENTFD=y");
		return error_errno(err, ret, "terminal");
	}
	pthread_mutex_init(&chr->lock, NULL);
	term_out_open(chr);
	chr->wake_source = g_unix_fd_source_new(chr->wake_fd, G_IO_IN);
	g_source_set_callback(chr->wake_source, G_SOURCE_FUNC(term_woken), chr, NULL);
	g_source_attach(chr->wake_source, NULL);
	*out = chr;
	return 0;
}

void term_destroy(struct chardev *chr)
{
	if (!chr)
		return;
	term_stop(chr);
	term_flush(chr, 1000);
	if (chr->hold_timer)
		g_source_remove(chr->hold_timer);
	if (chr->out_source) {
		g_source_destroy(chr->out_source);
		g_source_unref(chr->out_source);
	}
	g_source_destroy(chr->wake_source);
	g_source_unref(chr->wake_source);
	free(chr->kept.data);
	close(chr->wake_fd);
	if (chr->out_kind == TERM_OUT_NONBLOCK)
		close(chr->out_fd);
	pthread_mutex_destroy(&chr->lock);
	free(chr);
}
