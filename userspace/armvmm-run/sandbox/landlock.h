/* SPDX-License-Identifier: GPL-2.0-only */
/* Landlock (Linux 5.13): no file may be opened by its name any more. */
#ifndef ARMVMM_RUN_LANDLOCK_H
#define ARMVMM_RUN_LANDLOCK_H

#include <stdbool.h>

/*
 * Takes from this thread, and those that it starts, all access to files by name that this kernel
 * can take; of connections over TCP too, unless @network, when the folders of /etc/resolv.conf stay
 * readable. no_new_privs is set. Returns 0, or -ENOSYS or -EOPNOTSUPP where the kernel has no
 * Landlock, or another -errno.
 */
int landlock_enter(bool network);

#endif /* ARMVMM_RUN_LANDLOCK_H */
