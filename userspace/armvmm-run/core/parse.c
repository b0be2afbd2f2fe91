// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "core/parse.h"

int parse_number(const char *text, const char *end, uint64_t max, uint64_t *value)
{
	uint64_t n = 0;

	if (text == end)
		return -EINVAL;
	for (; text < end; text++) {
		uint64_t digit = *text - '0';

		if (*text < '0' || *text > '9')
			return -EINVAL;
		if (n > (max - digit) / 10 || digit > max)
			return -ERANGE;
		n = n * 10 + digit;
	}
	*value = n;
	return 0;
}

int parse_number_all(const char *text, uint64_t max, uint64_t *value)
{
	return parse_number(text, text + strlen(text), max, value);
}

const char *parse_value(const char *word, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(word, name, len) && word[len] == '=' ? word + len + 1 : NULL;
}

int parse_bool(const char *text, bool *value)
{
	bool yes = !strcmp(text, "yes") || !strcmp(text, "on");

	if (!yes && strcmp(text, "no") && strcmp(text, "off"))
		return -EINVAL;
	*value = yes;
	return 0;
}
