// SPDX-License-Identifier: GPL-2.0-only
/* Disks. */
#include <errno.h>
#include <string.h>

#include "control/command.h"
#include "core/blockdev.h"

/* Struct ImageInfo. */
static JsonObject *block_image(struct blockdev *b)
{
	JsonObject *o = json_object_new();

	json_object_set_string_member(o, "filename", b->file);
	json_object_set_string_member(o, "format", "raw");
	json_object_set_int_member(o, "virtual-size", b->ops->size(b));
	json_object_set_int_member(o, "actual-size", b->ops->allocated(b));
	json_object_set_boolean_member(o, "dirty-flag", FALSE);
	return o;
}

/* Struct BlockDeviceInfo, with all that it must have. */
static JsonObject *block_inserted(struct blockdev *b)
{
	static const char *const limits[] = { "bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr" };
	JsonObject *o = json_object_new(), *cache = json_object_new();

	json_object_set_boolean_member(cache, "writeback", TRUE);
	json_object_set_boolean_member(cache, "direct", b->direct);
	json_object_set_boolean_member(cache, "no-flush", FALSE);
	json_object_set_string_member(o, "file", b->file);
	json_object_set_string_member(o, "node-name", b->id);
	json_object_set_string_member(o, "drv", "raw");
	json_object_set_boolean_member(o, "ro", b->readonly);
	json_object_set_boolean_member(o, "encrypted", FALSE);
	json_object_set_int_member(o, "backing_file_depth", 0);
	json_object_set_string_member(o, "detect_zeroes", "off");
	json_object_set_int_member(o, "write_threshold", 0);
	for (unsigned int i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		json_object_set_int_member(o, limits[i], 0);
	json_object_set_object_member(o, "cache", cache);
	json_object_set_object_member(o, "image", block_image(b));
	return o;
}

static JsonNode *block_query(struct command_call *call)
{
	JsonArray *list = json_array_new();

	for (struct blockdev *b = call->target->m->disks; b; b = b->next) {
		JsonObject *o = json_object_new();

		json_object_set_string_member(o, "device", b->id);
		json_object_set_string_member(o, "type", "unknown");
		json_object_set_boolean_member(o, "removable", FALSE);
		json_object_set_boolean_member(o, "locked", FALSE);
		json_object_set_object_member(o, "inserted", block_inserted(b));
		json_array_add_object_element(list, o);
	}
	return command_array(list);
}

static struct blockdev *block_find(struct command_call *call)
{
	const char *device = command_string(call, "device");
	const char *node = command_string(call, "node-name");
	const char *name = device ? device : node;
	struct blockdev *b = call->target->m->disks;

	if (!device == !node) {
		error_set(&call->err, -EINVAL,
			  "Exactly one of 'device' and 'node-name' must be given");
		return NULL;
	}
	while (b && strcmp(b->id, name))
		b = b->next;
	if (!b)
		error_set(&call->err, -ENOENT, "Cannot find device='%.64s'", name);
	return b;
}

static JsonNode *block_resize(struct command_call *call)
{
	struct blockdev *b = block_find(call);
	int64_t size = command_int(call, "size");
	struct error why;

	if (!b)
		return NULL;
	if (size <= 0)
		error_set(&call->err, -EINVAL, "Parameter 'size' expects a >0 size");
	else if (b->ops->resize(b, size, &why))
		error_set(&call->err, -EINVAL, "Cannot resize '%s': %.400s", b->id, why.text);
	return NULL;
}

const struct command commands_block[] = {
	{ "query-block", block_query, {} },
	{ "block_resize", block_resize,
	  { { "device", COMMAND_STRING, .optional = true },
	    { "node-name", COMMAND_STRING, .optional = true },
	    { "size", COMMAND_INT, .optional = false } } },
	{ NULL, NULL, {} },
};
