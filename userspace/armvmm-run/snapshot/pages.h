/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory in a snapshot: parts "memory" of up to 1 MiB of the guest's addresses, in ascending order,
 * each compressed by zstd if that makes it smaller. Pages that are zero are left out, and so are
 * parts without any other page.
 *
 * A running guest's memory (version 2) comes in rounds: parts in any order, again and again, each
 * with the pages that were written since. They also tell which pages have become zero.
 */
#ifndef ARMVMM_RUN_PAGES_H
#define ARMVMM_RUN_PAGES_H

#include "core/guestmem.h"
#include "snapshot/part.h"

#define PAGES_PART	"memory"
#define PAGES_VERSION	1
#define PAGES_LIVE	2	/* the version of a running guest's */
#define PAGES_SIZE	4096u
#define PAGES_MAX	256u	/* pages of a part */
#define PAGES_BLOCK	(PAGES_MAX * PAGES_SIZE)	/* no part goes beyond a multiple of it */
#define PAGES_HEAD	80u	/* bytes that begin a part, and tell which pages it has */

/* Which memory there is, in ascending order. */
#define PAGES_RANGES	8

struct pages_range {
	uint64_t gpa, size;
	uint8_t *host;
	uint32_t *dirty;	/* for PAGES_LIVE, to write: bit n: page n has to be written */
};

struct pages_layout {
	unsigned int nr;
	struct pages_range range[PAGES_RANGES];
};

struct pages_writer;
struct pages_reader;

/* Adds memory, a multiple of a page, in any order. There must be room for it. */
void pages_add(struct pages_layout *layout, uint64_t gpa, uint64_t size, void *host);

uint64_t pages_total(const struct pages_layout *layout);

/* Has the page only zeroes? */
bool pages_is_zero(const uint8_t *page);

/* @version is PAGES_VERSION or PAGES_LIVE. Returns NULL if there is no memory for it. */
struct pages_writer *pages_writer_new(const struct pages_layout *layout, uint32_t version);
void pages_writer_free(struct pages_writer *p);

/*
 * Writes the next part that is not empty. Returns 1; 0 when all memory is written; or -errno.
 * *@done counts the bytes that were dealt with, *@pages the pages that were written.
 */
int pages_write(struct pages_writer *p, struct part_writer *w, uint64_t *done, uint64_t *pages);

/*
 * For PAGES_LIVE: begins another round, in which pages_write() takes the dirty pages, and their
 * bits. With @zeroes it tells of those that are zero, too, which the first round need not.
 */
void pages_writer_again(struct pages_writer *p, bool zeroes);

/*
 * For PAGES_LIVE, after pages_writer_again(): writes a part with the dirty pages among @nr from
 * byte @at of range number @range on, none of which is in another block. Returns 1; 0 if there are
 * none; or -errno. Counts in *@pages those that are not zero.
 */
int pages_write_at(struct pages_writer *p, struct part_writer *w, unsigned int range, uint64_t at,
		   unsigned int nr, uint64_t *pages);

/*
 * A checksum (CRC-32) of the heads of all parts that were written: it vouches for which pages there
 * are, for a reader that leaves the pages themselves for later.
 */
uint32_t pages_writer_heads(const struct pages_writer *p);

struct pages_reader *pages_reader_new(const struct pages_layout *layout, uint32_t version);
void pages_reader_free(struct pages_reader *p);

/*
 * Puts the part that @r has read into memory, which was zero at first. Counts its pages. Returns 0
 * or -errno with @err set.
 */
int pages_read(struct pages_reader *p, const struct part_reader *r, uint64_t *pages,
	       struct error *err);

/*
 * Does the same as far as the first PAGES_HEAD bytes of the part tell: @r has read these
 * (part_peek()). *@gpa is where its pages are.
 */
int pages_look(struct pages_reader *p, const struct part_reader *r, uint64_t *gpa, uint64_t *pages,
	       struct error *err);

/* What such a part, which was looked at, has of page @i from its beginning on. */
enum pages_what { PAGES_NOTHING, PAGES_DATA, PAGES_ZERO };

enum pages_what pages_what(const struct part_reader *r, unsigned int i);

/* The checksum of the heads of all parts that were read, or looked at. */
uint32_t pages_reader_heads(const struct pages_reader *p);

/* From here on it reads parts of this version that lie within this range. */
void pages_reader_aim(struct pages_reader *p, const struct pages_range *range, uint32_t version);

#endif /* ARMVMM_RUN_PAGES_H */
