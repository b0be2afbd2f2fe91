/* SPDX-License-Identifier: GPL-2.0-only */
/* What is open for a guest that comes (--incoming). */
#ifndef ARMVMM_RUN_INCOMING_H
#define ARMVMM_RUN_INCOMING_H

#include "core/error.h"
#include "core/listener.h"
#include "snapshot/receive.h"

struct incoming {
	struct receive_source source;
	struct listener listener;	/* keeps a name in the file system */
};

/*
 * Opens it, before the sandbox takes the right to do so. If that is stdin and stdout, the terminal
 * keeps neither. Returns 0 or -errno with @err set.
 */
int incoming_open(struct incoming *in, const char *arg, struct error *err);

/* Closes what nobody has taken. */
void incoming_close(struct incoming *in);

#endif /* ARMVMM_RUN_INCOMING_H */
