// SPDX-License-Identifier: GPL-2.0-only
#include <endian.h>
#include <errno.h>
#include <glib.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "snapshot/part.h"

/* The byte 0x1a ends a text for some programs, and a transfer that converts line ends shows. */
#define PART_MAGIC	"ARMVMM\x1a\n"
#define PART_HEAD_MAGIC	0x54524150u	/* "PART" */

struct part_file_head {
	uint8_t magic[8];
	uint32_t version;
	uint32_t flags;		/* 0 */
	uint8_t id[PART_ID_SIZE];
	uint8_t base[PART_ID_SIZE];
	uint8_t zero[12];
	uint32_t crc;
};

struct part_head {
	uint32_t magic;
	uint32_t nr;
	char name[PART_NAME_MAX];
	uint32_t version;
	uint32_t flags;		/* 0 */
	uint64_t length;
	uint32_t data_crc;
	uint32_t crc;
};

_Static_assert(sizeof(struct part_file_head) == 64, "part.h says so");
_Static_assert(sizeof(struct part_head) == 64, "part.h says so");

static uint32_t part_crc(uint32_t seed, const void *data, size_t len)
{
	return len ? crc32(seed, data, len) : seed;
}

/* ---- Writing ---- */

int part_begin(struct part_writer *w, const uint8_t id[PART_ID_SIZE],
	       const uint8_t base[PART_ID_SIZE])
{
	struct part_file_head head = { .version = htole32(PART_FORMAT_VERSION) };

	memcpy(head.magic, PART_MAGIC, sizeof(head.magic));
	memcpy(head.id, id, PART_ID_SIZE);
	if (base)
		memcpy(head.base, base, PART_ID_SIZE);
	head.crc = htole32(part_crc(0, &head, offsetof(struct part_file_head, crc)));
	w->seed = part_crc(0, id, PART_ID_SIZE);
	w->nr = 0;
	return w->write(w->opaque, &head, sizeof(head));
}

int part_write(struct part_writer *w, const char *name, uint32_t version, const void *first,
	       size_t first_len, const void *second, size_t second_len)
{
	struct part_head head = {
		.magic = htole32(PART_HEAD_MAGIC),
		.nr = htole32(w->nr++),
		.version = htole32(version),
		.length = htole64((uint64_t)first_len + second_len),
	};
	int ret;

	snprintf(head.name, sizeof(head.name), "%s", name);
	head.data_crc = htole32(part_crc(part_crc(w->seed, first, first_len), second, second_len));
	head.crc = htole32(part_crc(w->seed, &head, offsetof(struct part_head, crc)));
	ret = w->write(w->opaque, &head, sizeof(head));
	if (!ret && first_len)
		ret = w->write(w->opaque, first, first_len);
	if (!ret && second_len)
		ret = w->write(w->opaque, second, second_len);
	return ret;
}

/* ---- Reading ---- */

int part_error(const struct part_reader *r, int code, struct error *err, const char *fmt, ...)
{
	char why[320];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return error_set(err, code, "%s: part %s: %s", r->file, r->name, why);
}

static int part_ends_in_it(const struct part_reader *r, struct error *err)
{
	return part_error(r, -EBADMSG, err, "the %s ends in it", r->kind ? r->kind : "file");
}

/* Reads all of @len bytes. */
static int part_take(struct part_reader *r, void *data, size_t len, struct error *err)
{
	int64_t n = r->read(r->opaque, data, len);

	/* It is reset where the other side has left with something unread. */
	if (n == -ECONNRESET || (n >= 0 && (uint64_t)n < len))
		return part_ends_in_it(r, err);
	if (n < 0)
		return part_error(r, n, err, "%s", strerror(-n));
	return 0;
}

static int part_check_base(const struct part_reader *r, const uint8_t base[PART_ID_SIZE],
			   struct error *err)
{
	static const uint8_t none[PART_ID_SIZE];
	bool adds = memcmp(base, none, PART_ID_SIZE);

	if (!adds && !r->base)
		return 0;
	if (!r->base)
		return part_error(r, -ENXIO, err,
				  "it only adds to another snapshot, which has to come before it");
	if (!adds)
		return part_error(r, -ENXIO, err, "it is complete, and adds to no other snapshot");
	if (memcmp(base, r->base, PART_ID_SIZE))
		return part_error(r, -ENXIO, err,
				  "it adds to another snapshot than the one before it");
	return 0;
}

