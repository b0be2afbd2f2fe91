// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/param.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/message.h"
#include "net/vsock_dial.h"

#define DIAL_ROLE	"vsock"
#define DIAL_START_S	60	/* on a slow and busy machine */

/* The process needs little memory: a connection at a time, and what the C library wants. */
#define DIAL_DATA	(4u << 20)

/*
 * A descriptor that nobody has taken yet counts against this limit, for all processes of the user
 * together (unix(7), ETOOMANYREFS), and the guest may have many connections asked for at once.
 */
#define DIAL_FILES	256
#define DIAL_TRIES	100
#define DIAL_WAIT_US	10000

/* The first message to the process, and its answer. */
struct dial_setup {
	struct process_rights rights;
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
};

struct dial_reply {
	int32_t ret;
	struct error why;
};

/* Those that follow, both ways; the connection comes with an answer whose @ret is 0. */
struct dial_message {
	uint32_t slot, serial, port;
	int32_t ret;
};

/* Room for one descriptor, aligned. */
union dial_control {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

/* ---- In the process ---- */

struct dial_process {
	int fd;
	char base[sizeof(((struct sockaddr_un *)NULL)->sun_path)];	/* "./NAME" */
};

/* Never waits: a socket whose queue is full refuses. */
static int dial_connect(const struct dial_process *p, uint32_t port)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd, len, ret = 0;

	len = snprintf(sun.sun_path, sizeof(sun.sun_path), "%s_%u", p->base, port);
	if (len < 0 || (size_t)len >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&sun, sizeof(sun)))
		ret = -errno;
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

/* Returns 0 or -errno. */
static int dial_send(int to, struct dial_message *m, int fd)
{
	union dial_control control = { .space = "" };
	struct iovec iov = { m, sizeof(*m) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		control.header = (struct cmsghdr){
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
			.cmsg_len = CMSG_LEN(sizeof(int)),
		};
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	return sendmsg(to, &msg, MSG_NOSIGNAL) == sizeof(*m) ? 0 : -errno;
}

static bool dial_may_pass(int ret)
{
	return ret == -ETOOMANYREFS || ret == -ENOBUFS || ret == -ENOMEM || ret == -EINTR;
}

/*
 * Waits for a second until others have taken theirs; then the guest is refused. Returns false if
 * its process is gone.
 */
static bool dial_hand_over(int to, struct dial_message *m, int fd)
{
	int ret = dial_send(to, m, fd);

	for (unsigned int i = 0; i < DIAL_TRIES && dial_may_pass(ret); i++) {
		usleep(DIAL_WAIT_US);
		ret = dial_send(to, m, fd);
	}
	if (ret && fd >= 0 && dial_may_pass(ret)) {
		m->ret = ret;
		ret = dial_send(to, m, -1);
	}
	return !ret;
}

static void dial_serve(const struct dial_process *p)
{
	struct dial_message m;
	bool alive = true;

	while (alive && read(p->fd, &m, sizeof(m)) == sizeof(m)) {
		int fd = dial_connect(p, m.port);

		m.ret = fd < 0 ? fd : 0;
		alive = dial_hand_over(p->fd, &m, fd);
		if (fd >= 0)
			close(fd);
	}
}

/*
 * The sockets are found from their folder, which stays the working folder though the root becomes
 * an empty one.
 */
static int dial_confine(struct dial_process *p, const struct dial_setup *setup,
			process_confine *confine, struct error *err)
{
	const char *slash = strrchr(setup->path, '/');
	char folder[sizeof(setup->path)] = ".";
	int fd, ret = 0;

	if (slash)
		snprintf(folder, sizeof(folder), "%.*s", (int)MAX(slash - setup->path, 1),
			 setup->path);
	snprintf(p->base, sizeof(p->base), "%s", slash ? slash + 1 : setup->path);
	fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, -errno, "%s", folder);
	if (setup->rights.confined && confine)
		ret = confine(&setup->rights, DIAL_DATA, DIAL_FILES, err);
	if (!ret && fchdir(fd))
		ret = error_errno(err, -errno, "%s", folder);
	close(fd);
	return ret;
}

