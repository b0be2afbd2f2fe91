/* SPDX-License-Identifier: GPL-2.0-only */
/* Where to listen for a debugger: tcp:[HOST]:PORT[,wait] or unix:PATH[,wait]. Pure. */
#ifndef ARMVMM_RUN_GDB_ADDRESS_H
#define ARMVMM_RUN_GDB_ADDRESS_H

#include <stdbool.h>

#include "core/error.h"

#define ADDRESS_MAX	256u

struct gdb_address {
	bool is_unix;
	bool wait;		/* the guest does not start before a debugger lets it go */
	char host[ADDRESS_MAX];	/* tcp; 127.0.0.1 if none is given */
	char port[8];		/* tcp: 0 to 65535; 0: any free port */
	char path[108];		/* unix: as long as one may be */
};

/* Returns 0, or -EINVAL with @err set: "--gdb tcp:x: ...". */
int gdb_address_parse(struct gdb_address *address, const char *text, struct error *err);

#endif /* ARMVMM_RUN_GDB_ADDRESS_H */
