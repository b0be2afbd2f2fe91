// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "verb.h"

#define VERB_CONSOLE_SIZE	65536

/* A command that returns nothing. @name is QMP's. */
static bool verb_do(struct connection *c, const char *name, JsonObject *args, GError **err)
{
	JsonNode *node = connection_run(c, name, args, err);

	if (node)
		json_node_unref(node);
	return node;
}

static bool verb_stop(struct connection *c, char **args, GError **err)
{
	return verb_do(c, "stop", NULL, err);
}

static bool verb_cont(struct connection *c, char **args, GError **err)
{
	return verb_do(c, "cont", NULL, err);
}

static bool verb_powerdown(struct connection *c, char **args, GError **err)
{
	return verb_do(c, "system_powerdown", NULL, err);
}

static bool verb_reset(struct connection *c, char **args, GError **err)
{
	return verb_do(c, "system_reset", NULL, err);
}

static bool verb_quit(struct connection *c, char **args, GError **err)
{
	return verb_do(c, "quit", NULL, err);
}

/* An answer that lacks what it must have prints as nothing. */
static JsonObject *verb_object(JsonNode *node)
{
	return JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static bool verb_status(struct connection *c, char **args, GError **err)
{
	JsonNode *node = connection_run(c, "query-status", NULL, err);

	if (!node)
		return false;
	if (verb_object(node))
		puts(json_object_get_string_member_with_default(verb_object(node), "status", "?"));
	json_node_unref(node);
	return true;
}

static bool verb_each(struct connection *c, const char *name, void (*print)(JsonObject *o),
		      GError **err)
{
	JsonNode *node = connection_run(c, name, NULL, err);
	JsonArray *list;

	if (!node)
		return false;
	list = JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node) : NULL;
	for (unsigned int i = 0; list && i < json_array_get_length(list); i++)
		if (verb_object(json_array_get_element(list, i)))
			print(json_array_get_object_element(list, i));
	json_node_unref(node);
	return true;
}

static void verb_print_cpu(JsonObject *o)
{
	printf("%lld\tthread %lld\n",
	       (long long)json_object_get_int_member_with_default(o, "cpu-index", -1),
	       (long long)json_object_get_int_member_with_default(o, "thread-id", 0));
}

static bool verb_cpus(struct connection *c, char **args, GError **err)
{
	return verb_each(c, "query-cpus-fast", verb_print_cpu, err);
}

static JsonObject *verb_member(JsonObject *o, const char *name)
{
	JsonNode *node = o ? json_object_get_member(o, name) : NULL;

	return node ? verb_object(node) : NULL;
}

static void verb_print_disk(JsonObject *o)
{
	JsonObject *inserted = verb_member(o, "inserted");
	JsonObject *image = verb_member(inserted, "image");
	const char *id = json_object_get_string_member_with_default(o, "device", "?");

	if (!image) {
		printf("%s\n", id);
		return;
	}
	printf("%s\t%lld\t%s\t%s\n", id,
	       (long long)json_object_get_int_member_with_default(image, "virtual-size", 0),
	       json_object_get_boolean_member_with_default(inserted, "ro", FALSE) ? "ro" : "rw",
	       json_object_get_string_member_with_default(image, "filename", "?"));
}

static bool verb_disks(struct connection *c, char **args, GError **err)
{
	return verb_each(c, "query-block", verb_print_disk, err);
}

/* Bytes, or with K, M, G, T. */
static bool verb_size(const char *text, gint64 *size)
{
	static const char units[] = "KMGT";
	const char *unit;
	char *end;
	guint64 n = g_ascii_strtoull(text, &end, 10);
	unsigned int shift = 0;

	if (!g_ascii_isdigit(*text))
		return false;
	if (*end) {
		unit = strchr(units, g_ascii_toupper(*end));
		if (!unit || end[1])
			return false;
		shift = 10 * (unit - units + 1);
	}
	if (!n || n > (guint64)G_MAXINT64 >> shift)
		return false;
	*size = n << shift;
	return true;
}

static bool verb_resize(struct connection *c, char **args, GError **err)
{
	JsonObject *o;
	gint64 size;

	if (!verb_size(args[1], &size)) {
		g_set_error(err, CONNECTION_ERROR, CONNECTION_REFUSED,
			    "%s: is no size (bytes, or with K, M, G or T)", args[1]);
		return false;
	}
	o = json_object_new();
	json_object_set_string_member(o, "device", args[0]);
	json_object_set_int_member(o, "size", size);
	return verb_do(c, "block_resize", o, err);
}

/* What nobody has read yet, byte for byte. */
static bool verb_console(struct connection *c, char **args, GError **err)
{
	JsonObject *o = json_object_new();
	JsonNode *node;
	guchar *bytes;
	gsize len;

	json_object_set_string_member(o, "device", "console");
	json_object_set_int_member(o, "size", VERB_CONSOLE_SIZE);
	json_object_set_string_member(o, "format", "base64");
	node = connection_run(c, "ringbuf-read", o, err);
	if (!node)
		return false;
	if (JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING) {
		bytes = g_base64_decode(json_node_get_string(node), &len);
		fwrite(bytes, 1, len, stdout);
		g_free(bytes);
	}
	json_node_unref(node);
	return true;
}

static bool verb_qmp(struct connection *c, char **args, GError **err)
{
	char *answer = connection_raw(c, args[0], err);
	bool good;

	if (!answer)
		return false;
	puts(answer);
	good = !g_str_has_prefix(answer, "{\"error\"");
	g_free(answer);
	if (!good)
		g_set_error(err, CONNECTION_ERROR, CONNECTION_REFUSED, "%s", "the answer is an error");
	return good;
}

/* Until the machine ends. */
static bool verb_events(struct connection *c, char **args, GError **err)
{
	char *event;

	while ((event = connection_event(c))) {
		puts(event);
		fflush(stdout);
		g_free(event);
	}
	return true;
}

static const struct verb verbs[] = {
	{ "status", 0, "", verb_status },
	{ "stop", 0, "", verb_stop },
	{ "cont", 0, "", verb_cont },
	{ "powerdown", 0, "", verb_powerdown },
	{ "reset", 0, "", verb_reset },
	{ "quit", 0, "", verb_quit },
	{ "cpus", 0, "", verb_cpus },
	{ "disks", 0, "", verb_disks },
	{ "resize", 2, "ID SIZE", verb_resize },
	{ "console", 0, "", verb_console },
	{ "events", 0, "", verb_events },
	{ "qmp", 1, "JSON", verb_qmp },
};

const struct verb *verb_find(const char *name)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(verbs); i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}
