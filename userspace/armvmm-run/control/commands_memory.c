// SPDX-License-Identifier: GPL-2.0-only
/* The guest's memory: the balloon, and what the guest tells of it. */
#include <errno.h>
#include <string.h>

#include "control/command.h"
#include "control/value.h"
#include "core/balloon.h"

#define MEMORY_INTERVAL_MAX	86400	/* seconds */

static struct balloon *memory_balloon(struct command_call *call)
{
	struct balloon *b = call->target->m->balloon;

	if (!b) {
		call->class = "DeviceNotActive";
		error_set(&call->err, -ENODEV, "No balloon device has been activated");
	}
	return b;
}

static json_t *memory_query_balloon(struct command_call *call)
{
	struct balloon *b = memory_balloon(call);

	return b ? json_pack("{s:I}", "actual", (json_int_t)b->ops->actual(b)) : NULL;
}

static json_t *memory_balloon_ask(struct command_call *call)
{
	struct balloon *b = memory_balloon(call);
	int64_t value = command_int(call, "value");

	if (!b || command_is_busy(call))
		return NULL;
	if (value <= 0)
		error_set(&call->err, -EINVAL, "Parameter 'target' expects a size");
	else
		b->ops->ask(b, value);
	return NULL;
}

/* Properties of QEMU's balloon, by which clients read the guest's statistics. */

static json_t *memory_stats(struct balloon *b)
{
	struct balloon_stats stats;
	json_t *o = json_object();

	b->ops->stats(b, &stats);
	for (unsigned int i = 0; i < stats.nr; i++)
		json_object_set_new(o, stats.stat[i].name,
				    json_integer((json_int_t)stats.stat[i].value));
	return json_pack("{s:o, s:I}", "stats", o, "last-update", (json_int_t)stats.time);
}

static bool memory_property(struct command_call *call, const char *property)
{
	return !strcmp(command_string(call, "property"), property);
}

static struct balloon *memory_object(struct command_call *call)
{
	const char *path = command_string(call, "path");
	struct balloon *b = call->target->m->balloon;

	if (b && (!strcmp(path, BALLOON_ID) || !strcmp(path, "/machine/peripheral/" BALLOON_ID)))
		return b;
	call->class = "DeviceNotFound";
	error_set(&call->err, -ENODEV, "Device '%.64s' not found", path);
	return NULL;
}

static void memory_no_property(struct command_call *call)
{
	error_set(&call->err, -ENOENT, "Property 'virtio-balloon-device.%.64s' not found",
		  command_string(call, "property"));
}

static json_t *memory_qom_get(struct command_call *call)
{
	struct balloon *b = memory_object(call);

	if (!b)
		return NULL;
	if (memory_property(call, "guest-stats"))
		return memory_stats(b);
	if (memory_property(call, "guest-stats-polling-interval"))
		return json_integer(b->ops->interval(b));
	memory_no_property(call);
	return NULL;
}

static json_t *memory_qom_set(struct command_call *call)
{
	struct balloon *b = memory_object(call);
	int64_t value = command_int(call, "value");

	if (!b)
		return NULL;
	if (!memory_property(call, "guest-stats-polling-interval"))
		memory_no_property(call);
	else if (value < 0 || value > MEMORY_INTERVAL_MAX)
		error_set(&call->err, -EINVAL, "timer value must be 0 to %u", MEMORY_INTERVAL_MAX);
	else
		b->ops->set_interval(b, value);
	return NULL;
}

const struct command commands_memory[] = {
	{ "query-balloon", memory_query_balloon, {} },
	{ "balloon", memory_balloon_ask, { { "value", COMMAND_INT, .optional = false } } },
	{ "qom-get", memory_qom_get,
	  { { "path", COMMAND_STRING, .optional = false },
	    { "property", COMMAND_STRING, .optional = false } } },
	{ "qom-set", memory_qom_set,
	  { { "path", COMMAND_STRING, .optional = false },
	    { "property", COMMAND_STRING, .optional = false },
	    { "value", COMMAND_INT, .optional = false } } },
	{ NULL, NULL, {} },
};
