/* SPDX-License-Identifier: GPL-2.0-only */
/* Output that nobody may have to wait for. */
#ifndef ARMVMM_RUN_NONBLOCK_H
#define ARMVMM_RUN_NONBLOCK_H

#include <fcntl.h>
#include <stdio.h>

/*
 * O_NONBLOCK belongs to the open file, which the shell and others share: this opens the same
 * terminal or pipe once more, for writing. Returns a descriptor, or -1.
 */
static inline int nonblock_open(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

#endif /* ARMVMM_RUN_NONBLOCK_H */