static int dial_main(int fd, process_confine *confine)
{
	struct dial_process p = { .fd = fd };
	struct dial_reply reply = { .ret = 0 };
	struct dial_setup setup;

	if (read(fd, &setup, sizeof(setup)) != sizeof(setup))
		return 1;
	setup.path[sizeof(setup.path) - 1] = '\0';
	reply.ret = dial_confine(&p, &setup, confine, &reply.why);
	if (write(fd, &reply, sizeof(reply)) < 0)
		return 1;
	if (!reply.ret)
		dial_serve(&p);
	return 0;
}

static const struct process_role dial_role = {
	.name = DIAL_ROLE,
	.main = dial_main,
};
PROCESS_ROLE(dial_role);

/* ---- In the guest's process ---- */

/* Passes on what the process says of its host, or of its end. */
static void dial_hear(struct vsock_dial *dial, const char *label)
{
	char text[256];
	bool ended;

	for (unsigned int i = 0; i < PROCESS_SENTENCES; i++) {
		if (!process_says(&dial->process, text, sizeof(text), &ended))
			break;
		message("%s: %s", label, text);
	}
}

int vsock_dial_start(struct vsock_dial *dial, const char *label, const char *path,
		     const struct process_rights *rights, struct error *err)
{
	struct dial_setup setup = { .rights = *rights };
	struct dial_reply reply = { .ret = 0 };
	bool apart = rights->confined;
	ssize_t n;
	int ret;

	setup.rights.dials = true;
	snprintf(setup.path, sizeof(setup.path), "%s", path);
	ret = process_start(&dial->process, DIAL_ROLE, label, &apart, !rights->change_user, err);
	if (ret)
		return ret;
	if (rights->confined && !apart)
		message("%s: sandbox: goes on without what this host does not give: PID namespaces",
			label);
	if (write(dial->process.fd, &setup, sizeof(setup)) != sizeof(setup))
		return error_errno(err, -errno, "%s: its process", label);
	n = process_receive(&dial->process, &reply, sizeof(reply), DIAL_START_S);
	dial_hear(dial, label);
	if (n != sizeof(reply))
		return error_set(err, n < 0 ? n : -EPROTO,
				 "%s: its process does not start (/proc/self/exe)", label);
	reply.why.text[sizeof(reply.why.text) - 1] = '\0';
	return reply.ret ? error_set(err, reply.ret, "%s: %.400s", label, reply.why.text) : 0;
}

void vsock_dial_stop(struct vsock_dial *dial)
{
	process_end(&dial->process);
}

int vsock_dial_ask(struct vsock_dial *dial, uint32_t slot, uint32_t serial, uint32_t port)
{
	struct dial_message m = { .slot = slot, .serial = serial, .port = port };

	if (dial->process.fd < 0)
		return -EPIPE;
	return send(dial->process.fd, &m, sizeof(m), MSG_NOSIGNAL) == sizeof(m) ? 0 : -errno;
}

/* The one descriptor that may have come; the kernel closes what has no room. */
static int dial_descriptor(struct msghdr *msg)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(msg);
	int fd = -1;

	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
	    header->cmsg_len == CMSG_LEN(sizeof(fd)))
		memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

int vsock_dial_answer(struct vsock_dial *dial, uint32_t *slot, uint32_t *serial, int *fd)
{
	union dial_control control = { .space = "" };
	struct dial_message m;
	struct iovec iov = { &m, sizeof(m) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(dial->process.fd, &msg, MSG_CMSG_CLOEXEC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	*fd = n < 0 ? -1 : dial_descriptor(&msg);
	if (n != sizeof(m)) {
		if (*fd >= 0)
			close(*fd);
		return -EPIPE;
	}
	*slot = m.slot;
	*serial = m.serial;
	return 1;
}
