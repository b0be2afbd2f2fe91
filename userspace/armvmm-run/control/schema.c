// SPDX-License-Identifier: GPL-2.0-only
#include <glib.h>
#include <string.h>

#include "control/command.h"
#include "control/qmp.h"
#include "control/schema.h"

#define SCHEMA_EMPTY	"empty"
#define SCHEMA_LIST	"[any]"

/* The data of an event. */
static const struct {
	const char *name;
	struct command_arg data[COMMAND_MAX_ARGS];
} schema_events[] = {
	{ "STOP", {} },
	{ "RESUME", {} },
	{ "POWERDOWN", {} },
	{ "RESET", { { "guest", COMMAND_BOOL, .optional = false },
		     { "reason", COMMAND_STRING, .optional = false } } },
	{ "SHUTDOWN", { { "guest", COMMAND_BOOL, .optional = false },
			{ "reason", COMMAND_STRING, .optional = false } } },
	{ "BALLOON_CHANGE", { { "actual", COMMAND_INT, .optional = false } } },
	{ "MIGRATION", { { "status", COMMAND_STRING, .optional = false } } },
	{ "RTC_CHANGE", { { "offset", COMMAND_INT, .optional = false },
			  { "qom-path", COMMAND_STRING, .optional = false } } },
	{ "GUEST_PANICKED", { { "action", COMMAND_STRING, .optional = false } } },
	{ "GUEST_CRASHLOADED", { { "action", COMMAND_STRING, .optional = false } } },
	{ "DUMP_COMPLETED", { { "result", COMMAND_OBJECT, .optional = false },
			      { "error", COMMAND_STRING, .optional = true } } },
};

static const char *schema_type(enum command_type type)
{
	static const char *const names[] = {
		[COMMAND_STRING] = "str", [COMMAND_INT] = "int", [COMMAND_BOOL] = "bool",
		[COMMAND_ARRAY] = SCHEMA_LIST, [COMMAND_OBJECT] = "any",
	};

	return names[type];
}

static void schema_builtin(json_t *list, const char *name, const char *json)
{
	json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "name", name, "meta-type",
					      "builtin", "json-type", json));
}

static json_t *schema_members(const struct command_arg *args)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < COMMAND_MAX_ARGS && args[i].name; i++) {
		json_t *o;

		if (!strcmp(args[i].name, COMMAND_MORE))
			continue;
		o = json_pack("{s:s, s:s}", "name", args[i].name, "type",
			      schema_type(args[i].type));
		/* A default makes it optional; which one, QEMU does not say either. */
		if (args[i].optional)
			json_object_set_new(o, "default", json_null());
		json_array_append_new(list, o);
	}
	return list;
}

static void schema_object(json_t *list, const char *name, json_t *members)
{
	json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "name", name, "meta-type", "object",
					      "members", members));
}

/* Adds a type for the arguments, unless there are none. Returns its name; free it by g_free(). */
static char *schema_arguments(json_t *list, const char *of, const struct command_arg *args)
{
	char *name;

	if (!args[0].name)
		return g_strdup(SCHEMA_EMPTY);
	name = g_strconcat(of, "-arg", NULL);
	schema_object(list, name, schema_members(args));
	return name;
}

static void schema_command(json_t *list, const char *name, const struct command_arg *args)
{
	char *type = schema_arguments(list, name, args);

	json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "name", name, "meta-type",
					      "command", "arg-type", type, "ret-type", "any"));
	g_free(type);
}

json_t *schema_make(void)
{
	static const struct command_arg negotiation[COMMAND_MAX_ARGS] = {
		{ "enable", COMMAND_ARRAY, .optional = true },
	};
	const struct command *c = NULL;
	json_t *list = json_array();

	schema_builtin(list, "str", "string");
	schema_builtin(list, "int", "int");
	schema_builtin(list, "bool", "boolean");
	schema_builtin(list, "any", "value");
	json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "name", SCHEMA_LIST, "meta-type",
					      "array", "element-type", "any"));
	schema_object(list, SCHEMA_EMPTY, json_array());
	schema_command(list, QMP_CAPABILITIES, negotiation);
	while ((c = command_next(c)))
		schema_command(list, c->name, c->args);
	for (unsigned int i = 0; i < G_N_ELEMENTS(schema_events); i++) {
		char *type = schema_arguments(list, schema_events[i].name, schema_events[i].data);

		json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "name",
						      schema_events[i].name, "meta-type", "event",
						      "arg-type", type));
		g_free(type);
	}
	return list;
}
