/* SPDX-License-Identifier: GPL-2.0-only */
/* Compressed files: gzip (RFC 1952) and zstd (RFC 8878) are unpacked, others are known by name. */
#ifndef ARMVMM_RUN_UNPACK_H
#define ARMVMM_RUN_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "boot/loader_file.h"
#include "core/error.h"

#define UNPACK_MAGIC	8	/* bytes that tell a compressor */

/* The name of the compressor whose files begin as @head does, of UNPACK_MAGIC bytes, or NULL. */
const char *unpack_compressor(const uint8_t *head);

/* Can a file of that compressor be unpacked? */
bool unpack_can(const char *compressor);

/*
 * Unpacks @file, compressed by @compressor, into memory that takes the file's place. Ignores what
 * follows the compressed data. Returns 0; -ENOEXEC: damaged or cut short; -E2BIG: unpacked, it has
 * more than @limit bytes, and no more are made; -errno.
 */
int unpack_file(struct loader_file *file, const char *compressor, uint64_t limit,
		struct error *err);

#endif /* ARMVMM_RUN_UNPACK_H */
