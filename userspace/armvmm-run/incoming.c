// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "incoming.h"
#include "incoming_address.h"

/* A pipe or a connection, whose other end cannot hold us up. */
static int incoming_take(int fd, bool may_be_pipe)
{
	int flags = fcntl(fd, F_GETFL), type, listens = 0;
	socklen_t len = sizeof(type);
	struct stat st;

	if (flags < 0 || fstat(fd, &st))
		return -errno;
	if (S_ISSOCK(st.st_mode)) {
		if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len))
			return -errno;
		len = sizeof(listens);
		if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len))
			return -errno;
		if (type != SOCK_STREAM || listens)
			return -ENOTCONN;
	} else if (!may_be_pipe || !S_ISFIFO(st.st_mode)) {
		return -ENOTSOCK;
	}
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) || fcntl(fd, F_SETFL, flags | O_NONBLOCK))
		return -errno;
	return 0;
}

/* The terminal gets nothing instead: its output would end up in the stream. */
static int incoming_take_standard(struct receive_source *source)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), ret;

	source->in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	source->out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (null < 0 || source->in < 0 || source->out < 0)
		ret = -errno;
	else
		ret = incoming_take(source->in, true);
	if (!ret)
		ret = incoming_take(source->out, true);
	if (!ret && (dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0))
		ret = -errno;
	if (null >= 0)
		close(null);
	return ret;
}

int incoming_open(struct incoming *in, const char *arg, struct error *err)
{
	struct receive_source *source = &in->source;
	struct incoming_address address;
	int ret = incoming_address_parse(&address, arg, err);

	*source = (struct receive_source){ .name = arg, .listen = -1, .in = -1, .out = -1 };
	if (ret)
		return ret;
	if (address.standard) {
		source->name = "standard input";
		ret = incoming_take_standard(source);
	} else if (address.fd >= 0) {
		ret = incoming_take(address.fd, false);
		if (!ret)
			source->in = source->out = address.fd;
	} else {
		ret = listener_open(&in->listener, "--incoming", &address.at, err);
		source->listen = in->listener.fd;
		in->listener.fd = -1;
		return ret;
	}
	return ret ? error_errno(err, ret, "--incoming %s", arg) : 0;
}

void incoming_close(struct incoming *in)
{
	if (in->source.listen >= 0)
		close(in->source.listen);
	if (in->source.in >= 0)
		close(in->source.in);
	if (in->source.out >= 0 && in->source.out != in->source.in)
		close(in->source.out);
	in->source.listen = in->source.in = in->source.out = -1;
	listener_close(&in->listener);
}
