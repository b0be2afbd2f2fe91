// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/chardev/backend.c userspace/armvmm-run/chardev/channel.c
// sources: userspace/armvmm-run/chardev/unix.c userspace/armvmm-run/chardev/pty.c
// sources: userspace/armvmm-run/chardev/file.c userspace/armvmm-run/chardev/null.c
// sources: userspace/armvmm-run/chardev/stdio.c
// sources: userspace/armvmm-run/core/chardev.c userspace/armvmm-run/core/chardev_backend.c
// sources: userspace/armvmm-run/core/output.c userspace/armvmm-run/core/named_socket.c
// sources: userspace/armvmm-run/core/error.c userspace/armvmm-run/core/parse.c
// cflags: -Iuserspace/armvmm-run -Iuserspace/libarmvmm/include -Itests/unit/armvmm-run -D_GNU_SOURCE
// pkgs: glib-2.0
// libs: -lpthread -Wl,--wrap=write
//
// What serial devices are joined to, from both ends: readers who come, go, and read nothing.
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>

#include "chardev/backend.h"
#include "core/chardev_private.h"
#include "core/machine.h"
#include "core/message.h"
#include "ktap.h"
#include "scratch.h"

#define QUEUE	65536	/* of what waits for somebody */

/* ---- The machine, and the device at this end ---- */

static struct machine m;
static struct backend backend;
static struct chardev *chr;
static struct error err;
static char said[512], warned[512];
static unsigned int warnings;

static struct {
	struct chardev_client client;
	char got[512 * 1024];
	size_t len, room;
	unsigned int tx_rooms, attached, resized;
} guest;

void message(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
}

void machine_warn(struct machine *machine, const char *fmt, ...)
{
	va_list ap;

	warnings++;
	va_start(ap, fmt);
	vsnprintf(warned, sizeof(warned), fmt, ap);
	va_end(ap);
}

/* A disk that is full, for the file @full_fd. */
static int full_fd = -1;

ssize_t __real_write(int fd, const void *buf, size_t len);
ssize_t __wrap_write(int fd, const void *buf, size_t len);

ssize_t __wrap_write(int fd, const void *buf, size_t len)
{
	struct stat a, b;

	if (full_fd >= 0 && !fstat(fd, &a) && !fstat(full_fd, &b) && a.st_ino == b.st_ino &&
	    a.st_dev == b.st_dev) {
		errno = ENOSPC;
		return -1;
	}
	return __real_write(fd, buf, len);
}

static size_t guest_room(struct chardev_client *client)
{
	return guest.room;
}

static void guest_receive(struct chardev_client *client, const uint8_t *buf, size_t len)
{
	KTAP_ASSERT(len <= guest.room && guest.len + len <= sizeof(guest.got));
	memcpy(guest.got + guest.len, buf, len);
	guest.len += len;
	guest.room -= len;
}

static void guest_tx_room(struct chardev_client *client)
{
	guest.tx_rooms++;
}

static void guest_attached(struct chardev_client *client)
{
	guest.attached++;
}

static void guest_resized(struct chardev_client *client)
{
	guest.resized++;
}

static void guest_takes(size_t room)
{
	guest.room = room;
	chardev_rx_ready(chr);
}

/* Makes the back end @text of a scratch file's name, for which %s stands. */
static int make(const char *text, const char *name, bool stream)
{
	char *whole = g_strdup_printf(text, path(name));
	int ret;

	memset(&m, 0, sizeof(m));
	memset(&guest, 0, sizeof(guest));
	guest.room = sizeof(guest.got);
	guest.client = (struct chardev_client){
		.rx_room = guest_room, .receive = guest_receive, .tx_room = guest_tx_room,
		.attached = guest_attached, .resized = guest_resized,
	};
	warnings = 0;
	ret = backend_parse(&backend, "--serial", whole, NULL, NULL, &err);
	if (!ret)
		ret = backend_open(&m, &backend, "serial", stream, &chr, &err);
	g_free(whole);
	if (!ret)
		chardev_attach(chr, &guest.client);
	return ret;
}

