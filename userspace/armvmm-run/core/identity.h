/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names that are made up for a guest (serial numbers, MAC addresses): the same at each start, and
 * different from those of other guests and hosts. They do not reveal what they are made from.
 */
#ifndef ARMVMM_RUN_IDENTITY_H
#define ARMVMM_RUN_IDENTITY_H

#include <stdint.h>

#define IDENTITY_SIZE	32

/* A hash of this host's machine-id, of @who and of @what, texts of any length or NULL. */
void identity_hash(uint8_t hash[IDENTITY_SIZE], const char *who, const char *what);

/* Makes @path absolute, without looking at the file. Free it by g_free(). */
char *identity_path(const char *path);

#endif /* ARMVMM_RUN_IDENTITY_H */
