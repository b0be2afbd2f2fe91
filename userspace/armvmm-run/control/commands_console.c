// SPDX-License-Identifier: GPL-2.0-only
/* What the guest has written to its console, and what its consoles are joined to. */
#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "control/command.h"
#include "control/value.h"
#include "core/chardev_private.h"

static json_t *console_info(const char *label, const char *filename, bool open)
{
	return json_pack("{s:s, s:o, s:b}", "label", label, "filename", value_text(filename),
			 "frontend-open", open);
}

/* The queue of what was written, and the back ends to which one can come. */
static json_t *console_query(struct command_call *call)
{
	const struct machine *m = call->target->m;
	json_t *list = json_array();

	json_array_append_new(list, console_info(COMMAND_CONSOLE, "ringbuf", true));
	if (m->terminal && m->terminal->clients)
		json_array_append_new(list, console_info("stdio", m->terminal->name, true));
	for (const struct chardev *chr = m->chardevs; chr; chr = chr->next)
		json_array_append_new(list, console_info(chr->label, chr->name,
			__atomic_load_n(&chr->frontend_open, __ATOMIC_RELAXED)));
	return list;
}

/* Whoever is there has a window of another size. */
static json_t *console_resize(struct command_call *call)
{
	int64_t cols = command_int(call, "cols"), rows = command_int(call, "rows");
	const char *id = command_string(call, "id");
	struct chardev *chr = call->target->m->chardevs;

	while (chr && strcmp(chr->label, id))
		chr = chr->next;
	if (!chr)
		error_set(&call->err, -ENOENT, "Chardev '%.64s' not found", id);
	else if (cols < 0 || cols > UINT16_MAX || rows < 0 || rows > UINT16_MAX)
		error_set(&call->err, -EINVAL, "cols and rows must be 0 to 65535");
	else if (!chr->ops->resize)
		error_set(&call->err, -ENOTSUP, "Chardev '%.64s' has no size", id);
	else
		chr->ops->resize(chr, cols, rows);
	return NULL;
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
	{ "chardev-resize", console_resize,
	  { { "id", COMMAND_STRING, .optional = false },
	    { "cols", COMMAND_INT, .optional = false },
	    { "rows", COMMAND_INT, .optional = false } } },
	{ "ringbuf-read", console_read,
	  { { "device", COMMAND_STRING, .optional = false },
	    { "size", COMMAND_INT, .optional = false },
	    { "format", COMMAND_STRING, .optional = true } } },
	{ NULL, NULL, {} },
};
