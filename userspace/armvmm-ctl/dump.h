/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ARMVMM_CTL_DUMP_H
#define ARMVMM_CTL_DUMP_H

#include <stdbool.h>

#include "connection.h"

/*
 * Has the guest's memory and registers written to the file @args[0]. The file is there, whole and
 * on the disk, if this returns true; else nothing has changed, and @err is set.
 */
bool dump_write(struct connection *c, char **args, GError **err);

#endif /* ARMVMM_CTL_DUMP_H */