static void done(void)
{
	chardev_list_destroy(&m.chardevs);
	backend_release(&backend);
}

/* Runs the main loop until nothing is left to do, or for @ms. */
static void run(unsigned int ms)
{
	gint64 end = g_get_monotonic_time() + ms * 1000;

	do {
		while (g_main_context_iteration(NULL, FALSE))
			;
		if (ms)
			g_usleep(500);
	} while (g_get_monotonic_time() < end);
}

#define UNTIL(cond)								\
	({									\
		gint64 __end = g_get_monotonic_time() + 10000000;		\
		while (!(cond) && g_get_monotonic_time() < __end)		\
			run(1);							\
		(cond);								\
	})

/* ---- The other end ---- */

static int come(const char *name)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path(name));
	KTAP_EQ(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	run(0);
	return fd;
}

/* Reads until @want bytes are there, or nothing more comes. Returns how many. */
static size_t take(int fd, char *buf, size_t want)
{
	gint64 end = g_get_monotonic_time() + 10000000;
	size_t len = 0;

	while (len < want && g_get_monotonic_time() < end) {
		ssize_t n = read(fd, buf + len, want - len);

		if (n > 0)
			len += n;
		else if (!n)
			break;
		else
			run(1);
	}
	return len;
}

static bool takes(int fd, const char *text)
{
	char buf[512];
	size_t len = take(fd, buf, strlen(text));

	if (len == strlen(text) && !memcmp(buf, text, len))
		return true;
	KTAP_FAIL("got %.*s instead of %s", (int)len, buf, text);
	return false;
}

/* Writes bytes of a count from *@next on, until the queue refuses or @len are written. */
static size_t put(unsigned int *next, size_t len)
{
	size_t all = 0;

	while (all < len) {
		uint8_t buf[500];
		size_t n = len - all < sizeof(buf) ? len - all : sizeof(buf), taken;

		for (size_t i = 0; i < n; i++)
			buf[i] = (*next + i) % 251;
		taken = chardev_write(chr, buf, n);
		*next += taken;
		all += taken;
		if (taken < n)
			break;
	}
	return all;
}

static bool is_count(const char *buf, size_t len, unsigned int from)
{
	for (size_t i = 0; i < len; i++)
		if ((uint8_t)buf[i] != (from + i) % 251)
			return false;
	return true;
}

static char big[1024 * 1024];

/* ---- Unix sockets ---- */

/* What was written before somebody came is theirs, once; and so for the next. */
static void test_unix(void)
{
	struct stat st;
	int fd;

	KTAP_ASSERT(!make("unix:%s", "s", false));
	KTAP_EQ(stat(path("s"), &st), 0);
	KTAP_EQ(st.st_mode & 0777, 0600);
	KTAP_TRUE(!chardev_is_attached(chr) && chardev_may_resize(chr));
	KTAP_EQ(chardev_write(chr, "before ", 7), 7);
	fd = come("s");
	KTAP_TRUE(takes(fd, "before "));
	KTAP_TRUE(chardev_is_attached(chr));
	KTAP_EQ(guest.attached, 1);
	KTAP_EQ(chardev_write(chr, "while ", 6), 6);
	KTAP_TRUE(takes(fd, "while "));
	KTAP_EQ(write(fd, "typed", 5), 5);
	KTAP_TRUE(UNTIL(guest.len == 5));
	KTAP_MEMEQ(guest.got, "typed", 5);
	close(fd);
	KTAP_TRUE(UNTIL(!chardev_is_attached(chr)));
	KTAP_EQ(chardev_write(chr, "after", 5), 5);
	run(5);
	fd = come("s");
	KTAP_TRUE(takes(fd, "after"));
	close(fd);
	done();
	KTAP_EQ(stat(path("s"), &st), -1);
}

