// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "control/metrics_option.h"
#include "core/parse.h"

/* A key among @text's words, from the first comma up to @end, or NULL. Sets *@len. */
static const char *metrics_key(const char *text, const char *end, int *len)
{
	const char *at = memchr(text, ',', end - text);

	while (at) {
		const char *key = at + 1, *next = memchr(key, ',', end - key);

		*len = strspn(key, "abcdefghijklmnopqrstuvwxyz-_");
		if (*len && key + *len < end && key[*len] == '=')
			return key;
		at = next;
	}
	return NULL;
}

int metrics_parse(struct metrics_option *option, const char *text, struct error *err)
{
	const char *comma = strrchr(text, ','), *value, *key, *end = text + strlen(text);
	uint64_t n = METRICS_INTERVAL;
	int len;

	value = comma ? parse_value(comma + 1, "interval") : NULL;
	if (value && (parse_number_all(value, METRICS_INTERVAL_MAX, &n) || !n))
		return error_set(err, -EINVAL, "--metrics %s: the interval must be 1 to %u seconds",
				 text, METRICS_INTERVAL_MAX);
	if (value)
		end = comma;
	key = metrics_key(text, end, &len);
	if (key)
		return error_set(err, -EINVAL, "--metrics %s: unknown word \"%.*s\" (it is "
				 METRICS_SYNTAX ")", text, len, key);
	if (end == text || end - text >= (ptrdiff_t)sizeof(option->path))
		return error_set(err, -EINVAL, "--metrics %s: must be " METRICS_SYNTAX, text);
	memcpy(option->path, text, end - text);
	option->path[end - text] = '\0';
	option->interval = n;
	return 0;
}
