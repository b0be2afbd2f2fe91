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

static int vsock_open(unsigned int cid, const char *port, int listens)
{
	struct sockaddr_vm a = {
		.svm_family = AF_VSOCK, .svm_cid = cid, .svm_port = strtoul(port, NULL, 10),
	};
	int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	if (listens)
		return await(fd, (struct sockaddr *)&a, sizeof(a));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)))
		die("connect");
	return fd;
}

static int local_open(const char *path, int listens)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (fd < 0)
		die("socket");
	if (listens)
		return await(fd, (struct sockaddr *)&a, sizeof(a));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)))
		die("connect");
	return fd;
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

/* Returns the bytes that went from @from to @to, or ends the program. */
static size_t copy(int from, int to)
{
	static char buf[16384];
	ssize_t n = read(from, buf, sizeof(buf)), done = 0;

	if (n < 0) {
		perror("read");
		exit(3);
	}
	while (done < n) {
		ssize_t w = write(to, buf + done, n - done);

		if (w < 0) {
			perror("write");
			exit(3);
		}
		done += w;
	}
	return n;
}

static int join(int fd)
{
	struct pollfd fds[2] = { { .fd = fd, .events = POLLIN }, { .fd = 0, .events = POLLIN } };

	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		if (poll(fds, 2, -1) < 0)
			die("poll");
		if (fds[1].revents && !copy(0, fd)) {
			shutdown(fd, SHUT_WR);
			fds[1].fd = -1;
		}
		if (fds[0].revents && !copy(fd, 1))
			fds[0].fd = -1;
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
