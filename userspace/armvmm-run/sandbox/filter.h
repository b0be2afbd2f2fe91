/* SPDX-License-Identifier: GPL-2.0-only */
/* The system calls that each kind of thread may make. Any other call ends the process. */
#ifndef ARMVMM_RUN_FILTER_H
#define ARMVMM_RUN_FILTER_H

#include <stdbool.h>

#include <linux/filter.h>

#include "core/error.h"
#include "core/machine.h"

struct sandbox_params;

/*
 * Makes the filter for a kind of thread. With @params->flash, vCPUs write files at offsets, and
 * change what memory the guest sees. With @params->control, the main thread accepts connections,
 * resizes files and reads the state of vCPUs. With @params->restore, it sets it. With
 * @params->incoming, it does so, too, and accepts a connection. With @params->debugger, it accepts
 * one, and debugs vCPUs. With @params->vsock, it accepts connections and ends their directions, and
 * with @params->console it accepts some.
 * @prog's instructions are malloc()ed. Returns 0 or -errno with @err set.
 */
int filter_make(struct sock_fprog *prog, enum machine_thread kind,
		const struct sandbox_params *params, struct error *err);

/* Sets the filter for the calling thread and those that it starts. Returns 0 or -errno. */
int filter_load(const struct sock_fprog *prog);

/*
 * When a call is not allowed, prints its name before the process dies of SIGSYS. The handler that
 * SIGSYS had is called first. Call this once, before the first filter_load().
 */
void filter_tell_violations(void);

/* Unblocks SIGSYS for the calling thread: workers begin with all signals blocked. */
void filter_hear_violations(void);

#endif /* ARMVMM_RUN_FILTER_H */
