// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/gdb/link.c userspace/armvmm-run/gdb/packet.c
// sources: userspace/armvmm-run/gdb/hex.c userspace/armvmm-run/gdb/reply.c
// sources: userspace/armvmm-run/core/listener.c userspace/armvmm-run/core/endpoint.c
// sources: userspace/armvmm-run/core/named_socket.c
// sources: userspace/armvmm-run/core/parse.c userspace/armvmm-run/core/error.c
// cflags: -Iuserspace/armvmm-run -D_GNU_SOURCE
// pkgs: glib-2.0
//
// The line to a debugger over a real socket: acknowledgements, one at a time, and those that read
// nothing, vanish, or say the same a thousand times.
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <stdlib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gdb/link.h"
#include "core/listener.h"
#include "ktap.h"

static char dir[] = "/tmp/gdblink.XXXXXX";
static struct listener listener = { -1, { -1, -1 } };
static struct endpoint address = { .is_unix = true };
static struct link *link_;
static unsigned int came, gone, packets, interrupts;
static bool acks;

static void on_came(void *opaque)
{
	came++;
}

static void on_gone(void *opaque)
{
	gone++;
}

/* "big" gets a long answer, "bye" is the last packet; other packets are echoed. */
static bool on_packet(void *opaque, const char *data, size_t len, struct reply *reply)
{
	static char big[PACKET_MAX];

	packets++;
	if (len == 3 && !memcmp(data, "big", 3))
		reply_raw(reply, big, sizeof(big));
	else
		reply_raw(reply, data, len);
	return len != 3 || memcmp(data, "bye", 3);
}

static void on_interrupt(void *opaque, struct reply *reply)
{
	interrupts++;
	reply_text(reply, "T02");
}

static bool on_acks(void *opaque)
{
	return acks;
}

static const struct link_ops ops = { on_came, on_gone, on_packet, on_interrupt, on_acks };

static void turn(void)
{
	for (unsigned int i = 0; i < 50; i++)
		g_main_context_iteration(NULL, FALSE);
}

/* Connects, but nobody looks at it yet. */
static int ring(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	strcpy(sun.sun_path, address.path);
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)))
		KTAP_FAIL("connect: %s", strerror(errno));
	return fd;
}

static int dial(void)
{
	int fd = ring();

	turn();
	return fd;
}

static void say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		KTAP_FAIL("write: %s", strerror(errno));
	turn();
}

