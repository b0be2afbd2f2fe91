/* SPDX-License-Identifier: GPL-2.0-only */
/* The socket that listens for a debugger. */
#ifndef ARMVMM_RUN_GDB_LISTENER_H
#define ARMVMM_RUN_GDB_LISTENER_H

#include "core/error.h"
#include "gdb/gdb_address.h"

/*
 * Opens the socket, before the sandbox takes the right to do so. Replaces a Unix socket of a
 * program that has ended; only its user may connect to the new one. Returns the descriptor, or
 * -errno with @err set: -EADDRINUSE: somebody else listens there.
 */
int gdb_listener_open(const struct gdb_address *address, struct error *err);

#endif /* ARMVMM_RUN_GDB_LISTENER_H */
