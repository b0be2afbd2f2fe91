/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What goes over the socket between net_slirp.c and the process that libslirp runs in. Both are
 * one program, so structures are the same. First a struct slirp_setup, then a struct slirp_reply
 * the other way, then frames both ways, a message each. A message of SLIRP_STOP's length is no
 * frame: to the process it says that the guest's driver is gone, and it comes back behind the last
 * frame that was for it.
 */
#ifndef ARMVMM_RUN_SLIRP_PROCESS_H
#define ARMVMM_RUN_SLIRP_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "core/process.h"
#include "net/slirp_config.h"

#define SLIRP_ROLE	"net-user"
#define SLIRP_STOP	1	/* bytes */

struct slirp_setup {
	struct slirp_config config;
	struct process_rights rights;
	bool verbose;
};

struct slirp_reply {
	int32_t ret;		/* 0: it serves; or -errno */
	struct error why;	/* where it is not */
};

/* What libslirp has at most for a connection: a buffer for each way. */
#define SLIRP_CONNECTION_DATA	(2 * 128u << 10)

/* And for all else: pieces of packets, frames that wait, and the heap's own. */
#define SLIRP_DATA	(64u << 20)

#endif /* ARMVMM_RUN_SLIRP_PROCESS_H */
