/* SPDX-License-Identifier: GPL-2.0-only */
/* The control socket (--control): QMP for everyone who may open it. Main thread. */
#ifndef ARMVMM_RUN_CONTROL_H
#define ARMVMM_RUN_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "control/address.h"
#include "core/error.h"
#include "core/machine.h"

struct control;

/*
 * Makes the socket, while the process has no other thread and may still open files. Nobody is
 * served before control_start(). Returns 0 or -errno with @err set.
 */
int control_create(struct control **control, const struct address *address, struct error *err);

/*
 * Serves clients, for @m and the guest's @name (or NULL), both of which outlive it. Returns 0 or
 * -errno with @err set.
 */
int control_start(struct control *control, struct machine *m, const char *name,
		  struct error *err);

/* Was the guest sent elsewhere, and is stopped here? False for NULL. */
bool control_guest_has_left(const struct control *control);

/*
 * Does the guest run elsewhere, while its memory follows from here? *@left is how many bytes have
 * not gone yet. False for NULL.
 */
bool control_guest_follows(const struct control *control, uint64_t *left);

/* Ends all connections, while the machine is still there. */
void control_stop(struct control *control);

/* When it returns, the socket's name is gone. NULL does nothing. */
void control_destroy(struct control *control);

#endif /* ARMVMM_RUN_CONTROL_H */
