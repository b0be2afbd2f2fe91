/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The format of a snapshot: a header, then parts, each with a name, a length and a checksum
 * (zlib's CRC-32), and at last a part "end". It is written and read front to back, so that it goes
 * through a pipe as well. Numbers are little-endian.
 *
 *	header	64 bytes: what the file is, the format's version, the snapshot's id, the id of the
 *		snapshot that this one only adds to (all zero: none), CRC-32
 *	part	64 bytes: its name, the version of its contents, its number in the file, the length
 *		and the CRC-32 of its contents, and the CRC-32 of these bytes; then the contents
 *
 * Each checksum begins with the snapshot's id, so that no part fits into another snapshot. The
 * reader knows which part comes next, and refuses by the name of that part what was cut or changed.
 */
#ifndef ARMVMM_RUN_PART_H
#define ARMVMM_RUN_PART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

#define PART_FORMAT_VERSION	1
#define PART_ID_SIZE		16
#define PART_NAME_MAX		32		/* with a zero at its end */
#define PART_LENGTH_MAX		(4u << 20)	/* bytes of contents */

#define PART_END		"end"

/* ---- Writing ---- */

struct part_writer {
	/* Takes all @len bytes. Returns 0 or -errno, which ends the snapshot. */
	int (*write)(void *opaque, const void *data, size_t len);
	void *opaque;
	uint32_t seed;		/* of the checksums */
	uint32_t nr;		/* parts so far */
};

/*
 * Writes the header of a snapshot with that @id, which only adds to the snapshot @base unless that
 * is NULL. Returns 0 or what write() returned.
 */
int part_begin(struct part_writer *w, const uint8_t id[PART_ID_SIZE],
	       const uint8_t base[PART_ID_SIZE]);

/* Writes a part, whose contents come in two pieces. Returns 0 or what write() returned. */
int part_write(struct part_writer *w, const char *name, uint32_t version, const void *first,
	       size_t first_len, const void *second, size_t second_len);

/* ---- Reading ---- */

struct part_reader {
	/* Reads @len bytes, or less at the end. Returns how many, or -errno. */
	int64_t (*read)(void *opaque, void *data, size_t len);
	void *opaque;
	/* Skips @len bytes, for part_peek(). Returns 0, or -EBADMSG if there are less. */
	int (*skip)(void *opaque, uint64_t len);
	const char *file;	/* for messages */
	const char *kind;	/* of it: "file" if NULL */
	const uint8_t *base;	/* the id of the snapshot that it adds to; NULL: to none */
	size_t max;		/* the longest part that is taken; 0: PART_LENGTH_MAX */
	uint32_t seed;
	uint32_t nr;
	uint8_t id[PART_ID_SIZE];
	/* The part that was read last. */
	char name[PART_NAME_MAX];
	uint32_t version;
	uint8_t *data;		/* to be freed by part_reader_free() */
	size_t len, room;
};

/*
 * Reads the header, which must tell of r->base. All of these return 0, or -errno with @err naming
 * the file and the part.
 */
int part_open(struct part_reader *r, struct error *err);

/* Reads the next part, which must be called @name. */
int part_read(struct part_reader *r, const char *name, struct error *err);

/*
 * The same, but the part may also be @other. r->name tells which it is. If its head is damaged or
 * cut, nobody knows, and the message has @name.
 */
int part_read_either(struct part_reader *r, const char *name, const char *other,
		     struct error *err);

/* The same, but the part may be any of @names, of which the last is NULL. */
int part_read_any(struct part_reader *r, const char *const names[], struct error *err);

/*
 * The same, but of a part @name only the first @len bytes are read, and the rest is skipped: nobody
 * has compared its checksum then.
 */
int part_peek(struct part_reader *r, const char *name, const char *other, size_t len,
	      struct error *err);

/* Nothing may follow. */
int part_close(struct part_reader *r, struct error *err);

void part_reader_free(struct part_reader *r);

/* "FILE: part NAME: ..." of the part that was read last. Returns @code. */
int part_error(const struct part_reader *r, int code, struct error *err, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif /* ARMVMM_RUN_PART_H */
