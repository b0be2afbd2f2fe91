// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "console.h"
#include "control/value.h"

#define CONSOLE_LEAVE	0x1d	/* Ctrl-] */
#define CONSOLE_INPUT	4096

/* Set by signals. */
static volatile sig_atomic_t console_resized, console_ended;

struct console {
	struct connection *c;
	const char *id;
	int fd;
	bool tty, in_closed, machine_gone;
	struct termios saved;
	char in[CONSOLE_INPUT];	/* typed, and not taken yet */
	size_t in_len;
};

static void console_signal(int signal)
{
	if (signal == SIGWINCH)
		console_resized = 1;
	else
		console_ended = 1;
}

static bool console_fail(GError **err, const char *id, const char *why)
{
	g_set_error(err, CONNECTION_ERROR, CONNECTION_REFUSED, "%s: %s", id, why);
	return false;
}

/* ---- Finding it ---- */

/* What the console is joined to, which the caller frees; or NULL with @err set. */
static char *console_find(struct connection *c, const char *id, GError **err)
{
	json_t *list = connection_run(c, "query-chardev", NULL, err), *o;
	char *filename = NULL;
	size_t i;

	if (!list)
		return NULL;
	json_array_foreach(list, i, o) {
		const char *label = json_string_value(json_object_get(o, "label"));
		const char *name = json_string_value(json_object_get(o, "filename"));

		if (label && name && !strcmp(label, id))
			filename = g_strdup(name);
	}
	json_decref(list);
	if (!filename)
		console_fail(err, id, "there is no such console (see consoles)");
	return filename;
}

static int console_connect(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(sun.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&sun, sizeof(sun))) {
		int why = errno;

		close(fd);
		errno = why;
		return -1;
	}
	return fd;
}

/* "unix:PATH,server=on" or "pty:PATH". Returns the descriptor, or -1 with @err set. */
static int console_open(const char *id, char *filename, GError **err)
{
	char *words = strrchr(filename, ',');
	int fd;

	if (g_str_has_prefix(filename, "unix:")) {
		if (words)
			*words = '\0';
		fd = console_connect(filename + strlen("unix:"));
	} else if (g_str_has_prefix(filename, "pty:")) {
		fd = open(filename + strlen("pty:"), O_RDWR | O_NOCTTY | O_CLOEXEC);
	} else {
		console_fail(err, id, "is neither a unix: socket nor a pty, to which one can come");
		return -1;
	}
	if (fd < 0)
		console_fail(err, id, g_strerror(errno));
	else
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return fd;
}

/* ---- Copying ---- */

/* A machine that does not know of sizes answers with an error, which does not matter. */
static void console_tell_size(struct console *console)
{
	struct winsize size;
	json_t *value;

	console_resized = 0;
	if (!console->tty || ioctl(STDIN_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
		return;
	value = connection_run(console->c, "chardev-resize",
			       json_pack("{s:o, s:i, s:i}", "id", value_text(console->id),
					 "cols", size.ws_col, "rows", size.ws_row), NULL);
	json_decref(value);
}

/* Returns false when the person leaves. */
static bool console_type(struct console *console)
{
	char buf[512], *leave;
	size_t room = sizeof(console->in) - console->in_len;
	ssize_t n;

	/* A terminal is always read, for the key that leaves; other input waits. */
	n = read(STDIN_FILENO, buf, console->tty || room > sizeof(buf) ? sizeof(buf) : room);
	if (n <= 0) {
		console->in_closed = n == 0 || errno != EINTR;
		return !console->in_closed || !console->tty;
	}
	leave = console->tty ? memchr(buf, CONSOLE_LEAVE, n) : NULL;
	if (leave)
		n = leave - buf;
	if ((size_t)n > room)
		n = room;
	memcpy(console->in + console->in_len, buf, n);
	console->in_len += n;
	return !leave;
}

/* Returns false when the console has ended. */
static bool console_send(struct console *console)
{
	ssize_t n = write(console->fd, console->in, console->in_len);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	console->in_len -= n;
	memmove(console->in, console->in + n, console->in_len);
	return true;
}

static bool console_print(struct console *console)
{
	char buf[4096];
	ssize_t n = read(console->fd, buf, sizeof(buf));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	return n && fwrite(buf, 1, n, stdout) == (size_t)n && !fflush(stdout);
}

/* The machine would drop a client that does not read what happens. */
static void console_hear(struct console *console)
{
	char *event = connection_event(console->c);

	console->machine_gone = !event;
	g_free(event);
}

/* The signals come while it waits, and at no other time. */
static void console_copy(struct console *console, const sigset_t *waiting)
{
	bool goes_on = true;

	while (goes_on && !console_ended) {
		bool room = console->tty || console->in_len < sizeof(console->in);
		struct pollfd fds[] = {
			{ .fd = console->in_closed || !room ? -1 : STDIN_FILENO, .events = POLLIN },
			{ .fd = console->fd, .events = POLLIN | (console->in_len ? POLLOUT : 0) },
			{ .fd = console->machine_gone ? -1 : connection_fd(console->c),
			  .events = POLLIN },
		};

		if (ppoll(fds, G_N_ELEMENTS(fds), NULL, waiting) < 0 && errno != EINTR)
			break;
		if (console_resized) {
			console_tell_size(console);
			continue;
		}
		if (console_ended)
			break;
		if (fds[0].revents)
			goes_on = console_type(console);
		if (goes_on && fds[1].revents & (POLLIN | POLLHUP | POLLERR))
			goes_on = console_print(console);
		if (goes_on && fds[1].revents & POLLOUT)
			goes_on = console_send(console);
		if (fds[2].revents)
			console_hear(console);
	}
	/* What was typed just before is for the guest, as far as it goes without waiting. */
	if (console->in_len)
		console_send(console);
}

static void console_take_terminal(struct console *console)
{
	struct termios raw;

	console->tty = !tcgetattr(STDIN_FILENO, &console->saved);
	if (!console->tty)
		return;
	fprintf(stderr, "armvmm-ctl: %s: Ctrl-] leaves\n", console->id);
	raw = console->saved;
	cfmakeraw(&raw);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

bool console_join(struct connection *c, const char *id, GError **err)
{
	static const int signals[] = { SIGWINCH, SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = console_signal };
	struct console console = { .c = c, .id = id };
	char *filename = console_find(c, id, err);
	sigset_t blocked, waiting;

	if (!filename)
		return false;
	console.fd = console_open(id, filename, err);
	g_free(filename);
	if (console.fd < 0)
		return false;
	sigemptyset(&blocked);
	for (unsigned int i = 0; i < G_N_ELEMENTS(signals); i++) {
		sigaddset(&blocked, signals[i]);
		sigaction(signals[i], &action, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &blocked, &waiting);
	console_take_terminal(&console);
	console_tell_size(&console);
	console_copy(&console, &waiting);
	if (console.tty) {
		tcsetattr(STDIN_FILENO, TCSANOW, &console.saved);
		fputs("\n", stderr);
	}
	close(console.fd);
	sigprocmask(SIG_SETMASK, &waiting, NULL);
	return true;
}