/* One is served; the next is told so, and can come later. */
static void test_second(void)
{
	int first, second;
	char buf[256];
	size_t len;

	KTAP_ASSERT(!make("unix:%s", "s", false));
	first = come("s");
	KTAP_TRUE(UNTIL(chardev_is_attached(chr)));
	second = come("s");
	len = take(second, buf, sizeof(buf));
	KTAP_TRUE(len > 10 && memmem(buf, len, "somebody else has this console", 30));
	close(second);
	chardev_write(chr, "first", 5);
	KTAP_TRUE(takes(first, "first"));
	close(first);
	KTAP_TRUE(UNTIL(!chardev_is_attached(chr)));
	second = come("s");
	KTAP_TRUE(UNTIL(chardev_is_attached(chr)));
	chardev_write(chr, "second", 6);
	KTAP_TRUE(takes(second, "second"));
	/* Who comes just when another has left is no second one. */
	close(second);
	first = come("s");
	chardev_write(chr, "third", 5);
	KTAP_TRUE(takes(first, "third"));
	close(first);
	done();
}

/* The last of what nobody read is kept, and who comes is told how much is not. */
static void test_lost(void)
{
	static const char notice[] = "\r\n[armvmm-run: 34976 bytes were lost]\r\n";
	unsigned int next = 0;
	int fd;

	KTAP_ASSERT(!make("unix:%s", "s", false));
	KTAP_EQ(put(&next, 100000), 100000);
	/* The queue has its room for late output, too: 512 bytes. */
	KTAP_EQ(put(&next, 1024), 1024);
	KTAP_EQ(guest.tx_rooms, 0);
	fd = come("s");
	KTAP_TRUE(takes(fd, notice));
	KTAP_EQ(take(fd, big, QUEUE + 512), QUEUE + 512);
	KTAP_TRUE(is_count(big, QUEUE + 512, 34976));
	chardev_write(chr, "more", 4);
	KTAP_TRUE(takes(fd, "more"));
	close(fd);
	done();
}

/* One who reads nothing holds up the guest for a moment; one who reads slowly loses nothing. */
static void test_idle_reader(void)
{
	unsigned int next = 0, lost;
	size_t len;
	char *at;
	int fd;

	KTAP_ASSERT(!make("unix:%s", "s", false));
	fd = come("s");
	while (put(&next, 4096) == 4096)
		KTAP_ASSERT(next < sizeof(big));
	KTAP_TRUE(UNTIL(guest.tx_rooms));
	/* Now nothing is refused any more, however much it is, and in whatever pieces. */
	for (unsigned int i = 0; i < 1300; i++) {
		KTAP_ASSERT(put(&next, 1024) == 1024);
		run(0);
	}
	run(150);
	KTAP_EQ(put(&next, 200000), 200000);
	KTAP_EQ(guest.tx_rooms, 1);
	len = take(fd, big, 16);
	KTAP_EQ(len, 16);
	KTAP_TRUE(is_count(big, 16, 0));
	/* First comes what the kernel has, and then how much is missing. */
	while (len < sizeof(big)) {
		ssize_t n = read(fd, big + len, sizeof(big) - len);

		if (n > 0)
			len += n;
		run(2);
		if (n <= 0 && memmem(big, len, "were lost", 9) && big[len - 1] == (char)((next - 1) % 251))
			break;
	}
	at = memmem(big, len, "\r\n[armvmm-run: ", 15);
	KTAP_ASSERT(at && sscanf(at + 15, "%u", &lost) == 1);
	KTAP_TRUE(is_count(big, at - big, 0));
	at = memmem(at, len - (at - big), "]\r\n", 3) + 3;
	KTAP_EQ(len - (at - big), QUEUE + 512);
	KTAP_TRUE(is_count(at, QUEUE + 512, next - QUEUE - 512));
	close(fd);
	done();
}