static const char *heard(int fd)
{
	static char text[4096];
	ssize_t n = read(fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return n == 0 ? "(closed)" : text;
}

static void start(void)
{
	struct error err;

	came = gone = packets = interrupts = 0;
	acks = true;
	snprintf(address.path, sizeof(address.path), "%s/socket", dir);
	/* Of the test before: its name goes here, and not earlier. */
	listener_close(&listener);
	if (listener_open(&listener, "--gdb", &address, &err))
		KTAP_FAIL("%s", err.text);
	link_ = link_new(listener.fd, NULL, &ops, NULL);
	listener.fd = -1;
}

static void test_talk(void)
{
	struct reply reply = { .len = 0 };
	int fd, other;

	start();
	link_send(link_, &reply);
	fd = dial();
	KTAP_EQ(came, 0);
	say(fd, "+");
	KTAP_EQ(came, 1);
	say(fd, "$hello#14");
	KTAP_STREQ(heard(fd), "+$hello#14");
	say(fd, "$hello#15");
	KTAP_STREQ(heard(fd), "-");
	say(fd, "-");
	KTAP_STREQ(heard(fd), "$hello#14");
	say(fd, "\x03");
	KTAP_STREQ(heard(fd), "$T02#b6");
	reply_text(&reply, "W00");
	link_send(link_, &reply);
	KTAP_STREQ(heard(fd), "$W00#b7");
	/* Two packets at once, and one in pieces. */
	acks = false;
	say(fd, "$a#61$b#62$h");
	KTAP_STREQ(heard(fd), "$a#61$b#62");
	say(fd, "ello#1");
	say(fd, "4");
	KTAP_STREQ(heard(fd), "$hello#14");
	say(fd, "$x#00-+");
	KTAP_STREQ(heard(fd), "");
	/* A second debugger is turned away, and disturbs nothing. */
	other = dial();
	KTAP_STREQ(heard(other), "(closed)");
	close(other);
	KTAP_EQ(came, 1);
	say(fd, "$bye#40");
	KTAP_STREQ(heard(fd), "$bye#40");
	KTAP_STREQ(heard(fd), "(closed)");
	KTAP_EQ(gone, 1);
	close(fd);
	/* The next one can connect, and the unfinished packet of the last one is forgotten. */
	fd = dial();
	say(fd, "$half");
	KTAP_EQ(came, 2);
	close(fd);
	turn();
	KTAP_EQ(gone, 2);
	fd = dial();
	say(fd, "+#00$a#61");
	KTAP_STREQ(heard(fd), "$a#61");
	link_free(link_);
	KTAP_STREQ(heard(fd), "(closed)");
	KTAP_EQ(gone, 2);
	close(fd);
	link_free(NULL);
}

/*
 * What a web page makes a browser send does not stop the guest, and leaves the place to a debugger.
 */
static void test_no_debugger(void)
{
	static const char *const first[] = { "+", "-", "$a#61", "\x03" };
	static const char *const others[] = {
		"POST / HTTP/1.1\r\n\r\n$a#61", "\x16\x03\x01", "#00", " $a#61", "\n", "}",
	};
	int fd, silent;
	ssize_t n;

	start();
	for (unsigned int i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		fd = dial();
		say(fd, others[i]);
		/* Its end, or a reset because of data that nobody read. */
		n = read(fd, &(char){ 0 }, 1);
		KTAP_TRUE(!n || (n < 0 && errno == ECONNRESET));
		close(fd);
	}
	KTAP_EQ(came + gone + packets, 0);
	/* A client that says nothing does not stop it either. */
	silent = dial();
	link_send(link_, &(struct reply){ .len = 3, .data = "W00" });
	KTAP_STREQ(heard(silent), "");
	fd = dial();
	KTAP_STREQ(heard(silent), "(closed)");
	close(silent);
	KTAP_EQ(came + gone, 0);
	/* A client whose first byte has arrived is a debugger. */
	if (write(fd, "+", 1) != 1)
		KTAP_FAIL("write: %s", strerror(errno));
	silent = ring();
	turn();
	KTAP_EQ(came, 1);
	KTAP_STREQ(heard(silent), "(closed)");
	close(silent);
	close(fd);
	turn();
	KTAP_EQ(gone, 1);
	came = gone = 0;
	for (unsigned int i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		fd = dial();
		say(fd, first[i]);
		KTAP_EQ(came, i + 1);
		/* From then on noise is ignored, as between packets. */
		say(fd, "POST$b#62");
		KTAP_TRUE(strstr(heard(fd), "$b#62") != NULL);
		close(fd);
		turn();
		KTAP_EQ(gone, i + 1);
	}
	link_free(link_);
}

/* A client that asks and does not read: nothing more is read from it, and nothing grows. */
static void test_deaf(void)
{
	unsigned int asked = 0, before;
	char text[4096];
	ssize_t n;
	size_t got = 0;
	int fd;

	start();
	acks = false;
	fd = dial();
	while (write(fd, "$big#32", 7) == 7) {
		asked++;
		turn();
	}
	before = packets;
	KTAP_TRUE(before && before < asked);
	turn();
	KTAP_EQ(packets, before);
	/* Meanwhile a stop can be reported. */
	link_send(link_, &(struct reply){ .len = 3, .data = "T05" });
	/* When it reads, all is answered. */
	for (unsigned int i = 0; i < 100000 && packets < asked; i++) {
		turn();
		while ((n = read(fd, text, sizeof(text))) > 0)
			got += n;
	}
	KTAP_EQ(packets, asked);
	KTAP_TRUE(got > (size_t)before * PACKET_MAX);
	/* It is gone, with much unread. */
	for (unsigned int i = 0; i < 100; i++)
		if (write(fd, "$big#32", 7) == 7)
			turn();
	close(fd);
	turn();
	KTAP_EQ(gone, 1);
	link_free(link_);
}

#define MANY	100

static void swallow(int fd)
{
	char text[4096];

	while (read(fd, text, sizeof(text)) > 0)
		;
}

/* Input that was read but not handled yet is handled later, whoever makes room for its answers. */
static void test_left_over(void)
{
	char text[7 * MANY + 1];
	int fd;

	for (unsigned int i = 0; i < MANY; i++)
		memcpy(text + 7 * i, i == MANY - 1 ? "$bye#40" : "$big#32", 7);
	text[7 * MANY] = '\0';
	start();
	acks = false;
	fd = dial();
	say(fd, text);
	for (unsigned int i = 0; i < MANY && !gone; i++) {
		KTAP_TRUE(packets < MANY);
		swallow(fd);
		link_send(link_, &(struct reply){ .len = 3, .data = "T05" });
		turn();
	}
	KTAP_EQ(packets, MANY);
	KTAP_EQ(gone, 1);
	close(fd);
	/* The same if the last answer waits, and link_send() sends it. */
	fd = dial();
	memcpy(text + 7 * 60, "$bye#40", 8);
	packets = gone = 0;
	say(fd, text);
	for (unsigned int i = 0; i < MANY && packets <= 60; i++) {
		swallow(fd);
		turn();
	}
	link_send(link_, &(struct reply){ .len = 3, .data = "T05" });
	turn();
	KTAP_EQ(gone, 1);
	close(fd);
	link_free(link_);
}

/* One connects while another hangs up: the other is gone, and its last words are heard. */
static void test_change(void)
{
	int old, fd;

	start();
	old = dial();
	say(old, "+$a#61");
	if (write(old, "$b#62", 5) != 5)
		KTAP_FAIL("write: %s", strerror(errno));
	close(old);
	fd = ring();
	turn();
	say(fd, "+$c#63");
	KTAP_STREQ(heard(fd), "+$c#63");
	KTAP_EQ(packets, 3);
	KTAP_EQ(came, 2);
	KTAP_EQ(gone, 1);
	close(fd);
	link_free(link_);
}

/* While the process can open no more files, the main loop sleeps, and tries again later. */
static void test_no_files(void)
{
	struct rlimit before, none;
	int fd;

	start();
	fd = ring();
	KTAP_TRUE(!getrlimit(RLIMIT_NOFILE, &before));
	none = before;
	none.rlim_cur = dup(fd);
	close(none.rlim_cur);
	KTAP_TRUE(!setrlimit(RLIMIT_NOFILE, &none));
	turn();
	KTAP_TRUE(!g_main_context_pending(NULL));
	KTAP_TRUE(!setrlimit(RLIMIT_NOFILE, &before));
	KTAP_EQ(came, 0);
	g_main_context_iteration(NULL, TRUE);
	say(fd, "+$a#61");
	KTAP_EQ(came, 1);
	KTAP_STREQ(heard(fd), "+$a#61");
	close(fd);
	link_free(link_);
}

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, level, name, &value, &len) ? -1 : value;
}

