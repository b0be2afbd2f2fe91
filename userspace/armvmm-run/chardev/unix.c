// SPDX-License-Identifier: GPL-2.0-only
/*
 * A Unix socket that listens. A person who comes second is told that there is another one, and
 * goes; a program waits.
 */
#include <errno.h>
#include <glib-unix.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "chardev/backend.h"
#include "chardev/channel.h"
#include "core/device.h"
#include "core/machine.h"
#include "core/named_socket.h"

#define UNIX_BACKLOG	4
#define UNIX_PAUSE_MS	1000	/* while the process can open no more files */

struct unix_chardev {
	struct channel channel;
	struct named_socket socket;
	GSource *accept;	/* somebody comes, or the pause is over; NULL: they wait */
};

static struct unix_chardev *to_unix(struct channel *channel)
{
	return container_of(channel, struct unix_chardev, channel);
}

static void unix_listen(struct unix_chardev *u);

static void unix_wait(struct unix_chardev *u, GSource *source, GSourceFunc call)
{
	if (u->accept) {
		g_source_destroy(u->accept);
		g_source_unref(u->accept);
	}
	u->accept = source;
	if (!source)
		return;
	g_source_set_callback(source, call, u, NULL);
	g_source_attach(source, NULL);
}

static gboolean unix_pause_over(void *opaque)
{
	unix_listen(opaque);
	return G_SOURCE_REMOVE;
}

/* Sends without waiting: a new connection has room for it. */
static void unix_refuse(int fd)
{
	static const char words[] = "armvmm-run: somebody else has this console\r\n";

	if (send(fd, words, sizeof(words) - 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		errno = 0;	/* they are gone, and need no answer */
	close(fd);
}

static gboolean unix_accept(int fd, GIOCondition condition, void *opaque)
{
	struct unix_chardev *u = opaque;
	struct channel *channel = &u->channel;
	int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (client < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED))
		return G_SOURCE_CONTINUE;
	if (client < 0) {
		/* They go on waiting, and would wake us again at once. */
		unix_wait(u, g_timeout_source_new(UNIX_PAUSE_MS), unix_pause_over);
		return G_SOURCE_REMOVE;
	}
	if (!channel_is_free(channel)) {
		unix_refuse(client);
		return G_SOURCE_CONTINUE;
	}
	/* What one who is gone had typed, and the guest has not taken, is not worth waiting for. */
	if (channel->fd >= 0)
		channel_leave(channel);
	channel_enter(channel, client, OUTPUT_SOCKET);
	if (!channel->stream)
		return G_SOURCE_CONTINUE;
	unix_wait(u, NULL, NULL);
	return G_SOURCE_REMOVE;
}

static void unix_listen(struct unix_chardev *u)
{
	unix_wait(u, g_unix_fd_source_new(u->socket.fd, G_IO_IN), G_SOURCE_FUNC(unix_accept));
}

static void unix_left(struct channel *channel, int fd)
{
	struct unix_chardev *u = to_unix(channel);

	close(fd);
	if (channel->stream)
		unix_listen(u);
}

static void unix_destroy(struct channel *channel)
{
	struct unix_chardev *u = to_unix(channel);
	int fd = channel->fd;

	unix_wait(u, NULL, NULL);
	channel_exit(channel);
	if (fd >= 0)
		close(fd);
	named_socket_close(&u->socket);
	free(u);
}

static const struct channel_ops unix_ops = { .left = unix_left, .destroy = unix_destroy };

/* As clients of the control socket see it, who are in other folders. */
static char *unix_name(const char *path)
{
	char *whole = g_canonicalize_filename(path, NULL);
	char *name = g_strconcat("unix:", whole, ",server=on", NULL);

	g_free(whole);
	return name;
}

static int unix_create(struct machine *m, const struct backend *backend, bool stream,
		       struct chardev **chr, struct error *err)
{
	struct unix_chardev *u = calloc(1, sizeof(*u));
	struct error why;
	char *name;
	int ret;

	if (!u)
		return error_errno(err, -ENOMEM, "%s", backend->label);
	ret = named_socket_open(&u->socket, backend->path, UNIX_BACKLOG, false, &why);
	if (ret) {
		free(u);
		return error_set(err, ret, "%s: %.480s", backend->label, why.text);
	}
	name = unix_name(backend->path);
	ret = channel_init(&u->channel, &unix_ops, stream, name, backend->label, err);
	g_free(name);
	if (ret) {
		named_socket_close(&u->socket);
		free(u);
		return ret;
	}
	m->accepts = true;
	unix_listen(u);
	*chr = &u->channel.chr;
	return 0;
}

static const struct backend_type unix_type = {
	.name = "unix",
	.args = "unix:PATH",
	.summary = "a Unix socket to which one may connect at a time",
	.wants_path = true,
	.opens = true,
	.create = unix_create,
};
BACKEND_TYPE(unix_type);
