/* SPDX-License-Identifier: GPL-2.0-only */
/* User namespaces (user_namespaces(7)), for users other than root. */
#ifndef ARMVMM_RUN_USERNS_H
#define ARMVMM_RUN_USERNS_H

#include <sys/types.h>

/*
 * Called in a user namespace that this process has just entered: keeps @uid and @gid there. Only
 * makes system calls, for use between fork and exec. Returns 0 or -errno.
 */
int userns_map(uid_t uid, gid_t gid);

#endif /* ARMVMM_RUN_USERNS_H */