static void test_slow_reader(void)
{
	unsigned int next = 0, seen = 0;
	int fd;

	KTAP_ASSERT(!make("unix:%s", "s", false));
	fd = come("s");
	while (seen < 2000000) {
		char buf[8192];
		ssize_t n;

		put(&next, 65536);
		n = read(fd, buf, sizeof(buf));
		if (n > 0) {
			KTAP_ASSERT(is_count(buf, n, seen));
			seen += n;
		}
		run(0);
	}
	close(fd);
	done();
}

/* Nothing of a program's data is lost: the guest waits, also while nobody is there. */
static void test_stream(void)
{
	unsigned int next = 0, seen = 0;
	int first, second;
	size_t len;

	KTAP_ASSERT(!make("unix:%s", "s", true));
	KTAP_EQ(put(&next, 100000), QUEUE);
	run(150);
	KTAP_EQ(guest.tx_rooms, 0);
	KTAP_EQ(put(&next, 1), 0);
	first = come("s");
	len = take(first, big, QUEUE);
	KTAP_EQ(len, QUEUE);
	KTAP_TRUE(is_count(big, len, 0));
	KTAP_TRUE(UNTIL(guest.tx_rooms));
	seen = QUEUE;
	/* One who stops to read does not change that. */
	while (put(&next, 4096) == 4096)
		KTAP_ASSERT(next < sizeof(big));
	run(250);
	KTAP_TRUE(put(&next, 4096) < 4096);
	/* Another waits until the first has gone. */
	second = come("s");
	run(5);
	KTAP_EQ(read(second, big, 1), -1);
	while (seen < next) {
		len = take(first, big, 1000 < next - seen ? 1000 : next - seen);
		KTAP_ASSERT(len && is_count(big, len, seen));
		seen += len;
	}
	close(first);
	KTAP_TRUE(UNTIL(guest.attached == 3));
	chardev_write(chr, "yours", 5);
	KTAP_TRUE(takes(second, "yours"));
	close(second);
	done();
}

/* What was sent before its sender went is for the guest, however slowly it takes it. */
static void test_sent_and_gone(void)
{
	size_t sent = 0, max = 100000;
	ssize_t n;
	int fd;

	KTAP_ASSERT(!make("unix:%s", "s", true));
	guest.room = 0;
	fd = come("s");
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = i % 251;
	while (sent < max && (n = write(fd, big + sent, max - sent)) > 0)
		sent += n;
	KTAP_TRUE(sent > 5000);
	run(5);
	close(fd);
	KTAP_TRUE(UNTIL(!chardev_is_attached(chr)));
	/* Somebody who has gone does not keep the main loop busy. */
	KTAP_TRUE(!g_main_context_pending(NULL));
	while (guest.len < sent) {
		size_t before = guest.len;

		guest_takes(777);
		KTAP_ASSERT(UNTIL(guest.len > before));
	}
	KTAP_EQ(guest.len, sent);
	KTAP_TRUE(is_count(guest.got, sent, 0));
	fd = come("s");
	KTAP_TRUE(UNTIL(chardev_is_attached(chr)));
	close(fd);
	done();
}

/* One who sends no more may still read. */
static void test_half_closed(void)
{
	int fd;

	KTAP_ASSERT(!make("unix:%s", "s", false));
	fd = come("s");
	KTAP_EQ(write(fd, "date\n", 5), 5);
	shutdown(fd, SHUT_WR);
	KTAP_TRUE(UNTIL(guest.len == 5));
	run(5);
	KTAP_TRUE(!g_main_context_pending(NULL));
	chardev_write(chr, "Tue", 3);
	KTAP_TRUE(takes(fd, "Tue"));
	/* And one who reads no more has left. */
	close(fd);
	KTAP_TRUE(UNTIL(!chardev_is_attached(chr)));
	fd = come("s");
	shutdown(fd, SHUT_RD);
	chardev_write(chr, "x", 1);
	KTAP_TRUE(UNTIL(!chardev_is_attached(chr)));
	close(fd);
	fd = come("s");
	KTAP_TRUE(takes(fd, "x"));
	close(fd);
	done();
}

