/* SPDX-License-Identifier: GPL-2.0-only */
/* A file that goes into guest memory, or a part of one. It stays open, as the guest may reboot. */
#ifndef ARMVMM_RUN_LOADER_FILE_H
#define ARMVMM_RUN_LOADER_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

struct loader_file {
	const char *name;	/* NULL: not given */
	int fd;			/* -1: not open */
	uint64_t offset;	/* where the wanted part begins */
	uint64_t size;
};

/* Opens all of the file @name; NULL does nothing. Returns 0 or -errno with @err naming it. */
int loader_file_open(struct loader_file *file, const char *name, struct error *err);

/*
 * Another file descriptor for @size bytes of @file, from its @offset on; the caller has checked
 * that they are there. Returns 0 or -errno with @err set.
 */
int loader_file_dup(struct loader_file *part, const struct loader_file *file, uint64_t offset,
		    uint64_t size, struct error *err);

/* Reads all @size bytes from @offset on. Returns 0 or -errno: it cannot be read, or has shrunk. */
int loader_file_read(const struct loader_file *file, void *buf, uint64_t size, uint64_t offset,
		     struct error *err);

/*
 * Hands the @size bytes from @offset on to @take, a piece at a time. Returns 0 or -errno with
 * @err set.
 */
int loader_file_each(const struct loader_file *file, uint64_t offset, uint64_t size,
		     void (*take)(void *opaque, const void *buf, size_t len), void *opaque,
		     struct error *err);

/* The CRC-32 of RFC 1952 of @size bytes from @offset on, into *@crc. Returns 0 or -errno. */
int loader_file_crc32(const struct loader_file *file, uint64_t offset, uint64_t size,
		      uint32_t *crc, struct error *err);

void loader_file_close(struct loader_file *file);

#endif /* ARMVMM_RUN_LOADER_FILE_H */
