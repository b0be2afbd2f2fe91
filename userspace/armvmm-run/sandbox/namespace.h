/* SPDX-License-Identifier: GPL-2.0-only */
/* Namespaces of our own: an empty root, no network, no System V IPC. */
#ifndef ARMVMM_RUN_NAMESPACE_H
#define ARMVMM_RUN_NAMESPACE_H

#include <stdbool.h>

/*
 * Moves the process, which has one thread, into them. A user who is not root gets a user namespace
 * too, if @user_too allows it, and stays the same user there. With @network the host's network
 * stays, and the root has the folder of /etc/resolv.conf. Returns 0, or -errno with *@what naming
 * what failed. If that is the kernel's lack of one kind of namespace, the process is in the others.
 */
int namespace_enter(bool network, bool user_too, const char **what);

#endif /* ARMVMM_RUN_NAMESPACE_H */