/* A deaf guest: what is typed waits in the kernel, and nothing spins. */
static void test_deaf_guest(void)
{
	ssize_t n;
	int fd;

	KTAP_ASSERT(!make("unix:%s", "s", false));
	guest.room = 0;
	fd = come("s");
	while ((n = write(fd, big, 4096)) > 0)
		run(1);
	run(5);
	KTAP_TRUE(!g_main_context_pending(NULL));
	close(fd);
	run(5);
	KTAP_TRUE(!g_main_context_pending(NULL));
	/* A person who comes next does not wait for that. */
	fd = come("s");
	KTAP_TRUE(UNTIL(chardev_is_attached(chr)));
	KTAP_EQ(write(fd, "!", 1), 1);
	guest_takes(sizeof(guest.got));
	KTAP_TRUE(UNTIL(guest.len && guest.got[guest.len - 1] == '!'));
	close(fd);
	done();
}

/* When no file can be opened any more, the main loop waits, and then goes on. */
static void test_no_files(void)
{
	struct rlimit limit, low;
	int fd;

	KTAP_ASSERT(!make("unix:%s", "s", false));
	KTAP_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	close(fd);
	fd = come("s");
	close(fd);
	KTAP_TRUE(UNTIL(!chardev_is_attached(chr)));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	low = (struct rlimit){ fd + 1, limit.rlim_max };
	KTAP_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
	{
		struct sockaddr_un sun = { .sun_family = AF_UNIX };

		snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path("s"));
		KTAP_EQ(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	}
	run(20);
	KTAP_TRUE(!chardev_is_attached(chr) && !g_main_context_pending(NULL));
	KTAP_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	KTAP_TRUE(UNTIL(chardev_is_attached(chr)));
	close(fd);
	done();
}

static void test_unix_errors(void)
{
	int fd = open(path("file"), O_CREAT | O_WRONLY, 0600);
	struct backend other;
	struct chardev *second;

	close(fd);
	KTAP_TRUE(make("unix:%s", "file", false) < 0);
	KTAP_TRUE(strstr(err.text, "is there already, and is no socket"));
	backend_release(&backend);
	KTAP_TRUE(make("unix:%s/x", "missing", false) < 0);
	KTAP_TRUE(strstr(err.text, "No such file or directory"));
	backend_release(&backend);
	unlink(path("file"));
	/* Nobody finds two of the same name. */
	KTAP_ASSERT(!make("null", "", false));
	KTAP_EQ(backend_parse(&other, "--console", "null", NULL, NULL, &err), 0);
	KTAP_EQ(backend_open(&m, &other, "serial", false, &second, &err), -EEXIST);
	KTAP_STREQ(err.text, "--console: there is another console of the name serial");
	backend_release(&other);
	done();
}

/* ---- Pseudo-terminals ---- */

