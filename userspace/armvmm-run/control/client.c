// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <glib-unix.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/client.h"
#include "control/qmp.h"
#include "control/splitter.h"
#include "core/machine.h"

#define CLIENT_INPUT	4096u		/* bytes that are read at a time */
#define CLIENT_FILES	4u		/* files that come with them; the kernel closes others */
#define CLIENT_ENOUGH	(64u << 10)	/* bytes that wait for the client: read nothing more */
#define CLIENT_MAX	(512u << 10)	/* and so many end the connection, if events come */

struct client {
	int fd;
	void (*gone)(void *opaque, struct client *client);
	void *opaque;
	struct qmp qmp;
	struct splitter splitter;
	char in[CLIENT_INPUT];
	size_t in_at, in_len;	/* bytes of .in that nobody looked at yet */
	GByteArray *out;
	GSource *source;	/* waits until something can be done next */
	GIOCondition waits_for;
	bool ended, failed;	/* it sends no more; it is to be dropped */
	bool busy;		/* it has its turn, and waits at its end */
};

static gboolean client_ready(int fd, GIOCondition condition, void *opaque);

static bool client_is_behind(const struct client *c)
{
	return c->out->len >= CLIENT_ENOUGH;
}

/* Sends as much as goes without waiting. */
static void client_flush(struct client *c)
{
	size_t done = 0;
	ssize_t n;

	while (done < c->out->len && !c->failed) {
		n = send(c->fd, c->out->data + done, c->out->len - done,
			 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0)
			done += n;
		else if (n < 0 && errno == EAGAIN)
			break;
		else if (n < 0 && errno != EINTR)
			c->failed = true;
	}
	if (done)
		g_byte_array_remove_range(c->out, 0, done);
}

static void client_say(struct client *c, char *line)
{
	g_byte_array_append(c->out, (const uint8_t *)line, strlen(line));
	g_free(line);
	client_flush(c);
}

/* @line may be NULL: the answer comes later. */
static void client_answer(struct client *c, char *line)
{
	if (line)
		client_say(c, line);
}

static void client_text(struct client *c, enum splitter_result result)
{
	switch (result) {
	case SPLITTER_MORE:
		return;
	case SPLITTER_TEXT:
		client_answer(c, qmp_answer(&c->qmp, c->splitter.text, c->splitter.length));
		return;
	case SPLITTER_TOO_LONG:
		client_say(c, qmp_refusal("JSON message size limit exceeded"));
		return;
	case SPLITTER_TOO_DEEP:
		client_say(c, qmp_refusal("JSON nesting depth limit exceeded"));
		return;
	case SPLITTER_BROKEN:
		client_say(c, qmp_refusal("JSON parse error: invalid JSON syntax"));
	}
}

/* Takes the files that came with bytes; commands see the last one. */
static void client_take_files(struct client *c, struct msghdr *msg)
{
	for (struct cmsghdr *m = CMSG_FIRSTHDR(msg); m; m = CMSG_NXTHDR(msg, m)) {
		size_t nr = (m->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (m->cmsg_level != SOL_SOCKET || m->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < nr; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(m) + i * sizeof(fd), sizeof(fd));
			command_session_take(&c->qmp.session, fd);
		}
	}
}

static void client_read(struct client *c)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(CLIENT_FILES * sizeof(int))];
	} files;
	struct iovec in = { c->in, sizeof(c->in) };
	struct msghdr msg = {
		.msg_iov = &in, .msg_iovlen = 1,
		.msg_control = &files, .msg_controllen = sizeof(files),
	};
	ssize_t n = recvmsg(c->fd, &msg, MSG_CMSG_CLOEXEC);

	if (n >= 0)
		client_take_files(c, &msg);
	if (n > 0) {
		c->in_at = 0;
		c->in_len = n;
	} else if (!n) {
		c->ended = true;
	} else if (errno != EAGAIN && errno != EINTR) {
		c->failed = true;
	}
}

/* Handles what was read, until the client has to take its answers, or to wait for one. */
static void client_work(struct client *c)
{
	enum splitter_result result;

	while (c->in_at < c->in_len && !client_is_behind(c) && !c->failed &&
	       !qmp_waits(&c->qmp)) {
		c->in_at += splitter_feed(&c->splitter, c->in + c->in_at, c->in_len - c->in_at,
					  &result);
		client_text(c, result);
	}
}

/* What to wait for; 0: nothing any more. A client that only listens still gets events. */
static GIOCondition client_next(const struct client *c)
{
	bool left = c->in_at < c->in_len;
	bool takes = !c->ended && !left && !client_is_behind(c);

	/* One that waits may go, which ends what it waits for. */
	if (qmp_waits(&c->qmp))
		return G_IO_HUP | (c->out->len ? G_IO_OUT : 0);
	/* What is left is looked at when the client takes its answers, or has none. */
	return (takes ? G_IO_IN : 0) | (c->out->len || left ? G_IO_OUT : 0);
}

static void client_wait(struct client *c)
{
	GIOCondition next = c->failed ? 0 : client_next(c);

	if (c->source && next == c->waits_for)
		return;
	if (c->source) {
		g_source_destroy(c->source);
		g_source_unref(c->source);
		c->source = NULL;
	}
	if (!next) {
		c->gone(c->opaque, c);
		return;
	}
	c->waits_for = next;
	c->source = g_unix_fd_source_new(c->fd, next);
	g_source_set_callback(c->source, G_SOURCE_FUNC(client_ready), c, NULL);
	g_source_attach(c->source, c->qmp.target->m->context);
}

/* Reads once in each turn of the main loop, so that others get their turns. */
static gboolean client_ready(int fd, GIOCondition condition, void *opaque)
{
	struct client *c = opaque;
	GSource *mine = g_source_ref(c->source);
	gboolean stays;

	c->busy = true;
	client_flush(c);
	if (qmp_waits(&c->qmp))
		c->failed |= condition & (G_IO_HUP | G_IO_ERR);
	else if (condition & (G_IO_IN | G_IO_HUP | G_IO_ERR) && c->in_at == c->in_len)
		client_read(c);
	client_work(c);
	c->busy = false;
	client_wait(c);
	/* The client may be gone, and its source with it. */
	stays = !g_source_is_destroyed(mine);
	g_source_unref(mine);
	return stays;
}

struct client *client_new(int fd, const struct command_target *target,
			  void (*gone)(void *opaque, struct client *client), void *opaque)
{
	struct client *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		return NULL;
	}
	c->fd = fd;
	c->gone = gone;
	c->opaque = opaque;
	c->qmp.target = target;
	c->out = g_byte_array_new();
	client_say(c, qmp_greeting());
	c->failed = false;	/* the first turn finds out, when its owner knows it */
	client_wait(c);
	return c;
}

void client_free(struct client *c)
{
	if (c->source) {
		g_source_destroy(c->source);
		g_source_unref(c->source);
	}
	close(c->fd);
	command_session_end(&c->qmp.session);
	g_byte_array_unref(c->out);
	free(c);
}

void client_event(struct client *c, const char *line)
{
	if (!c->qmp.negotiated)
		return;
	if (c->out->len + strlen(line) > CLIENT_MAX) {
		machine_warn(c->qmp.target->m,
			     "--control: a client that does not read what it is told is dropped");
		c->failed = true;
	} else {
		client_say(c, g_strdup(line));
	}
	if (!c->busy)
		client_wait(c);
}

void client_dumped(struct client *c)
{
	client_answer(c, qmp_later(&c->qmp));
	if (!c->busy)
		client_wait(c);
}
