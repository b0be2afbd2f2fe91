/* SPDX-License-Identifier: GPL-2.0-only */
/* User namespaces (user_namespaces(7)), for who is not root. */
#ifndef ARMVMM_RUN_USERNS_H
#define ARMVMM_RUN_USERNS_H

#include <sys/types.h>

/*
 * In a user namespace that this process has just entered: it stays @uid and @gid there. Makes
 * system calls alone, for use between a fork and exec. Returns 0 or -errno.
 */
int userns_map(uid_t uid, gid_t gid);

#endif /* ARMVMM_RUN_USERNS_H */
