// SPDX-License-Identifier: GPL-2.0-only
/* What the guest has written to its console. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/command.h"

static JsonNode *console_query(struct command_call *call)
{
	JsonArray *list = json_array_new();
	JsonObject *o = json_object_new();

	json_object_set_string_member(o, "label", COMMAND_CONSOLE);
	json_object_set_string_member(o, "filename", "ringbuf");
	json_object_set_boolean_member(o, "frontend-open", TRUE);
	json_array_add_object_element(list, o);
	return command_array(list);
}

/* The oldest bytes that nobody has read yet, as with QEMU; they are read once. */
static JsonNode *console_read(struct command_call *call)
{
	const char *format = command_string(call, "format");
	int64_t size = command_int(call, "size");
	bool base64 = format && !strcmp(format, "base64");
	JsonNode *node;
	uint8_t *buf;
	char *text;
	size_t len;

	if (strcmp(command_string(call, "device"), COMMAND_CONSOLE)) {
		error_set(&call->err, -ENOENT, "Device '%.64s' not found",
			  command_string(call, "device"));
		return NULL;
	}
	if (format && !base64 && strcmp(format, "utf8")) {
		error_set(&call->err, -EINVAL, "Parameter 'format' does not accept value '%.64s'",
			  format);
		return NULL;
	}
	if (size <= 0) {
		error_set(&call->err, -EINVAL, "size must be greater than zero");
		return NULL;
	}
	if (size > COMMAND_CONSOLE_SIZE)
		size = COMMAND_CONSOLE_SIZE;
	buf = malloc(size);
	if (!buf) {
		error_errno(&call->err, -ENOMEM, COMMAND_CONSOLE);
		return NULL;
	}
	len = chardev_take_kept(call->target->m->chardev, buf, size);
	/* A zero would end a JSON string here; it is as little a character as a broken one. */
	for (size_t i = 0; !base64 && i < len; i++)
		buf[i] = buf[i] ? buf[i] : 0xff;
	text = base64 ? g_base64_encode(buf, len) : g_utf8_make_valid((char *)buf, len);
	node = command_text(text);
	g_free(text);
	free(buf);
	return node;
}

const struct command commands_console[] = {
	{ "query-chardev", console_query, {} },
	{ "ringbuf-read", console_read,
	  { { "device", COMMAND_STRING, .optional = false },
	    { "size", COMMAND_INT, .optional = false },
	    { "format", COMMAND_STRING, .optional = true } } },
	{ NULL, NULL, {} },
};
