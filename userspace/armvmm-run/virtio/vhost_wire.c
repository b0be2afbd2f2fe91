// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "virtio/vhost_wire.h"

/* Waits for one of @events. Signals do not end it: they are for vCPUs. */
static int wire_wait(int fd, short events, int64_t deadline)
{
	struct pollfd poll_fd = { .fd = fd, .events = events };

	for (;;) {
		int64_t left = deadline - g_get_monotonic_time();
		int ret;

		if (left <= 0)
			return -ETIMEDOUT;
		ret = poll(&poll_fd, 1, (left + 999) / 1000);
		if (ret > 0)
			return 0;
		if (ret < 0 && errno != EINTR)
			return -errno;
	}
}

/* Room for the files, aligned. */
union wire_control {
	struct cmsghdr header;
	char space[CMSG_SPACE(VHOST_WIRE_FILES * sizeof(int))];
};

static void wire_attach(struct msghdr *msg, union wire_control *control, const int *files,
			unsigned int nr)
{
	struct cmsghdr *header;

	if (!nr)
		return;
	memset(control, 0, sizeof(*control));
	msg->msg_control = control;
	msg->msg_controllen = CMSG_SPACE(nr * sizeof(int));
	header = CMSG_FIRSTHDR(msg);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(nr * sizeof(int));
	memcpy(CMSG_DATA(header), files, nr * sizeof(int));
}

/* What was sent is left out. */
static void wire_skip(struct iovec iov[2], size_t n)
{
	for (unsigned int i = 0; n && i < 2; i++) {
		size_t part = n < iov[i].iov_len ? n : iov[i].iov_len;

		if (!part)
			continue;
		iov[i].iov_base = (uint8_t *)iov[i].iov_base + part;
		iov[i].iov_len -= part;
		n -= part;
	}
}

int vhost_wire_send(int fd, const struct vhost_wire_head *head, const void *payload,
		    const int *files, unsigned int nr_files, int64_t deadline)
{
	struct iovec iov[2] = {
		{ (void *)head, sizeof(*head) }, { (void *)payload, head->size },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	union wire_control control;

	if (nr_files > VHOST_WIRE_FILES)
		return -E2BIG;
	wire_attach(&msg, &control, files, nr_files);
	while (iov[0].iov_len + iov[1].iov_len) {
		ssize_t n = sendmsg(fd, &msg, MSG_NOSIGNAL);
		int ret = n < 0 && errno != EINTR ? -errno : 0;

		if (ret == -EAGAIN)
			ret = wire_wait(fd, POLLOUT, deadline);
		if (ret)
			return ret;
		if (n < 0)
			continue;
		/* The files have gone with the first byte. */
		msg.msg_control = NULL;
		msg.msg_controllen = 0;
		wire_skip(iov, n);
	}
	return 0;
}

static int wire_read(int fd, void *data, size_t len, int64_t deadline)
{
	uint8_t *at = data;

	while (len) {
		ssize_t n = read(fd, at, len);
		int ret = n < 0 && errno != EINTR ? -errno : 0;

		if (!n)
			return -EPIPE;
		if (ret == -EAGAIN)
			ret = wire_wait(fd, POLLIN, deadline);
		if (ret)
			return ret;
		if (n > 0) {
			at += n;
			len -= n;
		}
	}
	return 0;
}

int vhost_wire_receive(int fd, struct vhost_wire_head *head, void *payload, size_t room,
		       int64_t deadline)
{
	int ret = wire_read(fd, head, sizeof(*head), deadline);

	if (ret)
		return ret;
	return head->size > room ? -EMSGSIZE : wire_read(fd, payload, head->size, deadline);
}
