// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "control/metrics_option.h"
#include "core/parse.h"

int metrics_parse(struct metrics_option *option, const char *text, struct error *err)
{
	const char *comma = strrchr(text, ','), *value, *end = text + strlen(text);
	uint64_t n = METRICS_INTERVAL;

	value = comma ? parse_value(comma + 1, "interval") : NULL;
	if (value && (parse_number_all(value, METRICS_INTERVAL_MAX, &n) || !n))
		return error_set(err, -EINVAL, "--metrics %s: the interval must be 1 to %u seconds",
				 text, METRICS_INTERVAL_MAX);
	if (value)
		end = comma;
	if (end == text || end - text >= (ptrdiff_t)sizeof(option->path))
		return error_set(err, -EINVAL, "--metrics %s: must be " METRICS_SYNTAX, text);
	memcpy(option->path, text, end - text);
	option->path[end - text] = '\0';
	option->interval = n;
	return 0;
}