/* An accepted socket has the options that were set; a host that dies is noticed in a minute. */
static void check_options(int listen_fd, const struct sockaddr_in *in)
{
	int client = socket(AF_INET, SOCK_STREAM, 0), fd;

	KTAP_TRUE(!connect(client, (const struct sockaddr *)in, sizeof(*in)));
	poll(&(struct pollfd){ .fd = listen_fd, .events = POLLIN }, 1, 10000);
	fd = accept(listen_fd, NULL, NULL);
	KTAP_TRUE(fd >= 0);
	KTAP_EQ(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	KTAP_EQ(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 30);
	KTAP_EQ(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 10);
	KTAP_EQ(option(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
	KTAP_EQ(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
	close(fd);
	close(client);
}

static void test_listener(void)
{
	struct endpoint tcp = { .host = "127.0.0.1", .port = "0" };
	struct listener second;
	struct sockaddr_in in;
	socklen_t len = sizeof(in);
	struct error err = { "" };
	struct stat st;

	listener_close(&listener);
	KTAP_TRUE(stat(address.path, &st) && errno == ENOENT);
	/* A socket at which nobody listens is replaced. */
	KTAP_EQ(mknod(address.path, S_IFSOCK | 0600, 0), 0);
	KTAP_EQ(listener_open(&listener, "--gdb", &address, &err), 0);
	KTAP_TRUE(!stat(address.path, &st) && (st.st_mode & 0777) == 0600);
	KTAP_EQ(listener_open(&second, "--gdb", &address, &err), (unsigned long long)-EADDRINUSE);
	KTAP_TRUE(strstr(err.text, "--gdb unix:/tmp/") && strstr(err.text, "in use"));
	listener_close(&second);
	KTAP_EQ(stat(address.path, &st), 0);
	listener_close(&listener);
	KTAP_TRUE(stat(address.path, &st) && errno == ENOENT);
	/* A file that is no socket stays. */
	close(open(address.path, O_CREAT | O_WRONLY, 0600));
	KTAP_EQ(listener_open(&listener, "--gdb", &address, &err), (unsigned long long)-EEXIST);
	KTAP_TRUE(!stat(address.path, &st) && S_ISREG(st.st_mode));
	unlink(address.path);
	rmdir(dir);
	KTAP_TRUE(listener_open(&listener, "--gdb", &address, &err) < 0);
	KTAP_TRUE(strstr(err.text, "No such file") != NULL);

	KTAP_EQ(listener_open(&listener, "--gdb", &tcp, &err), 0);
	KTAP_TRUE(!getsockname(listener.fd, (struct sockaddr *)&in, &len));
	KTAP_EQ(ntohl(in.sin_addr.s_addr), INADDR_LOOPBACK);
	check_options(listener.fd, &in);
	snprintf(tcp.port, sizeof(tcp.port), "%u", ntohs(in.sin_port));
	KTAP_EQ(listener_open(&second, "--gdb", &tcp, &err), (unsigned long long)-EADDRINUSE);
	listener_close(&listener);
	strcpy(tcp.host, "no host");
	KTAP_TRUE(listener_open(&listener, "--gdb", &tcp, &err) < 0);
	KTAP_TRUE(strstr(err.text, "--gdb tcp:no host:"));
}

static void test_dir(void)
{
	KTAP_TRUE(mkdtemp(dir) != NULL);
}

KTAP_MAIN(KTAP_CASE(test_dir), KTAP_CASE(test_talk), KTAP_CASE(test_no_debugger),
	  KTAP_CASE(test_deaf), KTAP_CASE(test_left_over), KTAP_CASE(test_change),
	  KTAP_CASE(test_no_files), KTAP_CASE(test_listener))
