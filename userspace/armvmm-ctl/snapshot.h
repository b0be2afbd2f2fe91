/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ARMVMM_CTL_SNAPSHOT_H
#define ARMVMM_CTL_SNAPSHOT_H

#include <stdbool.h>

#include "connection.h"

extern const char *const snapshot_options[];

/*
 * Has the machine saved to the file @args[0], or @args[1] after one of snapshot_options. The file
 * is there, whole and on the disk, if this returns true; else nothing has changed, and @err is set.
 */
bool snapshot_save(struct connection *c, char **args, GError **err);

#endif /* ARMVMM_CTL_SNAPSHOT_H */
