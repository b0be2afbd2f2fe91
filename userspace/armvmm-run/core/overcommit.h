/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the host's kernel promises of memory. Where vm.overcommit_memory is 2 it promises no more
 * than it has. A guest's memory then counts as a whole from the start; but a file of memory
 * (guestmem.shared) counts only while it is mapped for the first time, and then page by page, as
 * the guest touches it: a page for which there is nothing left ends the guest.
 */
#ifndef ARMVMM_RUN_OVERCOMMIT_H
#define ARMVMM_RUN_OVERCOMMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"

#define OVERCOMMIT_FILE	"/proc/sys/vm/overcommit_memory"

/* Is vm.overcommit_memory, as @file has it, 2? Before the sandbox. */
bool overcommit_is_strict(const char *file);

/*
 * Says why @size bytes of guest memory could not be had, where @room bytes of this process' address
 * space are free. Returns -ENOMEM.
 */
int overcommit_explain(uint64_t size, uint64_t room, bool strict, struct error *err);

/* What a person should know of a file of memory on a host that is strict. */
#define OVERCOMMIT_SHARED						\
	"--memory: vm.overcommit_memory is 2 on this host: it charges what vhost-user: shares only as the guest uses it, and the guest ends if nothing is left then: leave room for it (CommitLimit and Committed_AS in /proc/meminfo)"

#endif /* ARMVMM_RUN_OVERCOMMIT_H */
