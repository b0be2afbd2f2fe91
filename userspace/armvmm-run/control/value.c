// SPDX-License-Identifier: GPL-2.0-only
#include <glib.h>

#include "control/value.h"

void value_prepare(void)
{
	json_set_alloc_funcs(g_malloc, g_free);
	/*
	 * Seed now, from /dev/urandom: the first object would look for it, but the sandbox hides
	 * it.
	 */
	json_object_seed(0);
}

json_t *value_text(const char *text)
{
	char *valid = g_utf8_make_valid(text, -1);
	json_t *value = json_string(valid);

	g_free(valid);
	return value;
}

char *value_print(const json_t *value)
{
	return json_dumps(value, JSON_COMPACT);
}
