// SPDX-License-Identifier: GPL-2.0-only
/*
 * The process that has the connection to an NBD server. libnbd runs here, which takes apart what
 * the server sends; nothing of the guest's is here but what it reads and writes at the moment. The
 * connection is made first, then the process gives up all but that, and only then the server's
 * first byte is read.
 *
 * The process ends with the connection: the guest's process then knows that no answer will come,
 * and that nothing more is sent. What the server has received it may still carry out: NBD has no
 * request that takes another back.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/message.h"
#include "virtio/nbd_library.h"
#include "virtio/nbd_process.h"

#define NBD_CONNECT_S	20

/* Beyond the slots: what libnbd has of a server's options and errors. */
#define NBD_DATA	(16u << 20)
#define NBD_FILES	4

struct nbd_work {
	int fd;			/* the slot's socket */
	int64_t cookie;		/* of the request under way; 0: there is none */
};

struct nbd_process {
	int fd;			/* ends with the guest's process */
	struct nbd_library lib;
	struct nbd_handle *handle;
	uint8_t *memory;
	struct nbd_work work[NBD_SLOTS];
};

/* ---- Requests ---- */

static int server_errno(const struct nbd_process *p)
{
	int code = p->lib.get_errno();

	return code > 0 ? -code : -EIO;
}

/* Returns its cookie, or -1. */
static int64_t server_issue(struct nbd_process *p, unsigned int slot, const struct nbd_request *r)
{
	uint8_t *data = p->memory + slot * NBD_SLOT_SIZE;

	switch (r->op) {
	case NBD_READ:
		return p->lib.aio_pread(p->handle, data, r->len, r->offset, NBD_NULL_COMPLETION, 0);
	case NBD_WRITE:
		return p->lib.aio_pwrite(p->handle, data, r->len, r->offset, NBD_NULL_COMPLETION,
					 0);
	case NBD_FLUSH:
		return p->lib.aio_flush(p->handle, NBD_NULL_COMPLETION, 0);
	case NBD_TRIM:
		return p->lib.aio_trim(p->handle, r->len, r->offset, NBD_NULL_COMPLETION, 0);
	default:
		return p->lib.aio_zero(p->handle, r->len, r->offset, NBD_NULL_COMPLETION,
				       r->unmap ? 0 : LIBNBD_CMD_FLAG_NO_HOLE);
	}
}

static bool server_answer(struct nbd_process *p, unsigned int slot, int ret)
{
	const struct nbd_answer answer = { .ret = ret };

	p->work[slot].cookie = 0;
	return write(p->work[slot].fd, &answer, sizeof(answer)) == sizeof(answer);
}

/* Returns false when the guest's process is gone. */
static bool server_begin(struct nbd_process *p, unsigned int slot)
{
	struct nbd_request r;

	if (read(p->work[slot].fd, &r, sizeof(r)) != sizeof(r))
		return false;
	if ((r.op == NBD_READ || r.op == NBD_WRITE) && r.len > NBD_SLOT_SIZE)
		return server_answer(p, slot, -EINVAL);
	p->work[slot].cookie = server_issue(p, slot, &r);
	return p->work[slot].cookie > 0 || server_answer(p, slot, server_errno(p));
}

/* Answers the requests that are over. */
static bool server_retire(struct nbd_process *p)
{
	bool alive = true;

	for (unsigned int i = 0; alive && i < NBD_SLOTS; i++) {
		int done = 0;

		if (p->work[i].cookie)
			done = p->lib.aio_command_completed(p->handle, p->work[i].cookie);
		if (done)
			alive = server_answer(p, i, done < 0 ? server_errno(p) : 0);
	}
	return alive;
}

/* ---- The loop ---- */

