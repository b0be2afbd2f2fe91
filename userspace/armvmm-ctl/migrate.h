/* SPDX-License-Identifier: GPL-2.0-only */
/* Sends a guest to another armvmm-run, for a verb. */
#ifndef ARMVMM_CTL_MIGRATE_H
#define ARMVMM_CTL_MIGRATE_H

#include <stdbool.h>

#include "connection.h"

extern const char *const migrate_options[];

/*
 * args[0] is where it goes; or it is one of migrate_options, and args[1] is. Waits for the end; a
 * signal that ends this program cancels it. When the guest runs there, the machine here is ended.
 * Returns false with @err set if it goes on here.
 */
bool migrate_run(struct connection *c, char **args, GError **err);

#endif /* ARMVMM_CTL_MIGRATE_H */
