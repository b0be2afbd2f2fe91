// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <glib.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/parse.h"
#include "core/runstate.h"
#include "notify.h"

/* What is read goes on, or hangs: then a start that takes longer than the manager allows fails. */
#define NOTIFY_READING		"EXTEND_TIMEOUT_USEC=60000000"
#define NOTIFY_READING_US	(5 * G_USEC_PER_SEC)	/* between two of these */

struct notify {
	int fd;
	struct machine *m;	/* NULL: not started */
	struct machine_listener listener;
	gint64 extended;	/* when the manager was last asked for more time; 0: not yet */
	uint64_t watchdog;	/* microseconds until the manager takes us for dead; 0: none */
	GSource *timer;
};

/* A manager that does not listen is not waited for: what it misses is a status. */
static void notify_send(struct notify *notify, const char *text)
{
	if (send(notify->fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		errno = 0;
}

static const char *notify_text(const struct machine *m, enum machine_event_type type)
{
	switch (type) {
	case MACHINE_EVENT_START:
		return machine_is_held(m) ? "READY=1\nSTATUS=The guest is stopped before its start" :
					    "READY=1\nSTATUS=The guest runs";
	case MACHINE_EVENT_AWAIT:
		/* It may come in days, or never: the service is one that waits. */
		return "READY=1\nSTATUS=Waits for a guest";
	case MACHINE_EVENT_STOP:
		return "STATUS=The guest is stopped";
	case MACHINE_EVENT_RESUME:
		return "STATUS=The guest runs";
	case MACHINE_EVENT_POWERDOWN:
		return "STATUS=The guest's power button was pressed";
	case MACHINE_EVENT_PANICKED:
		return "STATUS=The guest's kernel has panicked";
	case MACHINE_EVENT_CRASHLOADED:
		return "STATUS=The guest's kernel has panicked, and its crash kernel runs";
	case MACHINE_EVENT_RESET:
		return "STATUS=The guest starts over";
	case MACHINE_EVENT_SHUTDOWN:
		return "STOPPING=1\nSTATUS=The guest has ended";
	default:
		return NULL;
	}
}

/* A part of a snapshot is a mebibyte: there are thousands. */
static void notify_reading(struct notify *notify)
{
	gint64 now = g_get_monotonic_time();

	if (notify->extended && now - notify->extended < NOTIFY_READING_US)
		return;
	notify->extended = now;
	notify_send(notify, NOTIFY_READING);
}

static void notify_event(struct machine_listener *listener, const struct machine_event *event)
{
	struct notify *notify = container_of(listener, struct notify, listener);
	const char *text = notify_text(notify->m, event->type);

	if (event->type == MACHINE_EVENT_READING)
		notify_reading(notify);
	if (text)
		notify_send(notify, text);
}

static gboolean notify_alive(void *opaque)
{
	notify_send(opaque, "WATCHDOG=1");
	return G_SOURCE_CONTINUE;
}

/* A path, or, behind an @, a name in the abstract namespace. */
static int notify_connect(int fd, const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(name);

	if (*name != '/' && *name != '@')
		return -EAFNOSUPPORT;
	if (len >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, name, len);
	if (*name == '@')
		address.sun_path[0] = '\0';
	len += offsetof(struct sockaddr_un, sun_path) + (*name == '/');
	return connect(fd, (struct sockaddr *)&address, len) ? -errno : 0;
}

/* The manager's watchdog, unless it is that of another process. */
static uint64_t notify_find_watchdog(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	uint64_t n = 0, who = 0;

	if (!usec || parse_number_all(usec, INT64_MAX, &n))
		return 0;
	if (pid && (parse_number_all(pid, INT32_MAX, &who) || who != (uint64_t)getpid()))
		return 0;
	return n;
}

int notify_create(struct notify **out, struct error *err)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct notify *notify;
	int ret;

	*out = NULL;
	if (!name)
		return 0;
	notify = calloc(1, sizeof(*notify));
	if (!notify)
		return error_errno(err, -ENOMEM, "$NOTIFY_SOCKET");
	notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ret = notify->fd < 0 ? -errno : notify_connect(notify->fd, name);
	if (ret) {
		error_errno(err, ret, "$NOTIFY_SOCKET (%s)", name);
		notify_destroy(notify);
		return ret;
	}
	notify->watchdog = notify_find_watchdog();
	/* What we start is not the service. */
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	*out = notify;
	return 0;
}

void notify_start(struct notify *notify, struct machine *m)
{
	if (!notify)
		return;
	notify->m = m;
	notify->listener.event = notify_event;
	machine_listen(m, &notify->listener);
	if (!notify->watchdog)
		return;
	/* Twice in its time, as sd_watchdog_enabled(3) asks. */
	notify->timer = g_timeout_source_new(CLAMP(notify->watchdog / 2000, 1, G_MAXINT));
	g_source_set_callback(notify->timer, notify_alive, notify, NULL);
	g_source_attach(notify->timer, m->context);
}

void notify_destroy(struct notify *notify)
{
	if (!notify)
		return;
	if (notify->m)
		machine_unlisten(notify->m, &notify->listener);
	if (notify->timer) {
		g_source_destroy(notify->timer);
		g_source_unref(notify->timer);
	}
	if (notify->fd >= 0)
		close(notify->fd);
	free(notify);
}
