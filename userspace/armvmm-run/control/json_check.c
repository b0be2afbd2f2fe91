// SPDX-License-Identifier: GPL-2.0-only
/* Each function takes one word, and returns what follows it: NULL, if it is none. */
#include <errno.h>
#include <glib.h>
#include <math.h>
#include <string.h>

#include "control/json_check.h"

/* At least one digit. */
static const char *json_check_digits(const char *p)
{
	if (!g_ascii_isdigit(*p))
		return NULL;
	while (g_ascii_isdigit(*p))
		p++;
	return p;
}

static bool json_check_fits(const char *number, bool integer)
{
	if (!integer)
		return isfinite(g_ascii_strtod(number, NULL));
	errno = 0;
	g_ascii_strtoll(number, NULL, 10);
	return !errno;
}

/* RFC 8259, 6: no zero before other digits, and digits on both sides of a point. */
static const char *json_check_number(const char *start)
{
	const char *p = start + (*start == '-');
	bool integer;

	p = *p == '0' ? p + 1 : json_check_digits(p);
	if (!p)
		return NULL;
	integer = *p != '.' && *p != 'e' && *p != 'E';
	if (*p == '.')
		p = json_check_digits(p + 1);
	if (p && (*p == 'e' || *p == 'E')) {
		p++;
		p = json_check_digits(p + (*p == '+' || *p == '-'));
	}
	if (!p)
		return NULL;
	return json_check_fits(start, integer) ? p : NULL;
}

static const char *json_check_name(const char *p)
{
	static const char *const names[] = { "true", "false", "null" };

	for (unsigned int i = 0; i < G_N_ELEMENTS(names); i++)
		if (g_str_has_prefix(p, names[i]))
			return p + strlen(names[i]);
	return NULL;
}

/* The value of \uXXXX at @p, or -1. */
static int json_check_hex(const char *p)
{
	int value = 0;

	if (p[0] != '\\' || p[1] != 'u')
		return -1;
	for (unsigned int i = 2; i < 6; i++) {
		if (!g_ascii_isxdigit(p[i]))
			return -1;
		value = value << 4 | g_ascii_xdigit_value(p[i]);
	}
	return value;
}

/* Behind a backslash at @p (7). C strings have no room for \u0000. */
static const char *json_check_escape(const char *p)
{
	int value, low;

	if (p[1] && strchr("\"\\/bfnrt", p[1]))
		return p + 2;
	value = json_check_hex(p);
	if (value <= 0 || (value >= 0xdc00 && value < 0xe000))
		return NULL;
	if (value < 0xd800 || value >= 0xe000)
		return p + 6;
	low = json_check_hex(p + 6);
	return low >= 0xdc00 && low < 0xe000 ? p + 12 : NULL;
}

static const char *json_check_string(const char *p)
{
	for (p++; p && *p != '"';) {
		if ((unsigned char)*p < ' ')
			return NULL;
		p = *p == '\\' ? json_check_escape(p) : p + 1;
	}
	return p ? p + 1 : NULL;
}

static const char *json_check_word(const char *p)
{
	if (strchr("{}[],: \t\r\n", *p))
		return p + 1;
	if (*p == '"')
		return json_check_string(p);
	p = *p == '-' || g_ascii_isdigit(*p) ? json_check_number(p) : json_check_name(p);
	/* These two end where something else begins, not in the middle of 010 or nullify. */
	return p && (!*p || strchr("{}[],: \t\r\n\"", *p)) ? p : NULL;
}

bool json_check(const char *text, size_t len)
{
	const char *p = text;

	while (p && *p)
		p = json_check_word(p);
	return p == text + len;
}
