// SPDX-License-Identifier: GPL-2.0-only
/* Disks. */
#include <errno.h>
#include <string.h>

#include "control/command.h"
#include "control/value.h"
#include "core/blockdev.h"

/* Struct ImageInfo. */
static json_t *block_image(struct blockdev *b)
{
	return json_pack("{s:o, s:s, s:I, s:I, s:b}", "filename", value_text(b->file),
			 "format", "raw", "virtual-size", (json_int_t)b->ops->size(b),
			 "actual-size", (json_int_t)b->ops->allocated(b), "dirty-flag", 0);
}

/* Struct BlockDeviceInfo, with all its mandatory members. */
static json_t *block_inserted(struct blockdev *b)
{
	static const char *const limits[] = { "bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr" };
	json_t *o = json_pack("{s:o, s:o, s:s, s:b, s:b, s:i, s:s, s:i}",
			      "file", value_text(b->file), "node-name", value_text(b->id),
			      "drv", "raw", "ro", b->readonly, "encrypted", 0,
			      "backing_file_depth", 0, "detect_zeroes", "off",
			      "write_threshold", 0);

	for (unsigned int i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		json_object_set_new(o, limits[i], json_integer(0));
	json_object_set_new(o, "cache", json_pack("{s:b, s:b, s:b}", "writeback", !b->write_through,
						  "direct", b->direct, "no-flush", b->no_flush));
	json_object_set_new(o, "image", block_image(b));
	return o;
}

static json_t *block_query(struct command_call *call)
{
	json_t *list = json_array();

	for (struct blockdev *b = call->target->m->disks; b; b = b->next)
		json_array_append_new(list, json_pack("{s:o, s:s, s:b, s:b, s:o}",
						      "device", value_text(b->id),
						      "type", "unknown", "removable", 0, "locked", 0,
						      "inserted", block_inserted(b)));
	return list;
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

static json_t *block_resize(struct command_call *call)
{
	struct blockdev *b = block_find(call);
	int64_t size = command_int(call, "size");
	struct error why;

	if (!b || command_is_busy(call))
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
