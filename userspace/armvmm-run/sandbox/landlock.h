/* SPDX-License-Identifier: GPL-2.0-only */
/* Landlock (Linux 5.13): forbids to open files by name. */
#ifndef ARMVMM_RUN_LANDLOCK_H
#define ARMVMM_RUN_LANDLOCK_H

#include <stdbool.h>

/*
 * Takes from this thread, and those that it starts, all access to files by name that this kernel
 * can take. Without @network it also takes TCP connections; with it the folders of /etc/resolv.conf
 * stay readable. no_new_privs must be set. Returns 0, or -ENOSYS or -EOPNOTSUPP if the kernel has
 * no Landlock, or another -errno.
 */
int landlock_enter(bool network);

/* The same, but names in the open folder @folder may be removed. */
int landlock_enter_folder(int folder);

#endif /* ARMVMM_RUN_LANDLOCK_H */
