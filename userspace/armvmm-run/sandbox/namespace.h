/* SPDX-License-Identifier: GPL-2.0-only */
/* Namespaces of our own: an empty root, no network, no System V IPC. */
#ifndef ARMVMM_RUN_NAMESPACE_H
#define ARMVMM_RUN_NAMESPACE_H

#include <stdbool.h>

/*
 * Moves the process, which has one thread, into them; who is not root has a user namespace too,
 * where @user_too allows it: nobody becomes another user there.
 * With @network the host's network stays, and the folders of /etc/resolv.conf are in the root.
 * Returns 0, or -errno with *@what told that failed.
 */
int namespace_enter(bool network, bool user_too, const char **what);

#endif /* ARMVMM_RUN_NAMESPACE_H */
