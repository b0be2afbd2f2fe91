// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gdb/gdb_listener.h"

#define LISTENER_FLAGS	(SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC)

/*
 * If a debugger's host dies, it says nothing: keepalive asks. Seconds until it asks first, seconds
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

static int listener_tcp(const struct gdb_address *a, struct error *err)
{
	struct addrinfo hints = { .ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM };
	struct addrinfo *list;
	int fd = -EADDRNOTAVAIL, ret = getaddrinfo(a->host, a->port, &hints, &list);

	if (ret)
		return error_set(err, -EADDRNOTAVAIL, "--gdb tcp:%s:%s: %s", a->host, a->port,
				 gai_strerror(ret));
	for (const struct addrinfo *i = list; i && fd < 0; i = i->ai_next)
		fd = listener_bind_tcp(i);
	freeaddrinfo(list);
	return fd < 0 ? error_errno(err, fd, "--gdb tcp:%s:%s", a->host, a->port) : fd;
}

/* Does nobody listen any more at the socket there? Other files refuse connections too. */
static bool listener_is_stale(const struct sockaddr_un *sun)
{
	struct stat st;
	bool stale;
	int fd;

	if (lstat(sun->sun_path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, LISTENER_FLAGS, 0);
	if (fd < 0)
		return false;
	stale = connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) && errno == ECONNREFUSED;
	close(fd);
	return stale;
}

static int listener_bind_unix(int fd, const struct sockaddr_un *sun)
{
	int ret;

	/* The socket's file takes its mode from here. */
	if (fchmod(fd, 0600))
		return -errno;
	if (!bind(fd, (const struct sockaddr *)sun, sizeof(*sun)))
		return 0;
	ret = -errno;
	if (ret != -EADDRINUSE || !listener_is_stale(sun) || unlink(sun->sun_path))
		return ret;
	return bind(fd, (const struct sockaddr *)sun, sizeof(*sun)) ? -errno : 0;
}

static int listener_unix(const struct gdb_address *a, struct error *err)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, LISTENER_FLAGS, 0), ret;

	_Static_assert(sizeof(sun.sun_path) == sizeof(a->path), "a path as long as one may be");
	strcpy(sun.sun_path, a->path);
	if (fd < 0)
		return error_errno(err, -errno, "--gdb unix:%s", a->path);
	ret = listener_bind_unix(fd, &sun);
	if (!ret && listen(fd, 1))
		ret = -errno;
	if (!ret)
		return fd;
	close(fd);
	return error_errno(err, ret, "--gdb unix:%s", a->path);
}

int gdb_listener_open(const struct gdb_address *address, struct error *err)
{
	return address->is_unix ? listener_unix(address, err) : listener_tcp(address, err);
}
