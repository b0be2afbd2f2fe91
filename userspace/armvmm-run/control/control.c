// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <glib-unix.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control/client.h"
#include "control/control.h"
#include "control/qmp.h"
#include "control/value.h"
#include "core/named_socket.h"
#include "core/runstate.h"
#include "snapshot/dump.h"
#include "snapshot/save.h"
#include "snapshot/send.h"

#define CONTROL_CLIENTS	8	/* at once */
#define CONTROL_PAUSE_MS 1000	/* pause while the process can open no more files */

struct control {
	struct named_socket socket;
	struct command_target target;
	struct machine_listener events;
	GSource *source;	/* a client wants to be served, or the pause is over */
	struct client *client[CONTROL_CLIENTS];
};

static void control_client_gone(void *opaque, struct client *client)
{
	struct control *control = opaque;

	for (unsigned int i = 0; i < CONTROL_CLIENTS; i++)
		if (control->client[i] == client)
			control->client[i] = NULL;
	client_free(client);
}

static void control_event(struct machine_listener *events, const struct machine_event *event)
{
	struct control *control = container_of(events, struct control, events);
	char *line = qmp_event(event);

	for (unsigned int i = 0; line && i < CONTROL_CLIENTS; i++)
		if (control->client[i])
			client_event(control->client[i], line);
	g_free(line);
	for (unsigned int i = 0; event->type == MACHINE_EVENT_DUMP && i < CONTROL_CLIENTS; i++)
		if (control->client[i])
			client_dumped(control->client[i]);
}

/* Sends without waiting: a new connection has room for it. */
static void control_refuse(int fd)
{
	char *line = qmp_refusal("there are as many clients as are served at once");

	if (send(fd, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		errno = 0;	/* the client is gone, and needs no answer */
	g_free(line);
	close(fd);
}

static gboolean control_accept(int fd, GIOCondition condition, void *opaque);

/* Waits by @source, whose reference it takes, in place of what it waited by before. */
static void control_wait(struct control *control, GSource *source, GSourceFunc call)
{
	if (control->source) {
		g_source_destroy(control->source);
		g_source_unref(control->source);
	}
	control->source = source;
	g_source_set_callback(source, call, control, NULL);
	g_source_attach(source, control->target.m->context);
}

static gboolean control_look(void *opaque)
{
	struct control *control = opaque;

	control_wait(control, g_unix_fd_source_new(control->socket.fd, G_IO_IN),
		     G_SOURCE_FUNC(control_accept));
	return G_SOURCE_REMOVE;
}

static gboolean control_accept(int fd, GIOCondition condition, void *opaque)
{
	struct control *control = opaque;
	int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (client < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED))
		return G_SOURCE_CONTINUE;
	if (client < 0) {
		/* The client goes on waiting, and would wake us again at once. */
		control_wait(control, g_timeout_source_new(CONTROL_PAUSE_MS), control_look);
		return G_SOURCE_REMOVE;
	}
	for (unsigned int i = 0; i < CONTROL_CLIENTS; i++) {
		if (control->client[i])
			continue;
		control->client[i] = client_new(client, &control->target, control_client_gone,
						control);
		return G_SOURCE_CONTINUE;
	}
	control_refuse(client);
	return G_SOURCE_CONTINUE;
}

int control_create(struct control **out, const struct address *address, struct error *err)
{
	struct control *control = calloc(1, sizeof(*control));
	struct error why;
	int ret;

	*out = NULL;
	if (!control)
		return error_errno(err, -ENOMEM, "--control");
	value_prepare();
	ret = named_socket_open(&control->socket, address->path, CONTROL_CLIENTS, address->named,
				&why);
	if (ret) {
		free(control);
		return error_set(err, ret, "--control %.480s", why.text);
	}
	*out = control;
	return 0;
}

int control_start(struct control *control, struct machine *m, const char *name,
		  struct error *err)
{
	int ret = chardev_keep(m->chardev, COMMAND_CONSOLE_SIZE);

	if (ret)
		return error_errno(err, ret, "--control");
	control->target = (struct command_target){ .m = m, .name = name, .save = save_new(m),
						    .send = send_new(m), .dump = dump_new(m) };
	control->events.event = control_event;
	machine_listen(m, &control->events);
	control_look(control);
	return 0;
}

bool control_guest_has_left(const struct control *control)
{
	return control && control->target.send && send_has_stopped(control->target.send);
}

bool control_guest_follows(const struct control *control, uint64_t *left)
{
	struct send_status status;

	if (!control || !control->target.send || !send_is_following(control->target.send))
		return false;
	send_get(control->target.send, &status);
	*left = status.left;
	return true;
}

void control_stop(struct control *control)
{
	if (!control || !control->source)
		return;
	g_source_destroy(control->source);
	g_source_unref(control->source);
	control->source = NULL;
	machine_unlisten(control->target.m, &control->events);
	for (unsigned int i = 0; i < CONTROL_CLIENTS; i++)
		if (control->client[i])
			client_free(control->client[i]);
	memset(control->client, 0, sizeof(control->client));
	dump_free(control->target.dump);
	save_free(control->target.save);
	send_free(control->target.send);
	control->target.save = NULL;
	control->target.send = NULL;
	control->target.dump = NULL;
}

void control_destroy(struct control *control)
{
	if (!control)
		return;
	control_stop(control);
	named_socket_close(&control->socket);
	free(control);
}
