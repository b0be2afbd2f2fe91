// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "control/value.h"
#include "console.h"
#include "dump.h"
#include "migrate.h"
#include "quit.h"
#include "snapshot.h"
#include "verb.h"

#define VERB_CONSOLE_SIZE	65536

/* A command that returns nothing. @name is QMP's. */
static bool verb_do(struct connection *c, const char *name, json_t *args, GError **err)
{
	json_t *value = connection_run(c, name, args, err);
	bool done = value;

	json_decref(value);
	return done;
}

static bool verb_stop(struct connection *c, char **args, GError **err)
{
	return verb_do(c, "stop", NULL, err);
}

static const char *const verb_cont_options[] = { "--anyway", NULL };

static bool verb_cont(struct connection *c, char **args, GError **err)
{
	return verb_do(c, args[0] ? "__armvmm_cont_anyway" : "cont", NULL, err);
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
	return quit_machine(c, err);
}

/* What an answer lacks is printed as a question mark; a number that it lacks, as 0. */
static const char *verb_text(json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));

	return text ? text : "?";
}

static long long verb_number(json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

static bool verb_status(struct connection *c, char **args, GError **err)
{
	json_t *value = connection_run(c, "query-status", NULL, err);

	if (!value)
		return false;
	puts(verb_text(value, "status"));
	json_decref(value);
	return true;
}

static bool verb_each(struct connection *c, const char *name, void (*print)(json_t *o),
		      GError **err)
{
	json_t *list = connection_run(c, name, NULL, err), *o;
	size_t i;

	if (!list)
		return false;
	json_array_foreach(list, i, o)
		print(o);
	json_decref(list);
	return true;
}

static void verb_print_cpu(json_t *o)
{
	printf("%lld\tthread %lld\n", verb_number(o, "cpu-index"), verb_number(o, "thread-id"));
}

static bool verb_cpus(struct connection *c, char **args, GError **err)
{
	return verb_each(c, "query-cpus-fast", verb_print_cpu, err);
}

static void verb_print_disk(json_t *o)
{
	json_t *inserted = json_object_get(o, "inserted");
	json_t *image = json_object_get(inserted, "image");

	if (!image) {
		printf("%s\n", verb_text(o, "device"));
		return;
	}
	printf("%s\t%lld\t%s\t%s\n", verb_text(o, "device"), verb_number(image, "virtual-size"),
	       json_is_true(json_object_get(inserted, "ro")) ? "ro" : "rw",
	       verb_text(image, "filename"));
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

/* Sets @err where @text is no size. */
static bool verb_want_size(const char *text, gint64 *size, GError **err)
{
	if (verb_size(text, size))
		return true;
	g_set_error(err, CONNECTION_ERROR, CONNECTION_REFUSED,
		    "%s: is no size (bytes, or with K, M, G or T)", text);
	return false;
}

static bool verb_resize(struct connection *c, char **args, GError **err)
{
	gint64 size;

	if (!verb_want_size(args[1], &size, err))
		return false;
	return verb_do(c, "block_resize",
		       json_pack("{s:o, s:I}", "device", value_text(args[0]), "size",
				 (json_int_t)size), err);
}

static bool verb_balloon(struct connection *c, char **args, GError **err)
{
	gint64 size;

	if (!verb_want_size(args[0], &size, err))
		return false;
	return verb_do(c, "balloon", json_pack("{s:I}", "value", (json_int_t)size), err);
}

/* What the guest has, and what it last told of it. What it did not tell is left out. */
static bool verb_memory(struct connection *c, char **args, GError **err)
{
	json_t *actual = connection_run(c, "query-balloon", NULL, err), *told, *value;
	const char *name;

	if (!actual)
		return false;
	printf("actual\t%lld\n", verb_number(actual, "actual"));
	json_decref(actual);
	told = connection_run(c, "qom-get", json_pack("{s:s, s:s}", "path", "balloon0",
						       "property", "guest-stats"), err);
	if (!told)
		return false;
	json_object_foreach(json_object_get(told, "stats"), name, value)
		if (json_integer_value(value) >= 0)
			printf("%s\t%lld\n", g_str_has_prefix(name, "stat-") ? name + 5 : name,
			       (long long)json_integer_value(value));
	if (verb_number(told, "last-update"))
		printf("told\t%lld\n", verb_number(told, "last-update"));
	json_decref(told);
	return true;
}

/* Prints the output that nobody has read yet, byte for byte. */
static bool verb_printed(struct connection *c, GError **err)
{
	json_t *value = connection_run(c, "ringbuf-read",
				       json_pack("{s:s, s:i, s:s}", "device", "console",
						 "size", VERB_CONSOLE_SIZE, "format", "base64"),
				       err);
	guchar *bytes;
	gsize len;

	if (!value)
		return false;
	if (json_is_string(value)) {
		bytes = g_base64_decode(json_string_value(value), &len);
		fwrite(bytes, 1, len, stdout);
		g_free(bytes);
	}
	json_decref(value);
	return true;
}

static bool verb_console(struct connection *c, char **args, GError **err)
{
	return args[0] ? console_join(c, args[0], err) : verb_printed(c, err);
}

static void verb_print_console(json_t *o)
{
	printf("%s\t%s\n", verb_text(o, "label"), verb_text(o, "filename"));
}

static bool verb_consoles(struct connection *c, char **args, GError **err)
{
	return verb_each(c, "query-chardev", verb_print_console, err);
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

/* Prints events until the machine ends. */
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
	{ "status", 0, "", verb_status, NULL },
	{ "stop", 0, "", verb_stop, NULL },
	{ "cont", 0, "", verb_cont, verb_cont_options },
	{ "powerdown", 0, "", verb_powerdown, NULL },
	{ "reset", 0, "", verb_reset, NULL },
	{ "quit", 0, "", verb_quit, NULL },
	{ "cpus", 0, "", verb_cpus, NULL },
	{ "disks", 0, "", verb_disks, NULL },
	{ "resize", 2, "ID SIZE", verb_resize, NULL },
	{ "balloon", 1, "SIZE", verb_balloon, NULL },
	{ "memory", 0, "", verb_memory, NULL },
	{ "console", 0, "[ID]", verb_console, NULL },
	{ "consoles", 0, "", verb_consoles, NULL },
	{ "snapshot", 1, "FILE", snapshot_save, snapshot_options },
	{ "migrate", 1, "TO", migrate_run, migrate_options },
	{ "dump", 1, "FILE", dump_write, NULL },
	{ "events", 0, "", verb_events, NULL },
	{ "qmp", 1, "JSON", verb_qmp, NULL },
};

const struct verb *verb_find(const char *name)
{
	for (unsigned int i = 0; i < G_N_ELEMENTS(verbs); i++)
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}
