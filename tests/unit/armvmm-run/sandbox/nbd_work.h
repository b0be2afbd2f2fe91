/* SPDX-License-Identifier: GPL-2.0-only */
/* What the process of an NBD disk has to do, and may not. For test_sandbox.c, which has enter(). */
#ifndef SANDBOX_NBD_WORK_H
#define SANDBOX_NBD_WORK_H

/* It has a connection, and makes no other. */
static void check_forbidden_nbd(void)
{
	static const char *const uses[] = { "shutdown", "fcntl", NULL };
	static const struct sandbox_params params = { .nbd = true };

	check_forbidden(MACHINE_THREAD_NBD, forbidden, NR(forbidden));
	check_forbidden_with(MACHINE_THREAD_NBD, &params, others_forbidden, NR(others_forbidden),
			     uses);
	check_forbidden_with(MACHINE_THREAD_NBD, &params, socket_calls, NR(socket_calls), uses);
	check_forbidden(MACHINE_THREAD_NBD, files, NR(files));
	check_forbidden(MACHINE_THREAD_NBD, runs, NR(runs));
}

/* Of a connection's options, one. */
static int nbd_sets_another(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	enter(MACHINE_THREAD_NBD);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &on, sizeof(on));
	return 0;
}

/* What libnbd does with a connection that exists. */
static int work_nbd(void)
{
	struct linger none = { .l_onoff = 0 };
	int pair[2];
	char byte = 1;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return 1;
	enter(MACHINE_THREAD_NBD);
	if (fcntl(pair[0], F_SETFL, fcntl(pair[0], F_GETFL) | O_NONBLOCK) ||
	    recv(pair[0], &byte, 1, 0) >= 0 || errno != EAGAIN)
		return 2;
	if (send(pair[0], &byte, 1, MSG_NOSIGNAL) != 1 || recv(pair[1], &byte, 1, 0) != 1)
		return 3;
	isatty(STDERR_FILENO);
	if (setsockopt(pair[0], SOL_SOCKET, SO_LINGER, &none, sizeof(none)))
		return 5;
	return shutdown(pair[0], SHUT_WR) ? 4 : open("/etc/hosts", O_RDONLY | O_CLOEXEC) >= 0;
}

static void test_nbd(void)
{
	check_forbidden_nbd();
	KTAP_EQ(in_child(work_nbd), 0);
	KTAP_EQ(in_child(nbd_sets_another), VIOLATION);
}

#endif /* SANDBOX_NBD_WORK_H */
