// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "connection.h"

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

static bool connection_send(struct connection *c, const char *text, GError **err)
{
	size_t len = strlen(text), done = 0;

	while (done < len) {
		ssize_t n = send(c->fd, text + done, len - done, MSG_NOSIGNAL);

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

/* The next line that it sends, without its end. NULL: there is none any more. */
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

/* The message's object, which holds a reference; NULL: it is none. */
static JsonObject *connection_parse(const char *line)
{
	JsonNode *node = json_from_string(line, NULL);
	JsonObject *o = NULL;

	if (node && JSON_NODE_HOLDS_OBJECT(node))
		o = json_node_dup_object(node);
	if (node)
		json_node_unref(node);
	return o;
}

/* The next line that is an event, or that is none. */
static char *connection_next(struct connection *c, bool event)
{
	char *line;

	while ((line = connection_line(c))) {
		JsonObject *o = connection_parse(line);
		bool is = o && json_object_has_member(o, "event");

		if (o)
			json_object_unref(o);
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

char *connection_raw(struct connection *c, const char *text, GError **err)
{
	char *line;

	if (!connection_send(c, text, err) || !connection_send(c, "\n", err))
		return NULL;
	line = connection_next(c, false);
	if (!line)
		connection_ended(c, err);
	return line;
}

/* What the answer @line returns, or NULL with @err set to its error. */
static JsonNode *connection_answer(struct connection *c, const char *line, GError **err)
{
	JsonObject *o = connection_parse(line), *error = NULL;
	JsonNode *node = o ? json_object_dup_member(o, "return") : NULL;

	if (o && !node && json_object_has_member(o, "error"))
		error = json_object_get_object_member(o, "error");
	if (!node)
		g_set_error(err, CONNECTION_ERROR, CONNECTION_REFUSED, "%s",
			    error && json_object_has_member(error, "desc") ?
			    json_object_get_string_member(error, "desc") :
			    "what it answers is no QMP");
	if (o)
		json_object_unref(o);
	return node;
}

JsonNode *connection_run(struct connection *c, const char *name, JsonObject *args, GError **err)
{
	JsonObject *o = json_object_new();
	JsonNode *node = json_node_new(JSON_NODE_OBJECT), *value = NULL;
	char *text, *line;

	json_object_set_string_member(o, "execute", name);
	if (args)
		json_object_set_object_member(o, "arguments", args);
	json_node_take_object(node, o);
	text = json_to_string(node, FALSE);
	line = connection_raw(c, text, err);
	if (line)
		value = connection_answer(c, line, err);
	g_free(line);
	g_free(text);
	json_node_unref(node);
	return value;
}

static bool connection_negotiate(struct connection *c, GError **err)
{
	char *greeting = connection_line(c);
	JsonObject *o = greeting ? connection_parse(greeting) : NULL;
	bool is = o && json_object_has_member(o, "QMP");
	JsonNode *node = NULL;

	if (is)
		node = connection_run(c, "qmp_capabilities", NULL, err);
	else if (greeting)
		/* It does not serve us, and says why. */
		node = connection_answer(c, greeting, err);
	else
		connection_ended(c, err);
	if (node)
		json_node_unref(node);
	if (o)
		json_object_unref(o);
	g_free(greeting);
	return is && node;
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

void connection_close(struct connection *c)
{
	if (!c)
		return;
	if (c->fd >= 0)
		close(c->fd);
	g_string_free(c->in, TRUE);
	g_free(c);
}