static void test_pty(void)
{
	struct winsize size = { .ws_col = 90, .ws_row = 30 };
	char name[64] = "", target[64] = "";
	uint16_t cols, rows;
	struct termios t;
	struct stat st;
	int fd;

	KTAP_EQ(symlink("old", path("link")), 0);
	KTAP_ASSERT(!make("pty,link=%s", "link", false));
	KTAP_EQ(sscanf(said, "--serial: is %63s", name), 1);
	KTAP_TRUE(readlink(path("link"), target, sizeof(target) - 1) > 0);
	KTAP_STREQ(target, name);
	chardev_write(chr, "before", 6);
	run(20);
	/* Nobody is there, and nothing is polled for. */
	KTAP_TRUE(!chardev_is_attached(chr) && !g_main_context_pending(NULL));
	KTAP_TRUE(!chardev_size(chr, &cols, &rows));

	fd = open(path("link"), O_RDWR | O_NOCTTY | O_NONBLOCK);
	KTAP_ASSERT(fd >= 0);
	KTAP_TRUE(takes(fd, "before"));
	KTAP_EQ(tcgetattr(fd, &t), 0);
	KTAP_EQ(t.c_lflag & (ECHO | ICANON | ISIG), 0);
	KTAP_EQ(ioctl(fd, TIOCSWINSZ, &size), 0);
	KTAP_EQ(write(fd, "\x03typed", 6), 6);
	KTAP_TRUE(UNTIL(guest.len == 6));
	KTAP_MEMEQ(guest.got, "\x03typed", 6);
	KTAP_TRUE(chardev_size(chr, &cols, &rows));
	KTAP_EQ(cols << 16 | rows, 90 << 16 | 30);
	KTAP_EQ(guest.resized, 1);
	KTAP_EQ(write(fd, "last", 4), 4);
	close(fd);
	KTAP_TRUE(UNTIL(!chardev_is_attached(chr) && guest.len == 10));
	KTAP_MEMEQ(guest.got + 6, "last", 4);
	chardev_write(chr, "between", 7);
	run(20);
	KTAP_TRUE(!g_main_context_pending(NULL));
	fd = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK);
	KTAP_TRUE(takes(fd, "between"));
	close(fd);
	KTAP_TRUE(UNTIL(!chardev_is_attached(chr)));
	done();
	KTAP_EQ(lstat(path("link"), &st), -1);
}

/* One who opens it and reads nothing. */
static void test_pty_idle(void)
{
	unsigned int next = 0;
	char name[64] = "";
	int fd;

	KTAP_ASSERT(!make("pty", "", false));
	KTAP_EQ(sscanf(said, "--serial: is %63s", name), 1);
	fd = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK);
	KTAP_TRUE(UNTIL(chardev_is_attached(chr)));
	while (put(&next, 4096) == 4096)
		KTAP_ASSERT(next < sizeof(big));
	KTAP_TRUE(UNTIL(guest.tx_rooms));
	KTAP_EQ(put(&next, 200000), 200000);
	KTAP_TRUE(take(fd, big, 1000) == 1000 && is_count(big, 1000, 0));
	close(fd);
	done();
	KTAP_TRUE(make("pty,link=%s", ".", false) < 0);
	KTAP_TRUE(strstr(err.text, "is there already, and is no link"));
	backend_release(&backend);
}

/* ---- Files ---- */

static bool file_is(const char *name, const char *text)
{
	char buf[256] = "";
	int fd = open(path(name), O_RDONLY);
	ssize_t n = read(fd, buf, sizeof(buf) - 1);

	close(fd);
	return n == (ssize_t)strlen(text) && !strcmp(buf, text);
}

static void test_file(void)
{
	write_file("f", "old ", 4, 4);
	KTAP_ASSERT(!make("file:%s,append", "f", false));
	chardev_write(chr, "new", 3);
	KTAP_TRUE(UNTIL(file_is("f", "old new")));
	done();
	KTAP_ASSERT(!make("file:%s", "f", false));
	KTAP_TRUE(file_is("f", ""));
	chardev_write(chr, "last", 4);
	/* What waits for its turn is there in the end. */
	done();
	KTAP_TRUE(file_is("f", "last"));
	KTAP_TRUE(make("file:%s", "", false) < 0);
	backend_release(&backend);
	KTAP_EQ(mkfifo(path("fifo"), 0600), 0);
	KTAP_TRUE(make("file:%s", "fifo", false) < 0);
	backend_release(&backend);
	KTAP_TRUE(make("file:/dev/null%.0s", "", false) < 0);
	KTAP_STREQ(err.text, "--serial: /dev/null is no regular file");
	backend_release(&backend);
	unlink(path("fifo"));

	/* Only the device tree is wanted: nothing is emptied. */
	memset(&m, 0, sizeof(m));
	m.described = true;
	for (unsigned int i = 0; i < 3; i++) {
		static const char *const kinds[] = { "file:/dev/full", "unix:/nowhere/s", "pty" };

		KTAP_EQ(backend_parse(&backend, "--serial", kinds[i], NULL, NULL, &err), 0);
		KTAP_EQ(backend_open(&m, &backend, "serial", false, &chr, &err), 0);
		KTAP_STREQ(chr->name, "null");
		done();
	}
}

