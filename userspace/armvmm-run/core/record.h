/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of one thing (a device, the machine) as bytes, which are the same on every host: fields
 * in the order of a table, each little-endian in the size that it has in its struct. Whoever reads
 * a record trusts nothing in it: a field that is larger than its table allows is refused by its
 * name.
 *
 * Failures to read stick: after the first one, reads give zeroes and return the same error.
 */
#ifndef ARMVMM_RUN_RECORD_H
#define ARMVMM_RUN_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "core/error.h"

/* An integer, bool or enum, or an array of them, in a struct. */
struct record_field {
	const char *name;
	uint16_t offset;
	uint8_t size;		/* bytes of an element: 1, 2, 4, 8 */
	uint16_t count;		/* elements */
	uint64_t max;		/* the largest value that may be read */
};

#define RECORD_SIZEOF(type, member)	sizeof(((type *)NULL)->member)

#define RECORD_FIELD(type, member, largest)					\
	{ #member, offsetof(type, member), RECORD_SIZEOF(type, member), 1, largest }
#define RECORD_ARRAY(type, member, largest)					\
	{ #member, offsetof(type, member), RECORD_SIZEOF(type, member[0]),	\
	  RECORD_SIZEOF(type, member) / RECORD_SIZEOF(type, member[0]), largest }

#define RECORD_NR(table)	(sizeof(table) / sizeof((table)[0]))

struct record {
	uint8_t *data;		/* to be freed by record_free(), if it was written */
	size_t len, room;
	size_t at;		/* the next byte to read */
	int ret;		/* of the first failure to read */
	struct error err;	/* why: a sentence without the record's name */
};

/* ---- Writing ---- */

/* Begins with a zeroed struct. Ends the program if there is no memory, as GLib does. */
void record_put(struct record *r, const void *data, size_t len);
void record_put_fields(struct record *r, const void *from, const struct record_field *fields,
		       unsigned int nr);
void record_free(struct record *r);

/* ---- Reading ---- */

/* Begins to read @len bytes, which stay the caller's. */
void record_open(struct record *r, const void *data, size_t len);

/* Return 0, or -EBADMSG: the record ends before, or a value is too large. */
int record_get(struct record *r, void *data, size_t len);
int record_get_fields(struct record *r, void *to, const struct record_field *fields,
		      unsigned int nr);

/* Refuses what was read: sets the first failure. Returns -EBADMSG. */
int record_refuse(struct record *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Returns 0 if all bytes were read without a failure, or -EBADMSG. */
int record_close(struct record *r);

#endif /* ARMVMM_RUN_RECORD_H */
