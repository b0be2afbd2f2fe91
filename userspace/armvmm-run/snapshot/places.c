// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/read_full.h"
#include "snapshot/places.h"

#define PLACES_NONE	UINT32_MAX
#define PLACES_LONGEST	(PAGES_HEAD + PAGES_BLOCK)	/* bytes of a part of memory */

struct places_file {
	struct places *all;
	int fd;
	uint64_t at, size;
	struct part_reader reader;	/* its id */
	uint32_t version;	/* of its parts */
};

/* A part that has pages of a block. */
struct places_part {
	uint64_t at;		/* in the file */
	uint32_t nr;		/* its number there */
	uint32_t file;
	uint32_t next;		/* the block's next part, which is newer; or PLACES_NONE */
};

struct places_block {
	struct pages_range range;
	uint32_t first, last;	/* its parts; or PLACES_NONE */
};

struct places {
	struct pages_layout layout;
	GArray *blocks, *parts;
	unsigned int first[PAGES_RANGES];	/* block of each range */
	unsigned int nr_files;
	struct places_file file[PLACES_FILES];
	struct pages_reader *head;	/* of the file that is being taken; NULL: of none */
	/* For places_load(), and for all files; NULL: none has begun. */
	struct pages_reader *body;
	uint8_t *data;		/* PLACES_LONGEST bytes: a part */
	uint64_t bytes;		/* read so far */
};

/* The block of a byte of a range. */
static unsigned int places_of(const struct places *p, unsigned int range, uint64_t at)
{
	uint64_t gpa = p->layout.range[range].gpa;

	return p->first[range] + (gpa + at) / PAGES_BLOCK - gpa / PAGES_BLOCK;
}

static struct places_block *places_at(const struct places *p, unsigned int n)
{
	return &g_array_index(p->blocks, struct places_block, n);
}

/* A range's first and last block may be shorter. */
static void places_divide(struct places *p, const struct pages_range *range)
{
	uint64_t at = 0;

	while (at < range->size) {
		uint64_t size = PAGES_BLOCK - (range->gpa + at) % PAGES_BLOCK;
		struct places_block block = {
			.range = { .gpa = range->gpa + at, .size = MIN(size, range->size - at),
				   .host = range->host + at },
			.first = PLACES_NONE, .last = PLACES_NONE,
		};

		g_array_append_val(p->blocks, block);
		at += block.range.size;
	}
}

struct places *places_new(const struct pages_layout *layout)
{
	struct places *p = g_new0(struct places, 1);

	p->layout = *layout;
	p->blocks = g_array_new(FALSE, FALSE, sizeof(struct places_block));
	p->parts = g_array_new(FALSE, FALSE, sizeof(struct places_part));
	for (unsigned int i = 0; i < layout->nr; i++) {
		p->first[i] = p->blocks->len;
		places_divide(p, &layout->range[i]);
	}
	return p;
}

void places_free(struct places *p)
{
	if (!p)
		return;
	pages_reader_free(p->head);
	pages_reader_free(p->body);
	g_free(p->data);
	g_array_free(p->blocks, TRUE);
	g_array_free(p->parts, TRUE);
	g_free(p);
}

/* ---- Taking a file ---- */

static int64_t places_fill(void *opaque, void *data, size_t len)
{
	struct places_file *f = opaque;
	int64_t n = read_full(f->fd, data, len, &f->at);

	if (n > 0)
		f->all->bytes += n;
	return n;
}

static int places_skip(void *opaque, uint64_t len)
{
	struct places_file *f = opaque;

	if (f->at > f->size || len > f->size - f->at)
		return -EBADMSG;
	f->at += len;
	return 0;
}

int places_begin_file(struct places *p, struct part_reader *reader, int fd, const char *name,
		      struct error *err)
{
	struct places_file *f = &p->file[p->nr_files];
	struct stat st;

	if (p->nr_files == PLACES_FILES)
		return error_set(err, -E2BIG, "%s: there are too many files", name);
	if (fstat(fd, &st))
		return error_errno(err, -errno, "%s", name);
	if (!S_ISREG(st.st_mode))
		return error_set(err, -ESPIPE, "%s: --lazy-restore needs a regular file", name);
	/* What its parts may have: what adds to another may also tell of zeroes. */
	*f = (struct places_file){
		.all = p, .fd = fd, .size = st.st_size,
		.version = reader->base ? PAGES_LIVE : PAGES_VERSION,
	};
	pages_reader_free(p->head);
	p->head = pages_reader_new(&p->layout, f->version);
	if (!p->body)
		p->body = pages_reader_new(&p->layout, f->version);
	if (!p->data)
		p->data = g_try_malloc(PLACES_LONGEST);
	if (!p->head || !p->body || !p->data)
		return error_errno(err, -ENOMEM, "%s", name);
	reader->read = places_fill;
	reader->skip = places_skip;
	reader->opaque = f;
	reader->file = name;
	return 0;
}

