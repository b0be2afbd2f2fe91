// SPDX-License-Identifier: GPL-2.0-only
#include "quit.h"

bool quit_machine(struct connection *c, GError **err)
{
	GError *why = NULL;
	json_t *value = connection_run(c, "quit", NULL, &why);

	json_decref(value);
	if (!why)
		return true;
	if (g_error_matches(why, CONNECTION_ERROR, CONNECTION_FAILED)) {
		g_error_free(why);
		return true;
	}
	g_propagate_error(err, why);
	return false;
}
