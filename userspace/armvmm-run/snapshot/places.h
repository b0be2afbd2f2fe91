/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a guest's memory is in the files of its snapshots: a complete one, and those that add to
 * it. Memory is divided into blocks of PAGES_BLOCK. Which parts of which files have pages of a
 * block is known without reading the pages; a block is read, and its checksums are compared, on its
 * own.
 * One thread at a time.
 */
#ifndef ARMVMM_RUN_PLACES_H
#define ARMVMM_RUN_PLACES_H

#include <stdint.h>

#include "core/error.h"
#include "snapshot/pages.h"
#include "snapshot/part.h"

#define PLACES_FILES	64	/* at most */

struct places;

/* Of memory like this, and of no file yet. Never NULL. */
struct places *places_new(const struct pages_layout *layout);

/* NULL does nothing. Its files stay open. */
void places_free(struct places *p);

/*
 * Makes @reader, of which .base is set, read the next file, @fd, which adds to the one before it.
 * Returns 0 or -errno with @err set.
 */
int places_begin_file(struct places *p, struct part_reader *reader, int fd, const char *name,
		      struct error *err);

/*
 * Reads the next part of the file with @reader, which is one of memory, or PART_END. What it tells
 * of memory is kept, and *@pages counted. Returns 0 or -errno with @err set.
 */
int places_read(struct places *p, struct part_reader *reader, uint64_t *pages, struct error *err);

/* A checksum of what the file's parts tell of memory, which PART_END has to have, too. */
uint32_t places_heads(const struct places *p);

/* The file is whole. It stays open as long as blocks are read. */
void places_end_file(struct places *p, const struct part_reader *reader);

/* ---- When all files were taken ---- */

unsigned int places_blocks(const struct places *p);

/* Which memory block @n is. */
const struct pages_range *places_block(const struct places *p, unsigned int n);

/* The block that has the host's address @host, or places_blocks(): none. */
unsigned int places_find(const struct places *p, const uint8_t *host);

/*
 * Reads block @n to @to, as it was when the last snapshot was made. Returns 0, or -errno with @err
 * naming the file that is wrong: then nothing of @to may be used.
 */
int places_load(struct places *p, unsigned int n, uint8_t *to, struct error *err);

/* How many bytes of the files were read so far, and how many they have. */
uint64_t places_bytes(const struct places *p, uint64_t *all);

#endif /* ARMVMM_RUN_PLACES_H */
