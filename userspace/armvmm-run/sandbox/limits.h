/* SPDX-License-Identifier: GPL-2.0-only */
/* Limits of the process: how much of the host a runaway library may take. */
#ifndef ARMVMM_RUN_LIMITS_H
#define ARMVMM_RUN_LIMITS_H

#include <stdint.h>

/* For a guest: memory beyond what there is when it starts, and files beyond those that are open. */
#define LIMITS_DATA	(256u << 20)
#define LIMITS_FILES	256

#define LIMITS_PINNED	(16u << 20)	/* beyond the guest's memory, if the host pins it */

/**
 * struct limits
 * @data: bytes of memory beyond what there is now
 * @files: beyond those that are open now
 * @pinned: bytes of the guest's memory that the kernel pins, for which RLIMIT_MEMLOCK is raised as
 *	far as the caller may
 */
struct limits {
	uint64_t data;
	unsigned int files;
	uint64_t pinned;
};

/*
 * Sets the limits for good. *@what names the limit that cannot be set, or is NULL. Returns 0 or
 * -errno.
 */
int limits_set(const struct limits *limits, const char **what);

#endif /* ARMVMM_RUN_LIMITS_H */