static void server_prepare(const struct nbd_process *p, struct pollfd fds[NBD_SLOTS + 2])
{
	unsigned int direction = p->lib.aio_get_direction(p->handle);

	for (unsigned int i = 0; i < NBD_SLOTS; i++)
		fds[i] = (struct pollfd){ .fd = p->work[i].cookie ? -1 : p->work[i].fd,
					  .events = POLLIN };
	fds[NBD_SLOTS] = (struct pollfd){ .fd = p->lib.aio_get_fd(p->handle) };
	if (direction & LIBNBD_AIO_DIRECTION_READ)
		fds[NBD_SLOTS].events |= POLLIN;
	if (direction & LIBNBD_AIO_DIRECTION_WRITE)
		fds[NBD_SLOTS].events |= POLLOUT;
	fds[NBD_SLOTS + 1] = (struct pollfd){ .fd = p->fd, .events = POLLIN };
}

/* The direction may change by each step. */
static void server_notify(struct nbd_process *p, short events)
{
	if (events & (POLLIN | POLLHUP | POLLERR) &&
	    p->lib.aio_get_direction(p->handle) & LIBNBD_AIO_DIRECTION_READ)
		p->lib.aio_notify_read(p->handle);
	if (events & POLLOUT && p->lib.aio_get_direction(p->handle) & LIBNBD_AIO_DIRECTION_WRITE)
		p->lib.aio_notify_write(p->handle);
}

static bool server_is_there(const struct nbd_process *p)
{
	return !p->lib.aio_is_dead(p->handle) && !p->lib.aio_is_closed(p->handle);
}

static bool server_is_busy(const struct nbd_process *p)
{
	for (unsigned int i = 0; i < NBD_SLOTS; i++)
		if (p->work[i].cookie)
			return true;
	return false;
}

/* What the host would still send of a TCP connection that ends is forgotten, or not. */
static void server_linger(int fd, bool sends)
{
	struct linger linger = { .l_onoff = !sends };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

/*
 * The guest's process wants no more. If something is under way, its guest is told next that it has
 * failed. Else the server hears a farewell.
 */
static void server_leave(struct nbd_process *p)
{
	if (server_is_busy(p))
		return;
	server_linger(p->lib.aio_get_fd(p->handle), true);
	p->lib.aio_disconnect(p->handle, 0);
}

static void server_serve(struct nbd_process *p)
{
	struct pollfd fds[NBD_SLOTS + 2];
	bool alive = true;

	while (alive && server_is_there(p)) {
		server_prepare(p, fds);
		if (poll(fds, NBD_SLOTS + 2, -1) < 0)
			continue;
		alive = !fds[NBD_SLOTS + 1].revents;
		/* From here on not a byte is sent. */
		if (!alive)
			break;
		server_notify(p, fds[NBD_SLOTS].revents);
		for (unsigned int i = 0; alive && i < NBD_SLOTS; i++)
			if (fds[i].revents)
				alive = server_begin(p, i);
		/* A connection that is lost takes all requests with it, by this process' end. */
		if (alive && server_is_there(p))
			alive = server_retire(p);
	}
	if (!alive)
		server_leave(p);
	else
		message("the connection to the server is lost");
	/* Before the sockets of slots. */
	p->lib.close(p->handle);
}

/* ---- Start ---- */

/* With descriptors, which end with the process. Returns 0 or -errno. */
static int server_receive(struct nbd_process *p, struct nbd_setup *setup)
{
	union nbd_control control = { .space = "" };
	struct iovec iov = { setup, sizeof(*setup) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *header;
	int fd[1 + NBD_SLOTS];

	if (recvmsg(p->fd, &msg, MSG_CMSG_CLOEXEC) != sizeof(*setup))
		return -EPROTO;
	header = CMSG_FIRSTHDR(&msg);
	if (!header || header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN(sizeof(fd)))
		return -EPROTO;
	memcpy(fd, CMSG_DATA(header), sizeof(fd));
	for (unsigned int i = 0; i < NBD_SLOTS; i++)
		p->work[i].fd = fd[1 + i];
	p->memory = mmap(NULL, NBD_SLOTS * NBD_SLOT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			 fd[0], 0);
	close(fd[0]);
	return p->memory == MAP_FAILED ? -errno : 0;
}

static int server_reach_unix(const struct nbd_address *a, struct error *err)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), ret;

	memcpy(sun.sun_path, a->path, sizeof(a->path));
	if (fd >= 0 && !connect(fd, (const struct sockaddr *)&sun, sizeof(sun)))
		return fd;
	ret = -errno;
	if (fd >= 0)
		close(fd);
	return error_errno(err, ret, "%s: no connection", a->path);
}

