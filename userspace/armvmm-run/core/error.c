// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

/* Keeps the whole sentence if it fits. Else keeps its two ends: the reason stands last. */
static void error_fit(struct error *err, const char *text)
{
	static const char gap[] = " ... ";
	size_t room = sizeof(err->text) - 1, len = strlen(text), head, tail;

	if (len <= room) {
		memcpy(err->text, text, len + 1);
		return;
	}
	head = (room - strlen(gap)) / 2;
	tail = room - strlen(gap) - head;
	snprintf(err->text, sizeof(err->text), "%.*s%s%s", (int)head, text, gap, text + len - tail);
}

int error_set(struct error *err, int code, const char *fmt, ...)
{
	va_list ap;
	char *text;

	if (err) {
		va_start(ap, fmt);
		if (vasprintf(&text, fmt, ap) < 0)
			text = NULL;
		va_end(ap);
		error_fit(err, text ? text : fmt);
		free(text);
	}
	return code;
}

int error_errno(struct error *err, int code, const char *fmt, ...)
{
	const char *reason = strerror(-code);
	char *text, *whole = NULL;
	va_list ap;

	if (err) {
		va_start(ap, fmt);
		if (vasprintf(&text, fmt, ap) < 0)
			text = NULL;
		va_end(ap);
		if (text && asprintf(&whole, "%s: %s", text, reason) < 0)
			whole = NULL;
		error_fit(err, whole ? whole : reason);
		free(whole);
		free(text);
	}
	return code;
}
