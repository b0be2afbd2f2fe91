/* SPDX-License-Identifier: GPL-2.0-only */
/* What snapshots and migration have in common: QEMU's migrate, from its beginning to its end. */
#ifndef ARMVMM_CTL_TRANSFER_H
#define ARMVMM_CTL_TRANSFER_H

#include <stdbool.h>

#include "connection.h"

#define TRANSFER_FD	"transfer"	/* a file's name at the machine */

/*
 * From here on, signals that would end this program cancel what transfer_wait() waits for, and shut
 * down the connection @fd, unless it is -1.
 */
void transfer_catch(int fd);

/* Did such a signal come? */
bool transfer_is_interrupted(void);

/* Runs a command that returns nothing of interest, with the file @fd for the machine; -1: none. */
bool transfer_do(struct connection *c, const char *name, json_t *args, int fd, GError **err);

/* Sets @err to a sentence about @what. Returns false. */
bool transfer_fail(GError **err, const char *what, const char *why);

/*
 * Begins: sends the file @fd, which stays the caller's, and has the guest saved or sent to it, with
 * @capability, and @another unless it is NULL.
 */
bool transfer_begin(struct connection *c, int fd, const char *capability, const char *another,
		    GError **err);

/*
 * Waits for the end, and shows how far it is. Returns the last status, or NULL with @err set to a
 * sentence about @what. @noun is what it is: "snapshot". Unless it is NULL, @look is called with each
 * status on the way.
 */
json_t *transfer_wait(struct connection *c, const char *noun, const char *what,
		      void (*look)(struct connection *c, json_t *status), GError **err);

#endif /* ARMVMM_CTL_TRANSFER_H */
