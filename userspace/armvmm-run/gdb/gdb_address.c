// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "gdb/gdb_address.h"

#define ADDRESS_WAIT	",wait"

int gdb_address_parse(struct gdb_address *a, const char *text, struct error *err)
{
	const char *end = text + strlen(text);
	size_t wait = strlen(ADDRESS_WAIT);

	*a = (struct gdb_address){ .wait = false };
	if ((size_t)(end - text) >= wait && !strcmp(end - wait, ADDRESS_WAIT)) {
		a->wait = true;
		end -= wait;
	}
	if (!endpoint_parse(&a->at, text, end))
		return 0;
	return error_set(err, -EINVAL, "--gdb %s: must be " ENDPOINT_SYNTAX ", and may end in ,wait",
			 text);
}
