/* SPDX-License-Identifier: GPL-2.0-only */
/* --gdb: a debugger for the guest, by GDB's remote protocol (docs/gdb.md). Main thread only. */
#ifndef ARMVMM_RUN_GDB_H
#define ARMVMM_RUN_GDB_H

#include "core/error.h"
#include "core/listener.h"
#include "core/machine.h"

struct gdb;

/*
 * Awaits a debugger at @listener, whose descriptor it takes. @wait: holds the machine until a
 * debugger lets it go. Call it before the guest's start. Returns 0 or -errno with @err set.
 */
int gdb_create(struct gdb **gdb, struct machine *m, struct listener *listener, bool wait,
	       struct error *err);

/*
 * Tells a debugger that the guest has ended, and that the program will end with @status. NULL does
 * nothing.
 */
void gdb_ended(struct gdb *gdb, int status);

/* Call it before the machine is destroyed. NULL does nothing. */
void gdb_free(struct gdb *gdb);

#endif /* ARMVMM_RUN_GDB_H */
