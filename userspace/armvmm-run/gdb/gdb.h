/* SPDX-License-Identifier: GPL-2.0-only */
/* --gdb: a debugger for the guest, by GDB's remote protocol. docs/gdb.md. Main thread, all. */
#ifndef ARMVMM_RUN_GDB_H
#define ARMVMM_RUN_GDB_H

#include "core/error.h"
#include "core/machine.h"
#include "gdb/gdb_address.h"

struct gdb;

/*
 * Awaits a debugger at @address, and holds the machine until one lets it go where that says so.
 * Before the guest's start, and before the sandbox. Returns 0 or -errno with @err set.
 */
int gdb_create(struct gdb **gdb, struct machine *m, const struct gdb_address *address,
	       struct error *err);

/* The guest has ended, and the program will, with this status: tells a debugger. NULL: nothing. */
void gdb_ended(struct gdb *gdb, int status);

/* Before the machine is destroyed. NULL does nothing. */
void gdb_free(struct gdb *gdb);

#endif /* ARMVMM_RUN_GDB_H */
