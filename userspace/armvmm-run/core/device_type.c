// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "core/device_type.h"

/* Defined by the linker: start and end of the section with the entries of all files. */
extern const struct device_type *const __start_device_types[] __attribute__((weak));
extern const struct device_type *const __stop_device_types[] __attribute__((weak));

/* Compares by order, then by name, so that the order of linking does not matter. */
static int device_type_compare(const struct device_type *a, const struct device_type *b)
{
	if (a->order != b->order)
		return a->order < b->order ? -1 : 1;
	return strcmp(a->name, b->name);
}

const struct device_type *device_type_next(const struct device_type *prev)
{
	const struct device_type *const *at;
	const struct device_type *next = NULL;

	for (at = __start_device_types; at < __stop_device_types; at++)
		if ((!prev || device_type_compare(*at, prev) > 0) &&
		    (!next || device_type_compare(*at, next) < 0))
			next = *at;
	return next;
}

const struct device_type *device_type_find(const char *name)
{
	const struct device_type *type = NULL;

	while ((type = device_type_next(type)))
		if (!strcmp(type->name, name))
			break;
	return type;
}
