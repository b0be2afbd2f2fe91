// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/endpoint.h"
#include "core/parse.h"

static int endpoint_copy(char *to, size_t size, const char *from, size_t len)
{
	if (len >= size)
		return -EINVAL;
	memcpy(to, from, len);
	to[len] = '\0';
	return 0;
}

/* [HOST]:PORT; an IPv6 address is in brackets. */
static int endpoint_tcp(struct endpoint *e, const char *at, const char *end)
{
	const char *colon = memrchr(at, ':', end - at);
	const char *from = at, *to = colon;
	uint64_t port;

	if (!colon || parse_number(colon + 1, end, 65535, &port))
		return -EINVAL;
	snprintf(e->port, sizeof(e->port), "%u", (unsigned int)port);
	if (from < to && *from == '[') {
		if (to[-1] != ']')
			return -EINVAL;
		from++;
		to--;
	} else if (from < to && memchr(from, ':', to - from)) {
		return -EINVAL;
	}
	if (from == colon)
		return endpoint_copy(e->host, sizeof(e->host), "127.0.0.1", 9);
	return from < to ? endpoint_copy(e->host, sizeof(e->host), from, to - from) : -EINVAL;
}

static int endpoint_unix(struct endpoint *e, const char *at, const char *end)
{
	e->is_unix = true;
	return at < end ? endpoint_copy(e->path, sizeof(e->path), at, end - at) : -EINVAL;
}

int endpoint_parse(struct endpoint *e, const char *text, const char *end)
{
	*e = (struct endpoint){ .is_unix = false };
	if (end - text > 4 && !strncmp(text, "tcp:", 4))
		return endpoint_tcp(e, text + 4, end);
	if (end - text > 5 && !strncmp(text, "unix:", 5))
		return endpoint_unix(e, text + 5, end);
	return -EINVAL;
}
