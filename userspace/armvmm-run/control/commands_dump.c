// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's memory and registers as a file for debuggers. Unless the client asks for "detach",
 * its command is answered when all is written, and nothing of it is read before; if it goes
 * meanwhile, nobody wants the dump.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "control/command.h"
#include "snapshot/dump.h"
#include "snapshot/save.h"
#include "snapshot/send.h"

#define DUMP_FORMAT	"elf"

static bool dump_has(const struct command_call *call, const char *name)
{
	return json_object_get(call->args, name);
}

/* What cannot be served. Returns false with call->err set. */
static bool dump_check(struct command_call *call)
{
	const char *format = command_string(call, "format");
	const char *protocol = command_string(call, "protocol");

	if (json_is_true(json_object_get(call->args, "paging")))
		error_set(&call->err, -ENOTSUP,
			  "Parameter 'paging' must be false: memory is dumped at its physical addresses");
	else if (format && strcmp(format, DUMP_FORMAT))
		error_set(&call->err, -EINVAL, "Parameter 'format' does not accept value '%.64s'",
			  format);
	else if (dump_has(call, "begin") && !dump_has(call, "length"))
		error_set(&call->err, -EINVAL, "Parameter 'length' is missing");
	else if (!dump_has(call, "begin") && dump_has(call, "length"))
		error_set(&call->err, -EINVAL, "Parameter 'begin' is missing");
	else if (command_int(call, "begin") < 0 || command_int(call, "length") < 0)
		error_set(&call->err, -EINVAL, "Parameter '%s' expects no negative value",
			  command_int(call, "begin") < 0 ? "begin" : "length");
	else if (!strncmp(protocol, "file:", 5))
		error_set(&call->err, -EPERM,
			  "a confined armvmm-run opens no file: open it, send it (getfd), and dump to fd:NAME, as armvmm-ctl does");
	else if (strncmp(protocol, "fd:", 3))
		error_set(&call->err, -EINVAL, "Invalid parameter 'protocol'");
	else if (save_is_active(call->target->save) || send_is_active(call->target->send))
		error_set(&call->err, -EBUSY, "There's a migration process in progress");
	return !call->err.text[0];
}

static json_t *dump_begin(struct command_call *call)
{
	struct dump *dump = call->target->dump;
	bool part = dump_has(call, "begin");
	int fd;

	if (!dump_check(call))
		return NULL;
	fd = command_take_file(call, command_string(call, "protocol") + 3);
	if (fd < 0)
		return NULL;
	if (dump_start(dump, fd, command_int(call, "begin"),
		       part ? (uint64_t)command_int(call, "length") : UINT64_MAX, &call->err))
		close(fd);
	else if (!json_is_true(json_object_get(call->args, "detach")))
		call->session->dump = dump;
	return NULL;
}

static json_t *dump_query(struct command_call *call)
{
	static const char *const phases[] = {
		[DUMP_NONE] = "none", [DUMP_ACTIVE] = "active", [DUMP_COMPLETED] = "completed",
		[DUMP_FAILED] = "failed",
	};
	struct dump_status s;

	dump_get(call->target->dump, &s);
	return json_pack("{s:s, s:I, s:I}", "status", phases[s.phase], "completed",
			 (json_int_t)s.done, "total", (json_int_t)s.total);
}

static json_t *dump_query_formats(struct command_call *call)
{
	return json_pack("{s:[s]}", "formats", DUMP_FORMAT);
}

const struct command commands_dump[] = {
	{ "dump-guest-memory", dump_begin,
	  { { "paging", COMMAND_BOOL, .optional = false },
	    { "protocol", COMMAND_STRING, .optional = false },
	    { "detach", COMMAND_BOOL, .optional = true },
	    { "begin", COMMAND_INT, .optional = true },
	    { "length", COMMAND_INT, .optional = true },
	    { "format", COMMAND_STRING, .optional = true } } },
	{ "query-dump", dump_query, {} },
	{ "query-dump-guest-memory-capability", dump_query_formats, {} },
	{ NULL, NULL, {} },
};
