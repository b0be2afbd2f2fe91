/* SPDX-License-Identifier: GPL-2.0-only */
/* The options that there are, and how one is taken: what options.c and options_file.c share. */
#ifndef ARMVMM_RUN_OPTIONS_TABLE_H
#define ARMVMM_RUN_OPTIONS_TABLE_H

#include <getopt.h>
#include <stdbool.h>

#include "core/config.h"
#include "core/error.h"

#define OPTIONS_OWN	40	/* options of the program itself, at most */
#define OPTIONS_TYPES	32	/* device types with an option of their own, at most */

/* getopt's two tables: the program's own options, and those of the device types. */
struct options_table {
	struct option longs[OPTIONS_OWN + OPTIONS_TYPES + 1];
	char letters[OPTIONS_OWN + 2 * OPTIONS_TYPES];
	const struct device_type *type[OPTIONS_TYPES];
	unsigned int nr_types;
};

void options_table(struct options_table *t);

/*
 * Takes the option that is @c in the table, with @arg, which must stay; NULL: it has none. Returns
 * 0 or -errno with @err set.
 */
int options_take(struct config *config, const struct options_table *t, int c, const char *arg,
		 struct error *err);

/* May it stand in a file? What makes the program leave may not. */
bool options_in_file(int c);

/* May it be given several times, each time adding something? */
bool options_repeats(int c);

#endif /* ARMVMM_RUN_OPTIONS_TABLE_H */
