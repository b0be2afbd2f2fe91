// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/term.c userspace/armvmm-run/core/chardev.c userspace/armvmm-run/core/chardev_backend.c userspace/armvmm-run/core/output.c
// sources: userspace/armvmm-run/core/message.c userspace/armvmm-run/core/error.c
// cflags: -Iuserspace/armvmm-run -D_GNU_SOURCE
// pkgs: glib-2.0
// libs: -Wl,--wrap=write
//
// The terminal, on a pseudo-terminal: raw and restored, commands among the
// keys, slow readers, readers and writers that go away. Each case runs a child
// with its own terminal or pipes on stdin and stdout.
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "term.h"
#include "ktap.h"

/* ---- In the child ---- */

struct guest {
	struct chardev_client client;
	struct chardev *chr;
	char got[65536];
	size_t len, room;
	unsigned int breaks, tx_rooms;
	char keys[16];
	unsigned int nr_keys;
};

static struct guest guest;

static size_t guest_rx_room(struct chardev_client *client)
{
	return guest.room;
}

static void guest_receive(struct chardev_client *client, const uint8_t *buf, size_t len)
{
	if (len > guest.room)
		_exit(90);
	memcpy(guest.got + guest.len, buf, len);
	guest.len += len;
	guest.room -= len;
}

static void guest_break(struct chardev_client *client)
{
	guest.breaks++;
}

static void guest_tx_room(struct chardev_client *client)
{
	guest.tx_rooms++;
}

static void guest_key(void *opaque, enum term_key key)
{
	guest.keys[guest.nr_keys++] = key == TERM_KEY_QUIT ? 'q' : 'p';
}

static void guest_start(size_t room)
{
	guest.client = (struct chardev_client){
		.rx_room = guest_rx_room,
		.receive = guest_receive,
		.rx_break = guest_break,
		.tx_room = guest_tx_room,
	};
	guest.room = room;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	if (term_create(&guest.chr, guest_key, NULL, NULL))
		_exit(91);
	chardev_attach(guest.chr, &guest.client);
	term_guard();
	term_start(guest.chr);
}

static gboolean guest_timeout(void *opaque)
{
	*(bool *)opaque = true;
	return G_SOURCE_REMOVE;
}

/* Runs the main loop until *@value reaches @want, for 10 s at most. */
static void guest_until(const size_t *value, size_t want)
{
	bool late = false;
	guint timer = g_timeout_add(10000, guest_timeout, &late);

	while (*value < want && !late)
		g_main_context_iteration(NULL, TRUE);
	if (late)
		_exit(92);
	g_source_remove(timer);
}

/* Runs the main loop for @ms. Returns how many turns it took. */
static unsigned int guest_for(unsigned int ms)
{
	unsigned int turns = 0;
	bool over = false;

	g_timeout_add(ms, guest_timeout, &over);
	for (; !over; turns++)
		g_main_context_iteration(NULL, TRUE);
	return turns;
}

static void guest_say(const char *text)
{
	chardev_write(guest.chr, text, strlen(text));
}

/* ---- In the parent ---- */

struct child {
	pid_t pid;
	int in, out;	/* to its stdin, from its stdout; one and the same for a terminal */
	int slave;	/* keeps a terminal alive */
};

static struct child child_pty(void (*run)(void))
{
	struct child child;
	int master, slave;

	if (openpty(&master, &slave, NULL, NULL, NULL))
		abort();
	child = (struct child){ .in = master, .out = master, .slave = slave };
	child.pid = fork();
	if (!child.pid) {
		setsid();
		ioctl(slave, TIOCSCTTY, 0);
		dup2(slave, 0);
		dup2(slave, 1);
		close(master);
		close(slave);
		run();
		_exit(0);
	}
	return child;
}

/* @packets: a read of its output gets what one write wrote. */
static struct child child_piped(void (*run)(void), bool packets)
{
	struct child child = { .slave = -1 };
	int in[2], out[2];

	if (pipe(in) || (packets ? socketpair(AF_UNIX, SOCK_SEQPACKET, 0, out) : pipe(out)))
		abort();
	child.in = in[1];
	child.out = out[0];
	child.pid = fork();
	if (!child.pid) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[0]);
		close(in[1]);
		close(out[0]);
		close(out[1]);
		run();
		_exit(0);
	}
	close(in[0]);
	close(out[1]);
	return child;
}

