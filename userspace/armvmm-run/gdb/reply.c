// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gdb/reply.h"

void reply_text(struct reply *reply, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (len > 0)
		reply_raw(reply, text, (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1);
}

void reply_raw(struct reply *reply, const void *data, size_t len)
{
	if (len > reply_room(reply))
		len = reply_room(reply);
	memcpy(reply->data + reply->len, data, len);
	reply->len += len;
}

void reply_hex(struct reply *reply, const void *data, size_t len)
{
	static const char digit[] = "0123456789abcdef";
	const uint8_t *byte = data;

	for (size_t i = 0; i < len && reply_room(reply) >= 2; i++) {
		reply->data[reply->len++] = digit[byte[i] >> 4];
		reply->data[reply->len++] = digit[byte[i] & 15];
	}
}

void reply_ok(struct reply *reply)
{
	reply->len = 0;
	reply_raw(reply, "OK", 2);
}

void reply_error(struct reply *reply, unsigned int error)
{
	reply->len = 0;
	reply_text(reply, "E%02x", error & 0xff);
}

void reply_status(struct reply *reply, int ret, unsigned int error)
{
	if (ret)
		reply_error(reply, error);
	else
		reply_ok(reply);
}
