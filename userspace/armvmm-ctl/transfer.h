/* SPDX-License-Identifier: GPL-2.0-only */
/* What snapshots and migration have in common: QEMU's migrate, from its beginning to its end. */
#ifndef ARMVMM_CTL_TRANSFER_H
#define ARMVMM_CTL_TRANSFER_H

#include <stdbool.h>

#include "connection.h"

/* From here on, signals that would end this program cancel what transfer_wait() waits for. */
void transfer_catch(void);

/* Sets @err to a sentence about @what. Returns false. */
bool transfer_fail(GError **err, const char *what, const char *why);

/*
 * Begins: sends the file @fd, which stays the caller's, and has the guest saved or sent to it, with
 * @capability.
 */
bool transfer_begin(struct connection *c, int fd, const char *capability, GError **err);

/*
 * Waits for the end, and shows how far it is. Returns the last status, or NULL with @err set to a
 * sentence about @what. @noun is what it is: "snapshot".
 */
json_t *transfer_wait(struct connection *c, const char *noun, const char *what, GError **err);

#endif /* ARMVMM_CTL_TRANSFER_H */
