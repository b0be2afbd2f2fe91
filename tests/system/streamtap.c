// SPDX-License-Identifier: GPL-2.0-only
/*
 * streamtap PATH TAP: the other end of QEMU's "-netdev stream", as passt is: listens at the Unix
 * socket PATH, and joins the first that connects to the interface TAP, which it makes. It says
 * "ready" on standard error when it listens, and ends with status 0 when the connection does, 1
 * for anything that is wrong.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/if.h>
#include <linux/if_tun.h>

#define FRAME_MAX 65553

static uint8_t in[4 + FRAME_MAX];
static size_t in_len;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int open_tap(const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr))
		die(name);
	return fd;
}

static int await(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	if (listener < 0 || bind(listener, (struct sockaddr *)&sun, sizeof(sun)) ||
	    listen(listener, 1))
		die(path);
	fprintf(stderr, "ready\n");
	fd = accept(listener, NULL, NULL);
	if (fd < 0)
		die("accept");
	close(listener);
	return fd;
}

static void write_all(int fd, const void *data, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = write(fd, (const uint8_t *)data + at, len - at);

		if (n < 0)
			die("write");
		at += n;
	}
}

/* A frame of the host's, behind its length. */
static void to_guest(int tap, int fd)
{
	static uint8_t out[4 + FRAME_MAX];
	ssize_t n = read(tap, out + 4, FRAME_MAX);
	uint32_t head = htonl(n);

	if (n <= 0)
		die("tap");
	memcpy(out, &head, sizeof(head));
	write_all(fd, out, sizeof(head) + n);
}

/* Hands on all frames that are whole. An interface that is down takes none, which is its right. */
static void from_guest(int fd, int tap)
{
	ssize_t n = read(fd, in + in_len, sizeof(in) - in_len);
	size_t at = 0;
	uint32_t len;

	if (!n && !in_len)
		exit(0);
	if (n <= 0)
		die("the connection ends within a frame");
	for (in_len += n; in_len - at >= sizeof(len); at += sizeof(len) + len) {
		memcpy(&len, in + at, sizeof(len));
		len = ntohl(len);
		if (len < 14 || len > FRAME_MAX) {
			fprintf(stderr, "a frame of %u bytes\n", len);
			exit(1);
		}
		if (in_len - at < sizeof(len) + len)
			break;
		(void)!write(tap, in + at + sizeof(len), len);
	}
	in_len -= at;
	memmove(in, in + at, in_len);
}

int main(int argc, char **argv)
{
	int tap, fd;

	if (argc != 3)
		return 1;
	tap = open_tap(argv[2]);
	fd = await(argv[1]);
	for (;;) {
		struct pollfd fds[] = { { .fd = fd, .events = POLLIN },
					{ .fd = tap, .events = POLLIN } };

		if (poll(fds, 2, -1) < 0)
			die("poll");
		if (fds[0].revents)
			from_guest(fd, tap);
		if (fds[1].revents)
			to_guest(tap, fd);
	}
}
