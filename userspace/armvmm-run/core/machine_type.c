// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "core/machine_type.h"

/* Defined by the linker: start and end of the section with the entries of all files. */
extern const struct machine_type *const __start_machine_types[] __attribute__((weak));
extern const struct machine_type *const __stop_machine_types[] __attribute__((weak));

static int machine_type_compare(const struct machine_type *a, const struct machine_type *b)
{
	bool first_a = !strcmp(a->name, MACHINE_TYPE_DEFAULT);
	bool first_b = !strcmp(b->name, MACHINE_TYPE_DEFAULT);

	return first_a != first_b ? first_b - first_a : strcmp(a->name, b->name);
}

const struct machine_type *machine_type_next(const struct machine_type *prev)
{
	const struct machine_type *const *at;
	const struct machine_type *next = NULL;

	for (at = __start_machine_types; at < __stop_machine_types; at++)
		if ((!prev || machine_type_compare(*at, prev) > 0) &&
		    (!next || machine_type_compare(*at, next) < 0))
			next = *at;
	return next;
}

const struct machine_type *machine_type_find(const char *name)
{
	const struct machine_type *type = NULL;

	while ((type = machine_type_next(type)))
		if (!strcmp(type->name, name))
			break;
	return type;
}

const struct machine_device *machine_type_device(const struct machine_type *type, const char *name)
{
	for (const struct machine_device *d = type->devices; d->name; d++)
		if (!strcmp(d->name, name))
			return d;
	return NULL;
}

bool machine_type_has_ram_at(const struct machine_type *type, uint64_t base)
{
	for (unsigned int i = 0; i < MACHINE_TYPE_RAM_BASES; i++)
		if (base && type->ram_base[i] == base)
			return true;
	return false;
}
