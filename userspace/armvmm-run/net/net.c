// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "net/net.h"

/* Defined by the linker: start and end of the section with the entries of all back ends. */
extern const struct net_type *const __start_net_types[] __attribute__((weak));
extern const struct net_type *const __stop_net_types[] __attribute__((weak));

const struct net_type *net_type_at(unsigned int index)
{
	const struct net_type *const *at;

	/* The type before whose name @index other names sort. */
	for (at = __start_net_types; at < __stop_net_types; at++) {
		const struct net_type *const *other;
		unsigned int before = 0;

		for (other = __start_net_types; other < __stop_net_types; other++)
			before += strcmp((*other)->name, (*at)->name) < 0;
		if (before == index)
			return *at;
	}
	return NULL;
}

const struct net_type *net_type_find(const char *name, size_t len)
{
	const struct net_type *type;

	for (unsigned int i = 0; (type = net_type_at(i)); i++)
		if (strlen(type->name) == len && !memcmp(type->name, name, len))
			break;
	return type;
}
