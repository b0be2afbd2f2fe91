/* SPDX-License-Identifier: GPL-2.0-only */
/* Where to listen for a debugger: tcp:[HOST]:PORT[,wait] or unix:PATH[,wait]. Pure. */
#ifndef ARMVMM_RUN_GDB_ADDRESS_H
#define ARMVMM_RUN_GDB_ADDRESS_H

#include <stdbool.h>

#include "core/endpoint.h"
#include "core/error.h"

struct gdb_address {
	struct endpoint at;
	bool wait;		/* the guest does not start before a debugger lets it go */
};

/* Returns 0, or -EINVAL with @err set: "--gdb tcp:x: ...". */
int gdb_address_parse(struct gdb_address *address, const char *text, struct error *err);

#endif /* ARMVMM_RUN_GDB_ADDRESS_H */
