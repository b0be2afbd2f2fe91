/* SPDX-License-Identifier: GPL-2.0-only */
/* Limits of the process: what a runaway library may take of the host. */
#ifndef ARMVMM_RUN_LIMITS_H
#define ARMVMM_RUN_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

/* Memory beyond what there is when the guest starts, and files beyond those that are open. */
#define LIMITS_DATA	(256u << 20)
#define LIMITS_FILES	64
#define LIMITS_SOCKETS	1024	/* files with --net user */

#define LIMITS_PINNED	(16u << 20)	/* beyond the guest's memory, where the host pins it */

/*
 * Sets them for good. @pinned: bytes of the guest's memory that the kernel pins, for which
 * RLIMIT_MEMLOCK is raised as far as the caller may. *@what stands for the limit that cannot be
 * had, or is NULL. Returns 0 or -errno.
 */
int limits_set(bool network, uint64_t pinned, const char **what);

#endif /* ARMVMM_RUN_LIMITS_H */
