// SPDX-License-Identifier: GPL-2.0-only
#include <stddef.h>

#include "core/budget.h"

/* The kind's own entry, or one of a second that is over, or the shared one. */
static struct budget_entry *budget_find(struct budget *b, const char *kind, uint64_t second)
{
	struct budget_entry *free = &b->shared;

	for (unsigned int i = 0; i < BUDGET_KINDS; i++) {
		struct budget_entry *e = &b->entry[i];

		if (e->second == second && e->kind == kind)
			return e;
		if (e->second != second && free == &b->shared)
			free = e;
	}
	return free;
}

bool budget_take(struct budget *b, const char *kind, uint64_t second)
{
	struct budget_entry *e = budget_find(b, kind, second);

	if (e->second != second)
		*e = (struct budget_entry){ .kind = kind, .second = second };
	if (e->nr == BUDGET_MESSAGES)
		return false;
	e->nr++;
	return true;
}