static struct child child_pipes(void (*run)(void))
{
	return child_piped(run, false);
}

static int child_end(struct child *child)
{
	int status;

	waitpid(child->pid, &status, 0);
	close(child->in);
	if (child->out != child->in)
		close(child->out);
	if (child->slave >= 0)
		close(child->slave);
	return status;
}

static void child_send(struct child *child, const void *buf, size_t len)
{
	KTAP_EQ(write(child->in, buf, len), len);
}

/* Reads until @want has come, for 10 s at most. */
static bool child_expect(struct child *child, const char *want)
{
	char buf[4096];
	size_t len = 0;

	while (len < sizeof(buf) - 1) {
		struct pollfd pfd = { .fd = child->out, .events = POLLIN };
		ssize_t n;

		if (poll(&pfd, 1, 10000) <= 0)
			return false;
		n = read(child->out, buf + len, sizeof(buf) - 1 - len);
		if (n <= 0)
			return false;
		len += n;
		buf[len] = '\0';
		if (strstr(buf, want))
			return true;
	}
	return false;
}

static bool is_raw(struct child *child)
{
	struct termios t;

	tcgetattr(child->slave, &t);
	return !(t.c_lflag & (ICANON | ISIG | ECHO)) && !(t.c_oflag & OPOST);
}

/* ---- Cases ---- */

static void keys_child(void)
{
	guest_start(1000);
	guest_say("ready");
	guest_until(&guest.len, 5);
	if (memcmp(guest.got, "a\003\032\001z", 5) || guest.breaks != 1)
		_exit(1);
	if (strcmp(guest.keys, "p"))
		_exit(2);
	guest_say("more");
	while (!guest.keys[1])
		g_main_context_iteration(NULL, TRUE);
	if (guest.keys[1] != 'q' || guest.len != 5)
		_exit(3);
	term_destroy(guest.chr);
}

static void test_keys(void)
{
	struct child child = child_pty(keys_child);

	KTAP_TRUE(child_expect(&child, "ready"));
	KTAP_TRUE(is_raw(&child));
	child_send(&child, "a\003\032\001\001\001b\001pz", 10);
	KTAP_TRUE(child_expect(&child, "more"));
	child_send(&child, "\001h", 2);
	KTAP_TRUE(child_expect(&child, "Ctrl-A x"));
	child_send(&child, "\001x", 2);
	KTAP_EQ(child_end(&child), 0);
}

/* The commands must work even if the guest does not read. */
static void deaf_child(void)
{
	guest_start(0);
	guest_say("ready");
	while (!guest.nr_keys)
		g_main_context_iteration(NULL, TRUE);
	term_destroy(guest.chr);
}

static void test_deaf_guest(void)
{
	struct child child = child_pty(deaf_child);
	char junk[3000];

	memset(junk, 'j', sizeof(junk));
	KTAP_TRUE(child_expect(&child, "ready"));
	for (int i = 0; i < 5; i++) {
		child_send(&child, junk, sizeof(junk));
		usleep(50000);
	}
	child_send(&child, "\001x", 2);
	KTAP_EQ(child_end(&child), 0);
}

static void abort_child(void)
{
	signal(SIGALRM, SIG_DFL);
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	guest_start(10);
	guest_say("ready");
	guest_until(&guest.len, 1);
	if (guest.got[0] == 'a')
		abort();
	exit(7);
}

static void test_restored(void)
{
	static const struct {
		char how;
		bool by_signal;
	} ways[] = { { 'a', true }, { 'e', false } };

	for (unsigned int i = 0; i < 2; i++) {
		struct child child = child_pty(abort_child);
		int slave = dup(child.slave), status;

		KTAP_TRUE(child_expect(&child, "ready"));
		KTAP_TRUE(is_raw(&child));
		child_send(&child, &ways[i].how, 1);
		waitpid(child.pid, &status, 0);
		KTAP_EQ(!!WIFSIGNALED(status), ways[i].by_signal);
		KTAP_TRUE(!is_raw(&child));
		close(slave);
		close(child.in);
		close(child.slave);
	}
}

/* The terminal hangs up: the child goes on, idle, and its output is lost. */
static bool is_hung_up(void)
{
	struct pollfd pfd = { .fd = 0 };

	return poll(&pfd, 1, 0) == 1 && pfd.revents & POLLHUP;
}

