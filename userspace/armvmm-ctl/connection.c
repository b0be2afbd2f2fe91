// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "connection.h"
#include "control/value.h"

#define CONNECTION_MAX_LINE	(4u << 20)	/* bytes of an answer */

struct connection {
	int fd;
	const char *path;
	GString *in;
};

static void connection_ended(struct connection *c, GError **err)
{
	g_set_error(err, CONNECTION_ERROR, CONNECTION_FAILED, "%s: the virtual machine has gone",
		    c->path);
}

/* Sends bytes, and with them the file @fd, unless it is -1. */
static ssize_t connection_send_some(int to, const char *text, size_t len, int fd)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} file = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
			     .cmsg_type = SCM_RIGHTS } };
	struct iovec out = { (char *)text, len };
	struct msghdr msg = { .msg_iov = &out, .msg_iovlen = 1 };

	if (fd >= 0) {
		memcpy(CMSG_DATA(&file.head), &fd, sizeof(fd));
		msg.msg_control = &file;
		msg.msg_controllen = sizeof(file);
	}
	return sendmsg(to, &msg, MSG_NOSIGNAL);
}

static bool connection_send(struct connection *c, const char *text, int fd, GError **err)
{
	size_t len = strlen(text), done = 0;

	while (done < len) {
		ssize_t n = connection_send_some(c->fd, text + done, len - done, done ? -1 : fd);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			connection_ended(c, err);
			return false;
		}
		done += n;
	}
	return true;
}

/* Returns the next line from the machine, without its end. NULL: no more will come. */
static char *connection_line(struct connection *c)
{
	char buf[4096], *end, *line;
	ssize_t n;

	while (!(end = memchr(c->in->str, '\n', c->in->len))) {
		n = read(c->fd, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || c->in->len > CONNECTION_MAX_LINE)
			return NULL;
		g_string_append_len(c->in, buf, n);
	}
	line = g_strndup(c->in->str, end - c->in->str);
	g_string_erase(c->in, 0, end - c->in->str + 1);
	return g_strchomp(line);
}

/* Returns the next line that is an event (@event), or the next one that is not. */
static char *connection_next(struct connection *c, bool event)
{
	char *line;

	while ((line = connection_line(c))) {
		json_t *message = json_loads(line, 0, NULL);
		bool is = json_object_get(message, "event");

		json_decref(message);
		if (is == event)
			return line;
		g_free(line);
	}
	return NULL;
}

char *connection_event(struct connection *c)
{
	return connection_next(c, true);
}

static char *connection_ask(struct connection *c, const char *text, int fd, GError **err)
{
	char *line;

	if (!connection_send(c, text, fd, err) || !connection_send(c, "\n", -1, err))
		return NULL;
	line = connection_next(c, false);
	if (!line)
		connection_ended(c, err);
	return line;
}

char *connection_raw(struct connection *c, const char *text, GError **err)
{
	return connection_ask(c, text, -1, err);
}

/* Returns the value in the answer @line, or NULL with @err set to its error. */
static json_t *connection_answer(struct connection *c, const char *line, GError **err)
{
	json_t *answer = json_loads(line, 0, NULL);
	json_t *value = json_incref(json_object_get(answer, "return"));
	const char *desc = json_string_value(json_object_get(json_object_get(answer, "error"),
							     "desc"));

	if (!value)
		g_set_error(err, CONNECTION_ERROR, CONNECTION_REFUSED, "%s",
			    desc ? desc : "its answer is not QMP: is this a control socket of armvmm-run?");
	json_decref(answer);
	return value;
}

json_t *connection_run(struct connection *c, const char *name, json_t *args, GError **err)
{
	return connection_run_file(c, name, args, -1, err);
}

json_t *connection_run_file(struct connection *c, const char *name, json_t *args, int fd,
			    GError **err)
{
	json_t *message = json_pack("{s:s}", "execute", name), *value = NULL;
	char *text, *line;

	if (args)
		json_object_set_new(message, "arguments", args);
	text = value_print(message);
	line = connection_ask(c, text, fd, err);
	if (line)
		value = connection_answer(c, line, err);
	g_free(line);
	g_free(text);
	json_decref(message);
	return value;
}

static bool connection_negotiate(struct connection *c, GError **err)
{
	char *line = connection_line(c);
	json_t *greeting = line ? json_loads(line, 0, NULL) : NULL;
	bool is = json_object_get(greeting, "QMP");
	json_t *value = NULL;

	if (is)
		value = connection_run(c, "qmp_capabilities", NULL, err);
	else if (line)
		/* The machine does not serve us, and says why. */
		value = connection_answer(c, line, err);
	else
		connection_ended(c, err);
	is = is && value;
	json_decref(value);
	json_decref(greeting);
	g_free(line);
	return is;
}

struct connection *connection_open(const char *path, GError **err)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct connection *c = g_new0(struct connection, 1);

	c->path = path;
	c->in = g_string_new(NULL);
	g_strlcpy(sun.sun_path, path, sizeof(sun.sun_path));
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&sun, sizeof(sun))) {
		if (errno == ENOENT || errno == ECONNREFUSED)
			g_set_error(err, CONNECTION_ERROR, CONNECTION_FAILED,
				    "%s: no virtual machine has this socket now", path);
		else
			g_set_error(err, CONNECTION_ERROR, CONNECTION_FAILED, "%s: %s", path,
				    g_strerror(errno));
	} else if (connection_negotiate(c, err)) {
		return c;
	}
	connection_close(c);
	return NULL;
}

int connection_fd(const struct connection *c)
{
	return c->fd;
}

void connection_close(struct connection *c)
{
	if (!c)
		return;
	if (c->fd >= 0)
		close(c->fd);
	g_string_free(c->in, TRUE);
	g_free(c);
}
