// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "control/command.h"

static const struct command *const command_areas[] = {
	commands_run, commands_query, commands_block, commands_console, commands_human,
};

#define COMMAND_AREAS	(sizeof(command_areas) / sizeof(command_areas[0]))

const struct command *command_next(const struct command *prev)
{
	bool seen = !prev;

	for (unsigned int i = 0; i < COMMAND_AREAS; i++) {
		for (const struct command *c = command_areas[i]; c->name; c++) {
			if (seen)
				return c;
			seen = c == prev;
		}
	}
	return NULL;
}

const struct command *command_find(const char *name)
{
	const struct command *c = NULL;

	while ((c = command_next(c)) && strcmp(c->name, name))
		;
	return c;
}

/* ---- Arguments ---- */

static bool command_has_type(JsonNode *node, enum command_type type)
{
	GType is = JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node) : G_TYPE_INVALID;

	switch (type) {
	case COMMAND_STRING:
		return is == G_TYPE_STRING;
	case COMMAND_INT:
		return is == G_TYPE_INT64;
	default:
		return is == G_TYPE_BOOLEAN;
	}
}

static const struct command_arg *command_arg(const struct command *command, const char *name)
{
	for (unsigned int i = 0; i < COMMAND_MAX_ARGS && command->args[i].name; i++)
		if (!strcmp(command->args[i].name, name))
			return &command->args[i];
	return NULL;
}

static int command_check_given(struct command_call *call, const struct command *command)
{
	static const char *const names[] = {
		[COMMAND_STRING] = "string", [COMMAND_INT] = "integer", [COMMAND_BOOL] = "boolean",
	};
	JsonObjectIter iter;
	const char *name;
	JsonNode *node;

	if (!call->args)
		return 0;
	json_object_iter_init(&iter, call->args);
	while (json_object_iter_next(&iter, &name, &node)) {
		const struct command_arg *arg = command_arg(command, name);

		if (!arg)
			return error_set(&call->err, -EINVAL, "Parameter '%.64s' is unexpected", name);
		if (!command_has_type(node, arg->type))
			return error_set(&call->err, -EINVAL,
					 "Invalid parameter type for '%s', expected: %s", name,
					 names[arg->type]);
	}
	return 0;
}

static int command_check(struct command_call *call, const struct command *command)
{
	for (unsigned int i = 0; i < COMMAND_MAX_ARGS && command->args[i].name; i++) {
		const struct command_arg *arg = &command->args[i];
		bool given = call->args && json_object_has_member(call->args, arg->name);

		if (!given && !arg->optional)
			return error_set(&call->err, -EINVAL, "Parameter '%s' is missing", arg->name);
	}
	return command_check_given(call, command);
}

const char *command_string(const struct command_call *call, const char *name)
{
	return call->args && json_object_has_member(call->args, name) ?
		       json_object_get_string_member(call->args, name) : NULL;
}

int64_t command_int(const struct command_call *call, const char *name)
{
	return json_object_get_int_member(call->args, name);
}

JsonNode *command_run(struct command_call *call, const struct command *command)
{
	JsonNode *node;

	call->err.text[0] = '\0';
	if (command_check(call, command))
		return NULL;
	node = command->run(call);
	if (!node && !call->err.text[0])
		node = command_object(json_object_new());
	return node;
}

/* ---- What they return ---- */

JsonNode *command_object(JsonObject *object)
{
	JsonNode *node = json_node_new(JSON_NODE_OBJECT);

	json_node_take_object(node, object);
	return node;
}

JsonNode *command_array(JsonArray *array)
{
	JsonNode *node = json_node_new(JSON_NODE_ARRAY);

	json_node_take_array(node, array);
	return node;
}

JsonNode *command_text(const char *text)
{
	JsonNode *node = json_node_new(JSON_NODE_VALUE);

	json_node_set_string(node, text);
	return node;
}