static void hangup_child(void)
{
	unsigned int turns = 0;

	guest_start(1000);
	guest_say("ready");
	/* The parent may take a while to hang up. */
	for (int i = 0; i < 200 && !is_hung_up(); i++)
		guest_for(50);
	guest_for(500);
	for (int i = 0; i < 10; i++) {
		for (int k = 0; k < 5000; k++)
			if (chardev_write(guest.chr, "nobody", 6) != 6)
				_exit(1);
		turns += guest_for(50);
	}
	/* Half a second with almost nothing to do: a loop that spins takes thousands of turns. */
	if (turns > 500)
		_exit(2);
	term_destroy(guest.chr);
}

static void test_hangup(void)
{
	struct child child = child_pty(hangup_child);
	int status;

	KTAP_TRUE(child_expect(&child, "ready"));
	close(child.slave);
	close(child.in);
	waitpid(child.pid, &status, 0);
	KTAP_EQ(status, 0);
}

/* All bytes on a pipe go through, Ctrl-A included, as fast as the guest takes them. */
static void pipe_child(void)
{
	guest_start(0);
	while (guest.len < 20000) {
		size_t before = guest.len;

		guest.room = 7;
		chardev_rx_ready(guest.chr);
		guest_until(&guest.len, before + 1);
	}
	for (size_t i = 0; i < 20000; i++)
		if ((uint8_t)guest.got[i] != (uint8_t)(i * 3))
			_exit(1);
	if (guest.nr_keys)
		_exit(2);
	/* The end of input ends nothing else. */
	guest_for(100);
	guest_say("alive");
	term_destroy(guest.chr);
}

static void test_pipe(void)
{
	struct child child = child_pipes(pipe_child);
	uint8_t data[20000];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = i * 3;
	child_send(&child, data, sizeof(data));
	close(child.in);
	child.in = child.out;
	KTAP_TRUE(child_expect(&child, "alive"));
	KTAP_EQ(child_end(&child), 0);
}

/* Nobody reads for a while: writes fall short instead of blocking, and nothing is lost. */
static void slow_child(void)
{
	static uint8_t data[300000];
	size_t sent = 0, rooms = 0;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = i * 5;
	guest_start(10);
	while (sent < sizeof(data)) {
		size_t n = chardev_write(guest.chr, data + sent, sizeof(data) - sent);

		sent += n;
		if (sent < sizeof(data)) {
			rooms = guest.tx_rooms + 1;
			while (guest.tx_rooms < rooms)
				g_main_context_iteration(NULL, TRUE);
		}
	}
	term_destroy(guest.chr);
	_exit(rooms ? 0 : 1);
}

static void test_slow_reader(void)
{
	struct child child = child_pipes(slow_child);
	static uint8_t data[300001];
	size_t len = 0;
	ssize_t n;

	usleep(300000);
	while ((n = read(child.out, data + len,
			 sizeof(data) - len < 5000 ? sizeof(data) - len : 5000)) > 0) {
		len += n;
		usleep(1000);
	}
	KTAP_EQ(len, 300000);
	for (size_t i = 0; i < len; i++) {
		if (data[i] != (uint8_t)(i * 5)) {
			KTAP_FAIL("byte %zu is wrong", i);
			break;
		}
	}
	KTAP_EQ(child_end(&child), 0);
}

/*
 * A reader that reads nothing: when the queue is full, late bytes still find room, and come behind
 * it. The queue has room for others only when they are gone.
 */
static void late_child(void)
{
	static uint8_t data[100000];
	size_t n;

	memset(data, 'q', sizeof(data));
	guest_start(10);
	while (chardev_write(guest.chr, data, sizeof(data)))
		;
	for (int i = 0; i < CHARDEV_LATE / 16; i++)
		if (chardev_write_late(guest.chr, "late late late .", 16))
			_exit(1);
	/* More is lost; and it is not the others' room. */
	if (chardev_write_late(guest.chr, "lost", 4) || chardev_write(guest.chr, "x", 1))
		_exit(2);
	n = guest.tx_rooms;
	while (guest.tx_rooms == n)
		g_main_context_iteration(NULL, TRUE);
	if (!chardev_write_late(guest.chr, "end", 3))
		_exit(4);
	term_destroy(guest.chr);
	_exit(0);
}

