/* SPDX-License-Identifier: GPL-2.0-only */
/* The address of a control socket: a path, or a name in the user's folder of sockets. */
#ifndef ARMVMM_RUN_ADDRESS_H
#define ARMVMM_RUN_ADDRESS_H

#include <stdbool.h>
#include <sys/un.h>

#include "core/error.h"

#define ADDRESS_NAME_MAX	64	/* characters of a name */

struct address {
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	bool named;		/* we make its folder if it is missing */
};

/*
 * Parses "unix:PATH" or "name:NAME". The latter is /run/armvmm/NAME.sock for root, and
 * $XDG_RUNTIME_DIR/armvmm/NAME.sock for others. Returns 0, or -EINVAL with a sentence in @err that
 * begins with @label.
 */
int address_parse(struct address *address, const char *label, const char *arg, struct error *err);

/*
 * The same for what a person types to a client, which may also be a PATH, with a slash, or a NAME.
 */
int address_find(struct address *address, const char *arg, struct error *err);

#endif /* ARMVMM_RUN_ADDRESS_H */
