// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <glib.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/record.h"

/* ---- Writing ---- */

void record_put(struct record *r, const void *data, size_t len)
{
	if (len > r->room - r->len) {
		r->room = 2 * r->room + len + 64;
		r->data = g_realloc(r->data, r->room);
	}
	if (len)
		memcpy(r->data + r->len, data, len);
	r->len += len;
}

/* The host is little-endian, as all armhf and the build machines are: values are copied. */
void record_put_fields(struct record *r, const void *from, const struct record_field *fields,
		       unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		record_put(r, (const uint8_t *)from + fields[i].offset,
			   (size_t)fields[i].size * fields[i].count);
}

void record_free(struct record *r)
{
	g_free(r->data);
	*r = (struct record){ .len = 0 };
}

/* ---- Reading ---- */

void record_open(struct record *r, const void *data, size_t len)
{
	*r = (struct record){ .data = (uint8_t *)data, .len = len };
}

int record_refuse(struct record *r, const char *fmt, ...)
{
	va_list ap;

	if (r->ret)
		return r->ret;
	r->ret = -EBADMSG;
	va_start(ap, fmt);
	vsnprintf(r->err.text, sizeof(r->err.text), fmt, ap);
	va_end(ap);
	return r->ret;
}

int record_get(struct record *r, void *data, size_t len)
{
	if (!r->ret && len > r->len - r->at)
		record_refuse(r, "is too short");
	if (r->ret) {
		memset(data, 0, len);
		return r->ret;
	}
	if (len)
		memcpy(data, r->data + r->at, len);
	r->at += len;
	return 0;
}

static int record_get_field(struct record *r, uint8_t *to, const struct record_field *field)
{
	for (unsigned int i = 0; i < field->count; i++) {
		uint64_t value = 0;

		if (record_get(r, &value, field->size))
			return r->ret;
		if (value > field->max)
			return record_refuse(r, "%s has the value %llu, and the largest is %llu",
					     field->name, (unsigned long long)value,
					     (unsigned long long)field->max);
		memcpy(to + (size_t)i * field->size, &value, field->size);
	}
	return 0;
}

int record_get_fields(struct record *r, void *to, const struct record_field *fields,
		      unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		if (record_get_field(r, (uint8_t *)to + fields[i].offset, &fields[i]))
			break;
	return r->ret;
}

int record_close(struct record *r)
{
	if (!r->ret && r->at != r->len)
		record_refuse(r, "has %zu bytes too many", r->len - r->at);
	return r->ret;
}