static void test_late(void)
{
	struct child child = child_pipes(late_child);
	static char data[400000];
	size_t len = 0, at;
	ssize_t n;

	usleep(300000);
	while ((n = read(child.out, data + len, sizeof(data) - 1 - len)) > 0)
		len += n;
	at = strspn(data, "q");
	for (int i = 0; i < CHARDEV_LATE / 16; i++, at += 16)
		KTAP_MEMEQ(data + at, "late late late .", 16);
	KTAP_STREQ(data + at, "end");
	KTAP_EQ(child_end(&child), 0);
}

/*
 * A file on a slow disk: only the main thread waits for it. vCPUs write meanwhile, early and late,
 * and find room again when it has gone on.
 */
static struct {
	bool on;	/* each write to stdout takes until done, or fails the test */
	pthread_t main;
	bool in, done;	/* atomic */
} slow;

ssize_t __real_write(int fd, const void *buf, size_t len);
ssize_t __wrap_write(int fd, const void *buf, size_t len);

ssize_t __wrap_write(int fd, const void *buf, size_t len)
{
	if (fd == 1 && slow.on) {
		if (!pthread_equal(pthread_self(), slow.main))
			_exit(81);
		__atomic_store_n(&slow.in, true, __ATOMIC_RELEASE);
		for (int i = 0; !__atomic_load_n(&slow.done, __ATOMIC_ACQUIRE); i++) {
			if (i == 5000)
				_exit(82);
			usleep(1000);
		}
	}
	return __real_write(fd, buf, len);
}

