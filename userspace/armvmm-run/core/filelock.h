/* SPDX-License-Identifier: GPL-2.0-only */
/* Files that a guest writes have one user; those that it only reads may have several. */
#ifndef ARMVMM_RUN_FILELOCK_H
#define ARMVMM_RUN_FILELOCK_H

#include <stdbool.h>

#include "core/error.h"

/* Would a second machine with the same files be refused? */
struct filelock_guard {
	bool locked;		/* a file that is written was locked, */
	const char *unlocked;	/* this one, or what is written instead of one, was not; or NULL */
};

/*
 * Locks the open file @fd, until it is closed. Returns 0, also where the file system has no locks,
 * which @guard (NULL: nobody asks) is told of; or -EBUSY with @err set: another program uses @file
 * in a way that does not go with this.
 */
int filelock_take(int fd, bool readonly, const char *file, struct filelock_guard *guard,
		  struct error *err);
void filelock_leave(int fd);

#endif /* ARMVMM_RUN_FILELOCK_H */