/* A file has a block once: who writes one goes through memory from its beginning to its end. */
static int places_add(struct places *p, uint64_t gpa, const struct places_part *part)
{
	uint32_t nr = p->parts->len;
	struct places_block *block = NULL;

	for (unsigned int i = 0; i < p->layout.nr; i++) {
		const struct pages_range *range = &p->layout.range[i];

		if (gpa >= range->gpa && gpa - range->gpa < range->size)
			block = places_at(p, places_of(p, i, gpa - range->gpa));
	}
	/* pages_look() has found it. */
	g_assert(block);
	if (block->last == PLACES_NONE) {
		block->first = nr;
	} else {
		struct places_part *last = &g_array_index(p->parts, struct places_part,
							  block->last);

		if (last->file == part->file)
			return -EBADMSG;
		last->next = nr;
	}
	block->last = nr;
	g_array_append_vals(p->parts, part, 1);
	return 0;
}

int places_read(struct places *p, struct part_reader *reader, uint64_t *pages, struct error *err)
{
	struct places_file *f = &p->file[p->nr_files];
	struct places_part part = {
		.at = f->at, .nr = reader->nr, .file = p->nr_files, .next = PLACES_NONE,
	};
	uint64_t gpa;
	int ret;

	/* No longer one may come later, when there is no room for it. */
	reader->max = PLACES_LONGEST;
	ret = part_peek(reader, PAGES_PART, PART_END, PAGES_HEAD, err);
	if (ret || !strcmp(reader->name, PART_END))
		return ret;
	ret = pages_look(p->head, reader, &gpa, pages, err);
	if (!ret && places_add(p, gpa, &part))
		ret = part_error(reader, -EBADMSG, err, "of 0x%llx: is none that was written here",
				 (unsigned long long)gpa);
	return ret;
}

uint32_t places_heads(const struct places *p)
{
	return pages_reader_heads(p->head);
}

void places_end_file(struct places *p, const struct part_reader *reader)
{
	struct places_file *f = &p->file[p->nr_files++];

	f->reader = *reader;
	f->reader.data = NULL;
	f->reader.len = f->reader.room = 0;
	f->reader.base = NULL;
	pages_reader_free(p->head);
	p->head = NULL;
}

/* ---- Blocks ---- */

unsigned int places_blocks(const struct places *p)
{
	return p->blocks->len;
}

const struct pages_range *places_block(const struct places *p, unsigned int n)
{
	return &places_at(p, n)->range;
}

unsigned int places_find(const struct places *p, const uint8_t *host)
{
	for (unsigned int i = 0; i < p->layout.nr; i++) {
		const struct pages_range *range = &p->layout.range[i];
		size_t at = (uintptr_t)host - (uintptr_t)range->host;

		if ((uintptr_t)host >= (uintptr_t)range->host && at < range->size)
			return places_of(p, i, at);
	}
	return p->blocks->len;
}

int places_load(struct places *p, unsigned int n, uint8_t *to, struct error *err)
{
	struct pages_range range = places_at(p, n)->range;
	uint64_t pages = 0;
	int ret = 0;

	memset(to, 0, range.size);
	range.host = to;
	for (uint32_t i = places_at(p, n)->first; !ret && i != PLACES_NONE;) {
		const struct places_part *part = &g_array_index(p->parts, struct places_part, i);
		struct places_file *f = &p->file[part->file];

		f->at = part->at;
		f->reader.nr = part->nr;
		f->reader.data = p->data;
		f->reader.room = PLACES_LONGEST;
		ret = part_read(&f->reader, PAGES_PART, err);
		pages_reader_aim(p->body, &range, f->version);
		if (!ret)
			ret = pages_read(p->body, &f->reader, &pages, err);
		i = part->next;
	}
	return ret;
}

uint64_t places_bytes(const struct places *p, uint64_t *all)
{
	*all = 0;
	for (unsigned int i = 0; i < p->nr_files; i++)
		*all += p->file[i].size;
	return p->bytes;
}
