/* SPDX-License-Identifier: GPL-2.0-only */
/* The socket where a debugger is awaited. */
#ifndef ARMVMM_RUN_GDB_LISTENER_H
#define ARMVMM_RUN_GDB_LISTENER_H

#include "core/error.h"
#include "gdb/gdb_address.h"

/*
 * Opens it, before the sandbox takes the right to. A socket of a program that has ended is
 * replaced; one of the user's own alone may be connected to by others. Returns the descriptor, or
 * -errno with @err set: -EADDRINUSE: somebody else listens there.
 */
int gdb_listener_open(const struct gdb_address *address, struct error *err);

#endif /* ARMVMM_RUN_GDB_LISTENER_H */