static void test_full_disk(void)
{
	unsigned int next = 0;
	size_t all = 0;

	KTAP_ASSERT(!make("file:%s", "f", false));
	full_fd = open(path("f"), O_RDONLY);
	/* The guest goes on, and one line says what is wrong. */
	while (all < 300000) {
		all += put(&next, 300000 - all);
		run(1);
	}
	KTAP_EQ(warnings, 1);
	KTAP_TRUE(strstr(warned, "output is lost: No space left on device"));
	close(full_fd);
	full_fd = -1;
	run(10);
	chardev_write(chr, "again", 5);
	KTAP_TRUE(UNTIL(file_is("f", "again")));
	KTAP_EQ(warnings, 1);
	done();
	unlink(path("f"));
}

static void test_null(void)
{
	KTAP_ASSERT(!make("null", "", false));
	KTAP_EQ(chardev_write(chr, big, sizeof(big)), sizeof(big));
	KTAP_TRUE(chardev_write_late(chr, big, 512));
	KTAP_TRUE(chardev_is_attached(chr) && !chardev_may_resize(chr));
	run(0);
	done();
}

static void test_begin(void)
{
	KTAP_ASSERT(mkdtemp(scratch_dir));
	signal(SIGPIPE, SIG_IGN);
}

static void test_end(void)
{
	KTAP_EQ(rmdir(scratch_dir), 0);
}

/* ---- What a person types ---- */

static void refused(const char *text, const char *why)
{
	struct backend wrong;

	KTAP_EQ(backend_parse(&wrong, text, text, NULL, NULL, &err), -EINVAL);
	KTAP_TRUE(g_str_has_prefix(err.text, text));
	KTAP_STREQ(err.text + strlen(text), why);
	backend_release(&wrong);
}

static void test_words(void)
{
	static const char kinds[] =
		": must begin with stdio, null, pty, file:PATH or unix:PATH";

	KTAP_EQ(backend_parse(&backend, "", "file:/a:b,append", NULL, NULL, &err), 0);
	KTAP_STREQ(backend.type->name, "file");
	KTAP_STREQ(backend.path, "/a:b");
	KTAP_TRUE(backend.append && !backend.link);
	backend_release(&backend);
	refused("x", kinds);
	refused("", kinds);
	refused("unix", ": names no path (unix:PATH)");
	refused("file:", ": names no path (file:PATH)");
	refused("pty:x", ": pty has no path");
	refused("pty,link=", ": link names no path");
	refused("unix:a,append", ": unknown word \"append\" (--device help lists those of unix)");
	refused("stdio,name=x", ": unknown word \"name=x\" (--device help lists those of stdio)");
}

KTAP_MAIN(KTAP_CASE(test_begin), KTAP_CASE(test_unix), KTAP_CASE(test_second),
	  KTAP_CASE(test_lost), KTAP_CASE(test_idle_reader), KTAP_CASE(test_slow_reader),
	  KTAP_CASE(test_stream), KTAP_CASE(test_sent_and_gone), KTAP_CASE(test_half_closed),
	  KTAP_CASE(test_deaf_guest), KTAP_CASE(test_no_files), KTAP_CASE(test_unix_errors),
	  KTAP_CASE(test_pty), KTAP_CASE(test_pty_idle), KTAP_CASE(test_file),
	  KTAP_CASE(test_full_disk), KTAP_CASE(test_null), KTAP_CASE(test_end),
	  KTAP_CASE(test_words))
