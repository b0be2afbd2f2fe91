/* SPDX-License-Identifier: GPL-2.0-only */
/* What the guest sends, on its way to the socket. For the files of vsock alone. */
#ifndef ARMVMM_RUN_VSOCK_INPUT_H
#define ARMVMM_RUN_VSOCK_INPUT_H

#include "net/vsock_conn.h"

/*
 * The program reads no more. What the guest has sent counts as taken, and the guest is told if
 * anything is lost. What the program has written still gets there.
 */
void vsock_deafen(struct vsock_conn *c);

/*
 * Writes what the socket takes. When the guest sends no more and all is written, the socket is
 * told. Returns false if the connection is over: the caller must not use it any more.
 */
bool vsock_flush(struct vsock *v, struct vsock_conn *c);

#endif /* ARMVMM_RUN_VSOCK_INPUT_H */