static void *slow_vcpu(void *unused)
{
	static uint8_t data[100000];
	size_t n;

	guest_say("first");
	while (!__atomic_load_n(&slow.in, __ATOMIC_ACQUIRE))
		usleep(1000);
	if (!chardev_write_late(guest.chr, "late", 4))
		_exit(83);
	memset(data, 'q', sizeof(data));
	n = chardev_write(guest.chr, data, sizeof(data));
	if (!n || n == sizeof(data) || chardev_write(guest.chr, "x", 1))
		_exit(84);
	__atomic_store_n(&slow.done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void slow_file_child(void)
{
	char path[] = "/tmp/test_term.XXXXXX", text[32] = "";
	int fd = mkstemp(path);
	struct stat st;
	pthread_t vcpu;

	if (fd < 0 || unlink(path) || dup2(fd, 1) != 1)
		_exit(70);
	slow.main = pthread_self();
	slow.on = true;
	guest_start(0);
	pthread_create(&vcpu, NULL, slow_vcpu, NULL);
	while (!guest.tx_rooms)
		g_main_context_iteration(NULL, TRUE);
	pthread_join(vcpu, NULL);
	/* What is stopped is all in the file; nothing waits for the main thread's next turn. */
	usleep(50000);
	guest_say("end");
	term_stop(guest.chr);
	if (fstat(1, &st) || pread(1, text, 10, 0) != 10 || strcmp(text, "firstlateq"))
		_exit(71);
	if (pread(1, text, 4, st.st_size - 4) != 4 || memcmp(text, "qend", 4))
		_exit(72);
	term_destroy(guest.chr);
	_exit(0);
}

static void test_slow_file(void)
{
	struct child child = child_pipes(slow_file_child);

	KTAP_EQ(child_end(&child), 0);
}

/*
 * Byte after byte, as a serial port sends: the first one comes at once, the others many together.
 * The end of a burst comes by itself; so does what the terminal is stopped with.
 */
static void burst_child(void)
{
	char line[5000];

	guest_start(0);
	for (size_t i = 0; i < sizeof(line); i++)
		line[i] = 'a' + i % 26;
	/* The main loop does not run. */
	for (size_t i = 0; i < sizeof(line); i++)
		if (chardev_write(guest.chr, line + i, 1) != 1)
			_exit(1);
	/* The parent has seen what need not wait. */
	while (read(0, line, 1) != 1)
		;
	guest_for(500);
	while (read(0, line, 1) != 1)
		;
	guest_say("not so late");
	guest_say("stop");
	term_stop(guest.chr);
	while (read(0, line, 1) != 1)
		;
	guest_say("the ");
	guest_say("end");
	term_destroy(guest.chr);
}

/* Reads until nothing has come for @ms. Returns how many reads it took, each of one write. */
static unsigned int child_burst(struct child *child, char *buf, size_t size, int ms)
{
	struct pollfd pfd = { .fd = child->out, .events = POLLIN };
	unsigned int reads = 0;
	size_t len = 0;
	ssize_t n;

	while (poll(&pfd, 1, ms) > 0) {
		n = read(child->out, buf + len, size - 1 - len);
		if (n <= 0)
			break;
		len += n;
		reads++;
	}
	buf[len] = '\0';
	return reads;
}

static void test_burst(void)
{
	static char buf[8192];
	struct child child = child_piped(burst_child, true);
	unsigned int reads = child_burst(&child, buf, sizeof(buf), 2000);
	size_t len = strlen(buf);

	printf("# %zu bytes at once, in %u writes\n", len, reads);
	KTAP_TRUE(len >= 3900 && reads <= 40);
	child_send(&child, "1", 1);
	reads = child_burst(&child, buf + len, sizeof(buf) - len, 2000);
	printf("# %zu bytes later, in %u writes\n", strlen(buf) - len, reads);
	len = strlen(buf);
	KTAP_EQ(len, 5000);
	for (size_t i = 0; i < len; i++) {
		if (buf[i] != (char)('a' + i % 26)) {
			KTAP_FAIL("byte %zu is wrong", i);
			break;
		}
	}
	child_send(&child, "2", 1);
	child_burst(&child, buf, sizeof(buf), 2000);
	KTAP_TRUE(!strcmp(buf, "not so latestop"));
	child_send(&child, "3", 1);
	KTAP_TRUE(child_expect(&child, "the end"));
	KTAP_EQ(child_end(&child), 0);
}

/* Nobody will ever read: output is dropped, and the guest goes on. */
static void gone_child(void)
{
	guest_start(10);
	guest_until(&guest.len, 1);
	for (int i = 0; i < 100000; i++)
		if (chardev_write(guest.chr, "x", 1) != 1)
			_exit(1);
	term_destroy(guest.chr);
}

static void test_reader_gone(void)
{
	struct child child = child_pipes(gone_child);

	close(child.out);
	child.out = child.in;
	child_send(&child, "g", 1);
	KTAP_EQ(child_end(&child), 0);
}

/* Input that was typed for the guest and not read does not go to the shell. */
static void typed_ahead_child(void)
{
	int typed = 0;

	guest_start(0);	/* the guest takes nothing */
	guest_say("ready");
	term_flush(guest.chr, 1000);
	/* It is typed while nobody reads. */
	for (int i = 0; i < 1000 && (ioctl(0, FIONREAD, &typed) || typed < 9); i++)
		usleep(10000);
	term_destroy(guest.chr);
	_exit(typed < 9);
}

static void test_typed_ahead(void)
{
	struct child child = child_pty(typed_ahead_child);
	int left = -1, status;

	KTAP_TRUE(child_expect(&child, "ready"));
	child_send(&child, "rm -rf x\n", 9);
	KTAP_EQ(waitpid(child.pid, &status, 0), child.pid);
	KTAP_EQ(status, 0);
	KTAP_EQ(ioctl(child.slave, FIONREAD, &left), 0);
	KTAP_EQ(left, 0);
	close(child.in);
	close(child.slave);
}

/* When the terminal is taken again after SIGCONT, it still has what was typed since. */
static void retaken_child(void)
{
	guest_start(10);
	guest_say("ready");
	term_flush(guest.chr, 1000);
	usleep(500000);
	term_retake(guest.chr);
	guest_until(&guest.len, 4);
	_exit(memcmp(guest.got, "typed", 4) != 0);
}

static void test_retaken(void)
{
	struct child child = child_pty(retaken_child);

	KTAP_TRUE(child_expect(&child, "ready"));
	child_send(&child, "typed", 5);
	KTAP_EQ(child_end(&child), 0);
}

/* A background job leaves its terminal alone, and takes it when it comes to the foreground. */
static void background_child(void)
{
	pid_t pid;
	int status;
	char c;

	/* This process is the shell; the guest is its job. */
	signal(SIGTTOU, SIG_IGN);
	pid = fork();
	if (!pid) {
		signal(SIGTTOU, SIG_DFL);
		setpgid(0, 0);
		guest_start(10);
		guest_say("ready");
		guest_until(&guest.len, 1);
		term_destroy(guest.chr);
		_exit(guest.got[0] == 'f' ? 0 : 1);
	}
	setpgid(pid, pid);
	/* Brings it to the foreground when told to. */
	if (read(0, &c, 1) != 1)
		_exit(1);
	tcsetpgrp(0, pid);
	waitpid(pid, &status, 0);
	_exit(status ? 1 : 0);
}

static size_t resizes;

static void size_changed(struct chardev_client *client)
{
	if (client != &guest.client)
		_exit(10);
	resizes++;
}

/* The size of a window, also of one that has none, and of one that changes. */
static void window_child(void)
{
	struct winsize size = { .ws_col = 132 };
	uint16_t cols = 0, rows = 0;

	guest_start(0);
	/* Nobody wants to know. */
	term_resized(guest.chr);
	guest.client.resized = size_changed;
	if (chardev_size(guest.chr, &cols, &rows))
		_exit(1);
	if (ioctl(0, TIOCSWINSZ, &size) || chardev_size(guest.chr, &cols, &rows))
		_exit(2);
	size.ws_row = 43;
	if (ioctl(0, TIOCSWINSZ, &size) || !chardev_size(guest.chr, &cols, &rows))
		_exit(3);
	term_resized(guest.chr);
	term_destroy(guest.chr);
	_exit(cols == 132 && rows == 43 && resizes == 1 ? 0 : 4);
}

static void no_window_child(void)
{
	uint16_t cols, rows;

	guest_start(0);
	_exit(chardev_size(guest.chr, &cols, &rows) ? 1 : 0);
}

static void test_window(void)
{
	struct child child = child_pty(window_child);

	KTAP_EQ(child_end(&child), 0);
	child = child_pipes(no_window_child);
	KTAP_EQ(child_end(&child), 0);
}

/* The newest output is kept for a client, besides going to the terminal. */
static void kept_child(void)
{
	uint8_t buf[16] = "";

	guest_start(0);
	/* Nothing is kept unless asked for. */
	guest_say("lost");
	chardev_put_kept(guest.chr, (const uint8_t *)"lost", 4);
	if (chardev_take_kept(guest.chr, buf, sizeof(buf)))
		_exit(1);
	if (chardev_keep(guest.chr, 8))
		_exit(2);
	guest_say("abcdef");
	guest_say("ghij");
	if (chardev_peek_kept(guest.chr, buf, sizeof(buf)) != 8 || memcmp(buf, "cdefghij", 8))
		_exit(3);
	if (chardev_peek_kept(guest.chr, buf, 2) != 2 || memcmp(buf, "cd", 2))
		_exit(4);
	if (chardev_take_kept(guest.chr, buf, 3) != 3 || memcmp(buf, "cde", 3))
		_exit(5);
	/* The terminal does not get this. */
	chardev_put_kept(guest.chr, (const uint8_t *)"XY", 2);
	if (chardev_take_kept(guest.chr, buf, sizeof(buf)) != 7 || memcmp(buf, "fghijXY", 7))
		_exit(6);
	if (chardev_take_kept(guest.chr, buf, sizeof(buf)))
		_exit(7);
	guest_say("!");
	term_flush(guest.chr, 1000);
	term_destroy(guest.chr);
	_exit(0);
}

static void test_kept(void)
{
	struct child child = child_pipes(kept_child);

	KTAP_TRUE(child_expect(&child, "lostabcdefghij!"));
	KTAP_EQ(child_end(&child), 0);
}

static void test_background(void)
{
	struct child child = child_pty(background_child);

	KTAP_TRUE(child_expect(&child, "ready"));
	KTAP_TRUE(!is_raw(&child));
	child_send(&child, "\n", 1);
	for (int i = 0; i < 200 && !is_raw(&child); i++)
		usleep(100000);
	KTAP_TRUE(is_raw(&child));
	child_send(&child, "f", 1);
	KTAP_EQ(child_end(&child), 0);
}

KTAP_MAIN(KTAP_CASE(test_typed_ahead), KTAP_CASE(test_retaken), KTAP_CASE(test_keys),
	  KTAP_CASE(test_deaf_guest), KTAP_CASE(test_restored), KTAP_CASE(test_hangup),
	  KTAP_CASE(test_pipe), KTAP_CASE(test_slow_reader), KTAP_CASE(test_late),
	  KTAP_CASE(test_slow_file), KTAP_CASE(test_burst), KTAP_CASE(test_reader_gone),
	  KTAP_CASE(test_window), KTAP_CASE(test_kept), KTAP_CASE(test_background))
