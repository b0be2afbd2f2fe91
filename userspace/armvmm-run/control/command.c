// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "control/command.h"
#include "core/runstate.h"
#include "snapshot/dump.h"
#include "snapshot/save.h"
#include "snapshot/send.h"

static const struct command *const command_areas[] = {
	commands_run, commands_query, commands_block, commands_console,
	commands_memory, commands_human, commands_migrate, commands_dump,
	commands_device,
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

static bool command_has_type(json_t *value, enum command_type type)
{
	switch (type) {
	case COMMAND_STRING:
		return json_is_string(value);
	case COMMAND_INT:
		return json_is_integer(value);
	case COMMAND_ARRAY:
		return json_is_array(value);
	case COMMAND_OBJECT:
		return json_is_object(value);
	default:
		return json_is_boolean(value);
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
		[COMMAND_ARRAY] = "array", [COMMAND_OBJECT] = "object",
	};
	const char *name;
	json_t *value;

	json_object_foreach(call->args, name, value) {
		const struct command_arg *arg = command_arg(command, name);

		if (!arg && command_arg(command, COMMAND_MORE))
			continue;
		if (!arg)
			return error_set(&call->err, -EINVAL, "Parameter '%.64s' is unexpected", name);
		if (!command_has_type(value, arg->type))
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

		if (!json_object_get(call->args, arg->name) && !arg->optional)
			return error_set(&call->err, -EINVAL, "Parameter '%s' is missing", arg->name);
	}
	return command_check_given(call, command);
}

const char *command_string(const struct command_call *call, const char *name)
{
	return json_string_value(json_object_get(call->args, name));
}

int64_t command_int(const struct command_call *call, const char *name)
{
	return json_integer_value(json_object_get(call->args, name));
}

bool command_is_busy(struct command_call *call)
{
	const struct command_target *target = call->target;
	const char *why = NULL;

	if (save_is_active(target->save))
		why = "The guest is being saved, which migrate_cancel ends";
	else if (send_is_following(target->send))
		why = "The guest runs elsewhere, and its memory follows";
	else if (send_is_handing_over(target->send))
		why = "The guest is being handed over, which migrate_cancel ends";
	else if (send_has_stopped(target->send))
		why = "The guest may run elsewhere (cont lets it go on here, quit ends it)";
	else if (machine_is_held_by(target->m, MACHINE_HOLDER_INCOMING))
		why = "The guest has not come yet";
	else if (dump_is_active(target->dump))
		why = "The guest is being dumped, which migrate_cancel ends";
	if (why)
		error_set(&call->err, -EBUSY, "%s", why);
	return why;
}

json_t *command_run(struct command_call *call, const struct command *command)
{
	json_t *value;

	call->err.text[0] = '\0';
	if (command_check(call, command))
		return NULL;
	value = command->run(call);
	if (!value && !call->err.text[0])
		value = json_object();
	return value;
}

/* ---- Files ---- */

void command_session_take(struct command_session *session, int fd)
{
	if (session->has_file)
		close(session->file);
	session->has_file = true;
	session->file = fd;
}

void command_session_end(struct command_session *session)
{
	if (session->has_file)
		close(session->file);
	for (unsigned int i = 0; i < COMMAND_MAX_FDS; i++)
		if (session->files[i].name[0])
			close(session->files[i].fd);
	if (session->dump)
		dump_cancel(session->dump);
	json_decref(session->id);
	*session = (struct command_session){ .has_file = false };
}
