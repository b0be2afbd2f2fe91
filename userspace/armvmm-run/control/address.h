/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a control socket is: by its path, or by a name in the user's folder of sockets. */
#ifndef ARMVMM_RUN_ADDRESS_H
#define ARMVMM_RUN_ADDRESS_H

#include <stdbool.h>
#include <sys/un.h>

#include "core/error.h"

#define ADDRESS_NAME_MAX	64	/* characters of a name */

struct address {
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	bool named;		/* its folder is ours to make */
};

/*
 * Parses "unix:PATH" or "name:NAME", the latter being /run/armvmm/NAME.sock for root, and
 * $XDG_RUNTIME_DIR/armvmm/NAME.sock for others. Returns 0 or -EINVAL with @err set, which begins
 * with @label.
 */
int address_parse(struct address *address, const char *label, const char *arg, struct error *err);

/* The same for what a person types to a client: a PATH, which has a slash, or a NAME as well. */
int address_find(struct address *address, const char *arg, struct error *err);

#endif /* ARMVMM_RUN_ADDRESS_H */
