// SPDX-License-Identifier: GPL-2.0-only
/*
 * talk PATH [deaf|FILE]: copies standard input to the socket at PATH, and what comes from there to
 * standard output, until the other end closes or, after the end of the input, has been silent for a
 * second. Deaf: it reads nothing, and stays until it is killed. FILE, open for writing, or a
 * connection to it if it is a Unix socket, goes with the first bytes. A status of 3: the other end
 * closed.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char out[65536];
static size_t out_len;

/* Sends bytes, and with them the descriptor @file, unless it is -1. */
static ssize_t talk_send(int fd, int file)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} with = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
			     .cmsg_type = SCM_RIGHTS } };
	struct iovec iov = { out, out_len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (file >= 0) {
		memcpy(CMSG_DATA(&with.head), &file, sizeof(file));
		msg.msg_control = &with;
		msg.msg_controllen = sizeof(with);
	}
	return sendmsg(fd, &msg, MSG_NOSIGNAL);
}

static int talk_connect(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sun, sizeof(sun))) {
		perror(path);
		exit(1);
	}
	return fd;
}

static int talk_file(const char *path)
{
	int file = open(path, O_WRONLY);

	/* A socket cannot be opened. */
	return file < 0 && errno == ENXIO ? talk_connect(path) : file;
}

int main(int argc, char **argv)
{
	int deaf = argc > 2 && !strcmp(argv[2], "deaf"), input = 1;
	int file = argc > 2 && !deaf ? talk_file(argv[2]) : -1, fd;
	static char in[65536];

	if (argc < 2 || (argc > 2 && !deaf && file < 0))
		return 2;
	fd = talk_connect(argv[1]);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	for (;;) {
		struct pollfd p[2] = {
			{ .fd = input && !out_len ? 0 : -1, .events = POLLIN },
			{ .fd = fd, .events = (deaf ? 0 : POLLIN) | (out_len ? POLLOUT : 0) },
		};
		ssize_t n;

		if (!poll(p, 2, input || out_len || deaf ? -1 : 1000))
			return 0;
		if (deaf && !input && !out_len) {
			pause();
			return 0;
		}
		if (p[0].revents) {
			n = read(0, out, sizeof(out));
			out_len = n > 0 ? n : 0;
			input = n > 0;
		}
		if (out_len) {
			n = talk_send(fd, file);
			if (n < 0 && errno != EAGAIN)
				return 3;
			if (n > 0) {
				file = -1;
				out_len -= n;
				memmove(out, out + n, out_len);
			}
		}
		if (!deaf && p[1].revents & (POLLIN | POLLHUP)) {
			n = read(fd, in, sizeof(in));
			if (!n || (n < 0 && errno != EAGAIN))
				return 3;
			if (n > 0 && write(1, in, n) != n)
				return 2;
		}
	}
}
