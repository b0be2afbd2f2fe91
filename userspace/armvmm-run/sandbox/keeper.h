/* SPDX-License-Identifier: GPL-2.0-only */
/* The process that keeps a socket's name, and removes it at the end (core/named_socket.h). */
#ifndef ARMVMM_RUN_KEEPER_H
#define ARMVMM_RUN_KEEPER_H

/*
 * Gives up all that the process does not need to wait at descriptor 0, and to remove a name from
 * the folder that is descriptor 1. It has no other, and one thread. As in sandbox_enter(), what the
 * host's kernel lacks is left out. Does not return if it keeps a right that it could give up.
 */
void keeper_confine(void);

#endif /* ARMVMM_RUN_KEEPER_H */
