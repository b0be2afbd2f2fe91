// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/listener.h"

#define LISTENER_FLAGS	(SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC)

/*
 * If the far end's host dies, it says nothing: keepalive asks. Seconds until it asks first, seconds
 * between questions, and how many go without an answer.
 */
#define LISTENER_IDLE	30
#define LISTENER_AGAIN	10
#define LISTENER_TRIES	3

static void listener_set(int fd, int level, int option, int value)
{
	setsockopt(fd, level, option, &value, sizeof(value));
}

/* Sets the options here, as setsockopt() is forbidden later: accepted sockets inherit them. */
static int listener_bind_tcp(const struct addrinfo *info)
{
	int fd = socket(info->ai_family, info->ai_socktype | LISTENER_FLAGS, info->ai_protocol);
	int ret;

	if (fd < 0)
		return -errno;
	listener_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	listener_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	listener_set(fd, IPPROTO_TCP, TCP_KEEPIDLE, LISTENER_IDLE);
	listener_set(fd, IPPROTO_TCP, TCP_KEEPINTVL, LISTENER_AGAIN);
	listener_set(fd, IPPROTO_TCP, TCP_KEEPCNT, LISTENER_TRIES);
	listener_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (!bind(fd, info->ai_addr, info->ai_addrlen) && !listen(fd, 1))
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

static int listener_tcp(const char *label, const struct endpoint *e, struct error *err)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM };
	struct addrinfo *list;
	int fd = -EADDRNOTAVAIL, ret = getaddrinfo(e->host, e->port, &hints, &list);

	if (ret)
		return error_set(err, -EADDRNOTAVAIL, "%s tcp:%s:%s: %s", label, e->host, e->port,
				 gai_strerror(ret));
	for (const struct addrinfo *i = list; i && fd < 0; i = i->ai_next)
		fd = listener_bind_tcp(i);
	freeaddrinfo(list);
	return fd < 0 ? error_errno(err, fd, "%s tcp:%s:%s", label, e->host, e->port) : fd;
}

int listener_open(struct listener *listener, const char *label, const struct endpoint *endpoint,
		  struct error *err)
{
	struct error why;
	int ret;

	*listener = (struct listener){ .fd = -1, .socket = { -1, -1 } };
	if (endpoint->is_unix) {
		ret = named_socket_open(&listener->socket, endpoint->path, 1, false, &why);
		if (ret)
			return error_set(err, ret, "%s unix:%.480s", label, why.text);
		listener->fd = listener->socket.fd;
		listener->socket.fd = -1;
		return 0;
	}
	ret = listener_tcp(label, endpoint, err);
	if (ret < 0)
		return ret;
	listener->fd = ret;
	return 0;
}

void listener_close(struct listener *listener)
{
	if (listener->fd >= 0)
		close(listener->fd);
	listener->fd = -1;
	named_socket_close(&listener->socket);
}
