/* SPDX-License-Identifier: GPL-2.0-only */
/* What armvmm-ctl can do with a machine. */
#ifndef ARMVMM_CTL_VERB_H
#define ARMVMM_CTL_VERB_H

#include <stdbool.h>

#include "connection.h"

struct verb {
	const char *name;
	unsigned int nr_args;	/* at least */
	const char *args;	/* for messages: "ID SIZE"; "[ID]": there may be one more */
	/* Prints the result. @args ends with NULL. Returns false with @err set. */
	bool (*run)(struct connection *c, char **args, GError **err);
	/* One of these may come before the arguments, and is in @args then. NULL: none. */
	const char *const *options;
};

/* Returns NULL if there is no such verb. */
const struct verb *verb_find(const char *name);

#endif /* ARMVMM_CTL_VERB_H */
