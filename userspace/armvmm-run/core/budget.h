/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How much a program says: BUDGET_MESSAGES a second of each kind. So one that comes again and again
 * keeps no other from being heard, which may come once. A kind is the address of its format, so
 * that nobody has to register it, and what is known of one is over with its second: that is no more
 * than the table here, however many kinds there are. Kinds that find no room in it share one entry.
 *
 * Nothing here looks at a clock or locks.
 */
#ifndef ARMVMM_RUN_BUDGET_H
#define ARMVMM_RUN_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#define BUDGET_MESSAGES	10
#define BUDGET_KINDS	32

struct budget_entry {
	const char *kind;
	uint64_t second;
	unsigned int nr;
};

/* Zeroed at first. */
struct budget {
	struct budget_entry entry[BUDGET_KINDS], shared;
};

/* May there be a message of this kind now, in the @second (from 1 on)? Then it counts. */
bool budget_take(struct budget *b, const char *kind, uint64_t second);

#endif /* ARMVMM_RUN_BUDGET_H */