/* The header may change with the version of the format, except for its first words and its end. */
int part_open(struct part_reader *r, struct error *err)
{
	struct part_file_head head;
	int ret;

	strcpy(r->name, "header");
	ret = part_take(r, &head, sizeof(head), err);
	if (ret)
		return ret;
	if (memcmp(head.magic, PART_MAGIC, sizeof(head.magic)))
		return part_error(r, -EBADMSG, err, "this is no snapshot of armvmm-run");
	if (le32toh(head.crc) != part_crc(0, &head, offsetof(struct part_file_head, crc)))
		return part_error(r, -EBADMSG, err, "is damaged");
	if (le32toh(head.version) != PART_FORMAT_VERSION)
		return part_error(r, -EPROTONOSUPPORT, err,
				  "has version %u of the format, and this program knows version %u",
				  le32toh(head.version), PART_FORMAT_VERSION);
	if (head.flags)
		return part_error(r, -EPROTONOSUPPORT, err,
				  "is of a kind that this program does not know");
	ret = part_check_base(r, head.base, err);
	if (ret)
		return ret;
	memcpy(r->id, head.id, PART_ID_SIZE);
	r->seed = part_crc(0, head.id, PART_ID_SIZE);
	r->nr = 0;
	return 0;
}

/* Reads the first @len bytes of the part's contents. */
static int part_read_some(struct part_reader *r, const struct part_head *head, size_t len,
			  struct error *err)
{
	if (le64toh(head->length) > (r->max ? r->max : PART_LENGTH_MAX))
		return part_error(r, -EBADMSG, err, "is larger than any");
	if (len > r->room) {
		r->data = g_realloc(r->data, len);
		r->room = len;
	}
	r->len = len;
	return len ? part_take(r, r->data, len, err) : 0;
}

static int part_read_data(struct part_reader *r, const struct part_head *head, struct error *err)
{
	int ret = part_read_some(r, head, le64toh(head->length), err);

	if (ret)
		return ret;
	if (le32toh(head->data_crc) != part_crc(r->seed, r->data, r->len))
		return part_error(r, -EBADMSG, err, "is damaged");
	return 0;
}

/* The part that is there is none that was wanted. Its name may be what a terminal would obey. */
static int part_misplaced(const struct part_reader *r, const char name[PART_NAME_MAX],
			  struct error *err)
{
	char text[PART_NAME_MAX];

	for (unsigned int i = 0; i < PART_NAME_MAX; i++)
		text[i] = !name[i] || g_ascii_isprint(name[i]) ? name[i] : '?';
	return part_error(r, -ENXIO, err, "in its place is the part %.*s: was the guest saved with other options?",
			  PART_NAME_MAX, text);
}

/* Until its checksum was seen, nothing that a head says is used, not even a name. */
static int part_read_head(struct part_reader *r, struct part_head *head, const char *const names[],
			  struct error *err)
{
	int ret;

	snprintf(r->name, sizeof(r->name), "%s", names[0]);
	r->version = 0;
	r->len = 0;
	ret = part_take(r, head, sizeof(*head), err);
	if (ret)
		return ret;
	if (le32toh(head->crc) != part_crc(r->seed, head, offsetof(struct part_head, crc)))
		return part_error(r, -EBADMSG, err, "is damaged");
	if (le32toh(head->magic) != PART_HEAD_MAGIC || le32toh(head->nr) != r->nr || head->flags ||
	    !memchr(head->name, 0, sizeof(head->name)))
		return part_error(r, -EBADMSG, err, "is out of its place");
	for (unsigned int i = 1; names[i]; i++)
		if (!strcmp(head->name, names[i]))
			snprintf(r->name, sizeof(r->name), "%s", names[i]);
	if (strcmp(head->name, r->name))
		return part_misplaced(r, head->name, err);
	r->nr++;
	r->version = le32toh(head->version);
	return 0;
}

int part_read_any(struct part_reader *r, const char *const names[], struct error *err)
{
	struct part_head head;
	int ret = part_read_head(r, &head, names, err);

	return ret ? ret : part_read_data(r, &head, err);
}

int part_read_either(struct part_reader *r, const char *name, const char *other,
		     struct error *err)
{
	return part_read_any(r, (const char *const[]){ name, other, NULL }, err);
}

int part_peek(struct part_reader *r, const char *name, const char *other, size_t len,
	      struct error *err)
{
	struct part_head head;
	int ret = part_read_head(r, &head, (const char *const[]){ name, other, NULL }, err);
	uint64_t all;

	if (ret)
		return ret;
	if (strcmp(r->name, name))
		return part_read_data(r, &head, err);
	all = le64toh(head.length);
	ret = part_read_some(r, &head, len < all ? len : all, err);
	if (!ret && r->skip(r->opaque, all - r->len))
		ret = part_ends_in_it(r, err);
	return ret;
}

int part_read(struct part_reader *r, const char *name, struct error *err)
{
	return part_read_either(r, name, NULL, err);
}

int part_close(struct part_reader *r, struct error *err)
{
	uint8_t byte;
	int64_t n = r->read(r->opaque, &byte, 1);

	if (n < 0)
		return part_error(r, n, err, "%s", strerror(-n));
	return n ? part_error(r, -EBADMSG, err, "more follows it") : 0;
}

void part_reader_free(struct part_reader *r)
{
	g_free(r->data);
	r->data = NULL;
	r->room = 0;
}
