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

/* Whether a request of vhost is let through: there is no such file. */
static bool may_ask(unsigned long request)
{
	return ioctl(-1, request, NULL) < 0 && errno == EBADF;
}

static int work_vhost_vcpu(void)
{
	enter_with(MACHINE_THREAD_VCPU, (struct sandbox_params){ .vhost = true });
	return !may_ask(VHOST_SET_FEATURES) || !may_ask(VHOST_SET_VRING_NUM) ||
	       !may_ask(VHOST_SET_VRING_BASE) || !may_ask(VHOST_GET_VRING_BASE) ||
	       !may_ask(VHOST_SET_VRING_ADDR) || !may_ask(VHOST_VSOCK_SET_RUNNING) ||
	       !may_ask(VHOST_NET_SET_BACKEND) || !may_ask(TUNSETVNETHDRSZ);
}

static int work_vhost_main(void)
{
	enter_with(MACHINE_THREAD_MAIN, (struct sandbox_params){ .vhost = true });
	return !may_ask(VHOST_SET_OWNER) || !may_ask(VHOST_SET_MEM_TABLE) ||
	       !may_ask(VHOST_SET_VRING_KICK) || !may_ask(VHOST_SET_VRING_CALL) ||
	       !may_ask(VHOST_SET_VRING_ERR) || !may_ask(VHOST_SET_VRING_ADDR) ||
	       !may_ask(VHOST_VSOCK_SET_RUNNING) || !may_ask(VHOST_NET_SET_BACKEND);
}

/* The guest's memory as the kernel sees it is set once, and not by a vCPU. */
static int work_vhost_memory(void)
{
	enter_with(MACHINE_THREAD_VCPU, (struct sandbox_params){ .vhost = true });
	return may_ask(VHOST_SET_MEM_TABLE);
}

static int work_vhost_off(void)
{
	enter_with(MACHINE_THREAD_MAIN, (struct sandbox_params){ .vsock = true });
	return may_ask(VHOST_SET_VRING_ADDR);
}

/* A message with a file to a process, on a socket that is open, and its answer. */
static int work_vhost_user(enum machine_thread kind)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte;
	struct msghdr msg = {
		.msg_iov = &(struct iovec){ "x", 1 }, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&msg);
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair))
		return 1;
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &pair[0], sizeof(int));
	enter_with(kind, (struct sandbox_params){ .vhost_user = true });
	if (sendmsg(pair[0], &msg, MSG_NOSIGNAL) != 1 || read(pair[1], &byte, 1) != 1)
		return 2;
	return poll(&(struct pollfd){ .fd = pair[0], .events = POLLIN }, 1, 0);
}

static int work_vhost_user_main(void)
{
	return work_vhost_user(MACHINE_THREAD_MAIN);
}

static int work_vhost_user_vcpu(void)
{
	return work_vhost_user(MACHINE_THREAD_VCPU);
}

static int work_vhost_user_disk(void)
{
	return work_vhost_user(MACHINE_THREAD_DISK);
}

static int work_vhost_user_off(void)
{
	enter_with(MACHINE_THREAD_MAIN, (struct sandbox_params){ .vhost = true, .vsock = true });
	return sendmsg(-1, &(struct msghdr){ .msg_iovlen = 0 }, 0);
}

static int work_vhost_user_connects(void)
{
	enter_with(MACHINE_THREAD_MAIN, (struct sandbox_params){ .vhost_user = true });
	return connect(-1, NULL, 0);
}

static void test_vhost_user(void)
{
	KTAP_EQ(in_child(work_vhost_user_main), 0);
	KTAP_EQ(in_child(work_vhost_user_vcpu), 0);
	KTAP_EQ(in_child(work_vhost_user_disk), VIOLATION);
	KTAP_EQ(in_child(work_vhost_user_off), VIOLATION);
	KTAP_EQ(in_child(work_vhost_user_connects), VIOLATION);
}

static void test_vhost(void)
{
	KTAP_EQ(in_child(work_vhost_vcpu), 0);
	KTAP_EQ(in_child(work_vhost_main), 0);
	KTAP_EQ(in_child(work_vhost_memory), VIOLATION);
	KTAP_EQ(in_child(work_vhost_off), VIOLATION);
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

/* A machine with --vsock accepts connections, and makes none. */
static void test_forbidden_vsock(void)
{
	static const char *const accepts[] = { "accept4", "recvmsg", "shutdown", NULL };
	static const struct sandbox_params params = { .vsock = true };

	check_forbidden_with(MACHINE_THREAD_MAIN, &params, forbidden, NR(forbidden), NULL);
	check_forbidden_with(MACHINE_THREAD_MAIN, &params, socket_calls, NR(socket_calls), accepts);
	check_forbidden_with(MACHINE_THREAD_VCPU, &params, socket_calls, NR(socket_calls), NULL);
	check_forbidden_with(MACHINE_THREAD_DISK, &params, socket_calls, NR(socket_calls), NULL);
}

#endif
