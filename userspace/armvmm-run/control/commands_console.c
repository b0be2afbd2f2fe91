// SPDX-License-Identifier: GPL-2.0-only
/* What the guest has written to its console. */
#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "control/command.h"

static json_t *console_query(struct command_call *call)
{
	return json_pack("[{s:s, s:s, s:b}]", "label", COMMAND_CONSOLE, "filename", "ringbuf",
			 "frontend-open", 1);
}

/* Returns the oldest bytes that nobody has read yet, as QEMU does; each byte is read once. */
static json_t *console_read(struct command_call *call)
{
	const char *format = command_string(call, "format");
	int64_t size = command_int(call, "size");
	bool base64 = format && !strcmp(format, "base64");
	json_t *value;
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
	/* A zero would end a JSON string here. Replace it, as any byte that is no character. */
	for (size_t i = 0; !base64 && i < len; i++)
		buf[i] = buf[i] ? buf[i] : 0xff;
	text = base64 ? g_base64_encode(buf, len) : g_utf8_make_valid((char *)buf, len);
	value = json_string(text);
	g_free(text);
	free(buf);
	return value;
}

const struct command commands_console[] = {
	{ "query-chardev", console_query, {} },
	{ "ringbuf-read", console_read,
	  { { "device", COMMAND_STRING, .optional = false },
	    { "size", COMMAND_INT, .optional = false },
	    { "format", COMMAND_STRING, .optional = true } } },
	{ NULL, NULL, {} },
};
