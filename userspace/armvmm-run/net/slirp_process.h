/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The protocol of the socket between net_slirp.c and the process in which libslirp runs. Both are
 * the same program, so that structures match. A struct slirp_setup comes first, then a struct
 * slirp_reply the other way, then frames both ways, each as a message. A message of SLIRP_STOP's
 * length is not a frame: it tells the process that the guest's driver is gone. The process sends it
 * back, behind the last frame that was for that driver.
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

/* The most memory that libslirp uses for a connection: a buffer for each direction. */
#define SLIRP_CONNECTION_DATA	(2 * 128u << 10)

/* And for everything else: fragments, queued frames, and the heap's overhead. */
#define SLIRP_DATA	(64u << 20)

#endif /* ARMVMM_RUN_SLIRP_PROCESS_H */
