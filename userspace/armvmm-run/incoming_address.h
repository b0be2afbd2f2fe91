/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a guest comes from (--incoming): unix:PATH, tcp:[HOST]:PORT, fd:N, or -. */
#ifndef ARMVMM_RUN_INCOMING_ADDRESS_H
#define ARMVMM_RUN_INCOMING_ADDRESS_H

#include <stdbool.h>

#include "core/endpoint.h"
#include "core/error.h"

struct incoming_address {
	bool standard;		/* stdin and stdout */
	int fd;			/* a connection that this process has inherited; -1: none */
	struct endpoint at;	/* else: where to listen */
};

/* Returns 0, or -EINVAL with @err set. */
int incoming_address_parse(struct incoming_address *a, const char *arg, struct error *err);

#endif /* ARMVMM_RUN_INCOMING_ADDRESS_H */
