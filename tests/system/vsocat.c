// SPDX-License-Identifier: GPL-2.0-only
/*
 * Connects standard input and output to a stream socket, in a guest or on its host:
 *
 *	vsocat cid			prints the address of this machine
 *	vsocat connect CID PORT		vsock
 *	vsocat listen PORT		vsock: the first who connects
 *	vsocat via PATH PORT		the port of a guest of armvmm-run, or of its likes
 *	vsocat unix-listen PATH		a Unix socket: the first who connects
 *
 * The end of the input closes that direction alone; the program ends when both are closed. It says
 * "ready" on standard error when it listens. Status 2: refused; 3: the connection was reset.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

static void die(const char *what)
{
	int status = errno == ECONNRESET ? 2 : 1;

	perror(what);
	exit(status);
}

static int vsock_cid(void)
{
	unsigned int cid;
	int fd = open("/dev/vsock", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, IOCTL_VM_SOCKETS_GET_LOCAL_CID, &cid))
		die("/dev/vsock");
	printf("%u\n", cid);
	return 0;
}

static int await(int listener, const struct sockaddr *address, socklen_t len)
{
	int fd;

	if (bind(listener, address, len) || listen(listener, 1))
		die("listen");
	fprintf(stderr, "ready\n");
	fd = accept(listener, NULL, NULL);
	if (fd < 0)
		die("accept");
	close(listener);
	return fd;
}

static int stream_open(struct sockaddr *a, socklen_t len, int listens)
{
	int fd = socket(a->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	if (listens)
		return await(fd, a, len);
	if (connect(fd, a, len))
		die("connect");
	return fd;
}

static int vsock_open(unsigned int cid, const char *port, int listens)
{
	struct sockaddr_vm a = {
		.svm_family = AF_VSOCK, .svm_cid = cid, .svm_port = strtoul(port, NULL, 10),
	};

	return stream_open((struct sockaddr *)&a, sizeof(a), listens);
}

static int local_open(const char *path, int listens)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	return stream_open((struct sockaddr *)&a, sizeof(a), listens);
}

static int via_open(const char *path, const char *port)
{
	char line[64];
	int fd = local_open(path, 0);
	size_t len = 0;

	dprintf(fd, "CONNECT %s\n", port);
	while (len < sizeof(line) - 1 && read(fd, &line[len], 1) == 1 && line[len] != '\n')
		len++;
	line[len] = '\0';
	if (strncmp(line, "OK ", 3) || strtoul(line + 3, NULL, 10) < 1024) {
		fprintf(stderr, "refused: '%s'\n", line);
		exit(2);
	}
	return fd;
}

/* What was read and not written yet. */
struct flow {
	char buf[16384];
	size_t len, done;
	int ended;
};

static void fill(struct flow *f, int from)
{
	ssize_t n = read(from, f->buf, sizeof(f->buf));

	if (n < 0) {
		perror("read");
		exit(3);
	}
	f->len = n;
	f->done = 0;
	f->ended = !n;
}

static void drain(struct flow *f, int to, int is_socket)
{
	ssize_t n = is_socket ? send(to, f->buf + f->done, f->len - f->done, MSG_DONTWAIT) :
				write(to, f->buf + f->done, f->len - f->done);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0) {
		perror("write");
		exit(3);
	}
	f->done += n;
	if (f->done == f->len)
		f->len = 0;
}

/*
 * It never waits for the other side to take something: who does, and does not take anything
 * meanwhile, may wait for one that does the same.
 */
static int join(int fd)
{
	static struct flow out, in;
	int told = 0;

	while (!told || !in.ended) {
		struct pollfd fds[2] = {
			{ .fd = fd, .events = (in.ended ? 0 : POLLIN) | (out.len ? POLLOUT : 0) },
			{ .fd = out.len || out.ended ? -1 : 0, .events = POLLIN },
		};

		/* Else its end would be told again and again. */
		if (!fds[0].events)
			fds[0].fd = -1;
		if (poll(fds, 2, -1) < 0)
			die("poll");
		if (fds[1].revents)
			fill(&out, 0);
		if (out.len)
			drain(&out, fd, 1);
		if (out.ended && !told) {
			shutdown(fd, SHUT_WR);
			told = 1;
		}
		if (!in.ended && fds[0].revents & ~POLLOUT) {
			fill(&in, fd);
			while (in.len)
				drain(&in, 1, 0);
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc == 2 && !strcmp(argv[1], "cid"))
		return vsock_cid();
	if (argc == 4 && !strcmp(argv[1], "connect"))
		return join(vsock_open(strtoul(argv[2], NULL, 10), argv[3], 0));
	if (argc == 3 && !strcmp(argv[1], "listen"))
		return join(vsock_open(VMADDR_CID_ANY, argv[2], 1));
	if (argc == 4 && !strcmp(argv[1], "via"))
		return join(via_open(argv[2], argv[3]));
	if (argc == 3 && !strcmp(argv[1], "unix-listen"))
		return join(local_open(argv[2], 1));
	fprintf(stderr, "usage: vsocat cid | connect CID PORT | listen PORT | via PATH PORT | unix-listen PATH\n");
	return 1;
}
