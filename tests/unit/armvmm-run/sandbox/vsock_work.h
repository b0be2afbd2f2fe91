/* SPDX-License-Identifier: GPL-2.0-only */
/* What the processes of a guest with --vsock have to do. For test_sandbox.c, which has enter(). */
#ifndef SANDBOX_VSOCK_WORK_H
#define SANDBOX_VSOCK_WORK_H

/* Where the sockets of a guest are: a name from the folder that was open before. */
static char dial_folder[] = "/tmp/dial.XXXXXX";

static int work_dial(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "s" };
	int home = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd, client;

	if (chdir(dial_folder) || bind(server, (struct sockaddr *)&a, sizeof(a)) ||
	    listen(server, 1))
		return 1;
	fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fchdir(home))
		return 2;
	enter(MACHINE_THREAD_DIAL);
	client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* Without the folder there is no such name. */
	if (client < 0 || !connect(client, (struct sockaddr *)&a, sizeof(a)))
		return 3;
	if (fchdir(fd) || connect(client, (struct sockaddr *)&a, sizeof(a)))
		return 4;
	return open("s", O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES ? 0 : 5;
}

static int work_dial_network(void)
{
	enter(MACHINE_THREAD_DIAL);
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0;
}

/* The main thread of a machine with --vsock. */
static int work_vsock(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int server = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct msghdr msg = { .msg_iov = NULL };
	int pair[2], fd;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) ||
	    bind(server, (struct sockaddr *)&a, sizeof(sa_family_t)) || listen(server, 1))
		return 1;
	enter_with(MACHINE_THREAD_MAIN, (struct sandbox_params){ .vsock = true });
	fd = accept4(server, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0 || errno != EAGAIN)
		return 2;
	if (recvmsg(pair[0], &msg, MSG_CMSG_CLOEXEC) >= 0 || errno != EAGAIN)
		return 3;
	return send(pair[0], "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1 || shutdown(pair[0], SHUT_WR);
}

static void test_vsock(void)
{
	char socket[64];

	KTAP_TRUE(mkdtemp(dial_folder));
	KTAP_EQ(in_child(work_dial), 0);
	snprintf(socket, sizeof(socket), "%s/s", dial_folder);
	KTAP_TRUE(!unlink(socket) && !rmdir(dial_folder));
	KTAP_EQ(in_child(work_dial_network), VIOLATION);
	KTAP_EQ(in_child(work_vsock), 0);
}

#endif
