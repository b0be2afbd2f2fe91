// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/parse.h"
#include "gdb/gdb_address.h"

#define ADDRESS_WAIT	",wait"

static int address_copy(char *to, size_t size, const char *from, size_t len)
{
	if (len >= size)
		return -EINVAL;
	memcpy(to, from, len);
	to[len] = '\0';
	return 0;
}

/* [HOST]:PORT; an IPv6 address is in brackets. */
static int address_tcp(struct gdb_address *a, const char *at, const char *end)
{
	const char *colon = memrchr(at, ':', end - at);
	const char *from = at, *to = colon;
	uint64_t port;

	if (!colon || parse_number(colon + 1, end, 65535, &port))
		return -EINVAL;
	snprintf(a->port, sizeof(a->port), "%u", (unsigned int)port);
	if (from < to && *from == '[') {
		if (to[-1] != ']')
			return -EINVAL;
		from++;
		to--;
	} else if (from < to && memchr(from, ':', to - from)) {
		return -EINVAL;
	}
	if (from == colon)
		return address_copy(a->host, sizeof(a->host), "127.0.0.1", 9);
	return from < to ? address_copy(a->host, sizeof(a->host), from, to - from) : -EINVAL;
}

static int address_unix(struct gdb_address *a, const char *at, const char *end)
{
	a->is_unix = true;
	return at < end ? address_copy(a->path, sizeof(a->path), at, end - at) : -EINVAL;
}

int gdb_address_parse(struct gdb_address *a, const char *text, struct error *err)
{
	const char *end = text + strlen(text);
	size_t wait = strlen(ADDRESS_WAIT);
	int ret = -EINVAL;

	*a = (struct gdb_address){ .wait = false };
	if ((size_t)(end - text) >= wait && !strcmp(end - wait, ADDRESS_WAIT)) {
		a->wait = true;
		end -= wait;
	}
	if (end - text > 4 && !strncmp(text, "tcp:", 4))
		ret = address_tcp(a, text + 4, end);
	else if (end - text > 5 && !strncmp(text, "unix:", 5))
		ret = address_unix(a, text + 5, end);
	return ret ? error_set(err, ret,
			       "--gdb %s: must be tcp:[HOST]:PORT or unix:PATH (107 characters at most), and may end in ,wait",
			       text) : 0;
}