/* In time: a limit for sending is one for connecting, too. */
static int server_reach_one(const struct addrinfo *at)
{
	struct timeval patience = { .tv_sec = NBD_CONNECT_S }, none = { 0 };
	int on = 1, ret, fd;

	fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, at->ai_addr, at->ai_addrlen)) {
		ret = errno == EINPROGRESS ? -ETIMEDOUT : -errno;
		close(fd);
		return ret;
	}
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof(none));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	/* However the process ends. */
	server_linger(fd, false);
	return fd;
}

static int server_reach_tcp(const struct nbd_address *a, struct error *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	int ret = getaddrinfo(a->host, a->port, &hints, &list);

	if (ret)
		return error_set(err, -EHOSTUNREACH, "%s: %s", a->host, gai_strerror(ret));
	ret = -EHOSTUNREACH;
	for (struct addrinfo *at = list; at && ret < 0; at = at->ai_next)
		ret = server_reach_one(at);
	freeaddrinfo(list);
	return ret < 0 ? error_errno(err, ret, "%s, port %s: no connection", a->host, a->port) :
			 ret;
}

/* From here on the server is heard. */
static int server_shake_hands(struct nbd_process *p, int fd, const char *name,
			   struct nbd_facts *facts, struct error *err)
{
	int64_t size, block;

	p->handle = p->lib.create();
	if (!p->handle || p->lib.set_export_name(p->handle, name) ||
	    p->lib.connect_socket(p->handle, fd))
		return error_set(err, -EPROTO, "%.300s", p->lib.get_error());
	size = p->lib.get_size(p->handle);
	block = p->lib.get_block_size(p->handle, LIBNBD_SIZE_MINIMUM);
	if (size < 0)
		return error_set(err, -EPROTO, "%.300s", p->lib.get_error());
	*facts = (struct nbd_facts){
		.size = size,
		.block = block > 0 ? block : 1,
		.readonly = p->lib.is_read_only(p->handle) > 0,
		.can_flush = p->lib.can_flush(p->handle) > 0,
		.can_trim = p->lib.can_trim(p->handle) > 0,
		.can_zero = p->lib.can_zero(p->handle) > 0,
	};
	return 0;
}

static int server_start(struct nbd_process *p, const struct nbd_setup *setup,
		     process_confine *confine, struct nbd_facts *facts, struct error *err)
{
	int fd, ret = nbd_library_load(&p->lib, err);

	if (ret)
		return ret;
	fd = setup->address.is_unix ? server_reach_unix(&setup->address, err) :
				      server_reach_tcp(&setup->address, err);
	if (fd < 0)
		return fd;
	if (setup->rights.confined && confine)
		ret = confine(&setup->rights, NBD_DATA, NBD_FILES, err);
	return ret ? ret : server_shake_hands(p, fd, setup->address.name, facts, err);
}

static int server_main(int fd, process_confine *confine)
{
	struct nbd_reply reply = { .ret = 0 };
	struct nbd_process p = { .fd = fd };
	struct nbd_setup setup = { .rights = { .confined = true } };

	if (server_receive(&p, &setup))
		return 1;
	reply.ret = server_start(&p, &setup, confine, &reply.facts, &reply.why);
	if (write(fd, &reply, sizeof(reply)) != sizeof(reply))
		return 1;
	if (!reply.ret)
		server_serve(&p);
	return 0;
}

static const struct process_role nbd_role = {
	.name = NBD_ROLE,
	.main = server_main,
};
PROCESS_ROLE(nbd_role);
