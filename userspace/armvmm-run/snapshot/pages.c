// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "snapshot/pages.h"

/* Fast: a guest stands still meanwhile, on a CPU that compresses some 50 MB a second. */
#define PAGES_LEVEL	1

#define PAGES_BYTES	(PAGES_MAX * PAGES_SIZE)
#define PAGES_WORDS	(PAGES_MAX / 64)

enum pages_method { PAGES_PLAIN, PAGES_ZSTD };

/* Begins a part. A snapshot that adds to another one also has pages that have become zero. */
struct pages_head {
	uint64_t gpa;
	uint32_t nr;		/* pages from there on, those that are left out too */
	uint32_t method;
	uint64_t there[PAGES_WORDS];	/* bit n: page n is among the data */
	uint64_t zero[PAGES_WORDS];	/* bit n: page n is zero now */
};

struct pages_writer {
	struct pages_layout layout;
	unsigned int range;
	uint64_t at;		/* in the range */
	ZSTD_CCtx *zstd;
	uint8_t plain[PAGES_BYTES];
	uint8_t packed[PAGES_BYTES];
};

struct pages_reader {
	struct pages_layout layout;
	uint64_t next;		/* the first address that no part had yet */
	ZSTD_DCtx *zstd;
	uint8_t plain[PAGES_BYTES];
};

void pages_add(struct pages_layout *layout, uint64_t gpa, uint64_t size, void *host)
{
	unsigned int at = layout->nr++;

	for (; at && layout->range[at - 1].gpa > gpa; at--)
		layout->range[at] = layout->range[at - 1];
	layout->range[at] = (struct pages_range){ gpa, size, host };
}

uint64_t pages_total(const struct pages_layout *layout)
{
	uint64_t total = 0;

	for (unsigned int i = 0; i < layout->nr; i++)
		total += layout->range[i].size;
	return total;
}

/* ---- Writing ---- */

struct pages_writer *pages_writer_new(const struct pages_layout *layout)
{
	struct pages_writer *p = malloc(sizeof(*p));

	if (!p)
		return NULL;
	p->layout = *layout;
	p->range = 0;
	p->at = 0;
	p->zstd = ZSTD_createCCtx();
	if (p->zstd)
		return p;
	free(p);
	return NULL;
}

void pages_writer_free(struct pages_writer *p)
{
	if (!p)
		return;
	ZSTD_freeCCtx(p->zstd);
	free(p);
}

static bool pages_is_zero(const uint8_t *page)
{
	static const uint8_t zero[16];

	return !memcmp(page, zero, sizeof(zero)) &&
	       !memcmp(page, page + sizeof(zero), PAGES_SIZE - sizeof(zero));
}

/*
 * Copies the pages that are not zero, so that what is compressed is what is checked, whoever writes
 * to the memory. Returns how many.
 */
static unsigned int pages_collect(struct pages_writer *p, const uint8_t *from,
				  struct pages_head *head)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < head->nr; i++) {
		if (pages_is_zero(from + i * PAGES_SIZE))
			continue;
		memcpy(p->plain + n++ * PAGES_SIZE, from + i * PAGES_SIZE, PAGES_SIZE);
		head->there[i / 64] |= 1ull << i % 64;
	}
	return n;
}

static int pages_write_part(struct pages_writer *p, struct part_writer *w,
			    struct pages_head *head, unsigned int n)
{
	size_t len = n * PAGES_SIZE, packed;

	/* There is room for what is smaller, and no use for the rest. */
	packed = ZSTD_compressCCtx(p->zstd, p->packed, len - 1, p->plain, len, PAGES_LEVEL);
	head->method = ZSTD_isError(packed) ? PAGES_PLAIN : PAGES_ZSTD;
	return part_write(w, PAGES_PART, PAGES_VERSION, head, sizeof(*head),
			  ZSTD_isError(packed) ? p->plain : p->packed,
			  ZSTD_isError(packed) ? len : packed);
}

int pages_write(struct pages_writer *p, struct part_writer *w, uint64_t *done, uint64_t *pages)
{
	while (p->range < p->layout.nr) {
		const struct pages_range *range = &p->layout.range[p->range];
		uint64_t left = range->size - p->at, gpa = range->gpa + p->at;
		/* Up to the next multiple of a part's size. */
		uint64_t nr = PAGES_MAX - gpa / PAGES_SIZE % PAGES_MAX;
		struct pages_head head = { .gpa = gpa };
		unsigned int n;

		head.nr = left / PAGES_SIZE < nr ? left / PAGES_SIZE : nr;
		n = pages_collect(p, range->host + p->at, &head);
		p->at += head.nr * PAGES_SIZE;
		if (p->at == range->size) {
			p->range++;
			p->at = 0;
		}
		*done += head.nr * PAGES_SIZE;
		if (n) {
			int ret = pages_write_part(p, w, &head, n);

			*pages += n;
			return ret ? ret : 1;
		}
	}
	return 0;
}

/* ---- Reading ---- */

struct pages_reader *pages_reader_new(const struct pages_layout *layout)
{
	struct pages_reader *p = malloc(sizeof(*p));

	if (!p)
		return NULL;
	p->layout = *layout;
	p->next = 0;
	p->zstd = ZSTD_createDCtx();
	if (p->zstd)
		return p;
	free(p);
	return NULL;
}

void pages_reader_free(struct pages_reader *p)
{
	if (!p)
		return;
	ZSTD_freeDCtx(p->zstd);
	free(p);
}

/* The host's address of the part's pages, or NULL: this machine has no such memory. */
static uint8_t *pages_find(const struct pages_reader *p, const struct pages_head *head)
{
	uint64_t size = (uint64_t)head->nr * PAGES_SIZE;

	if (!head->nr || head->nr > PAGES_MAX || head->gpa % PAGES_SIZE)
		return NULL;
	for (unsigned int i = 0; i < p->layout.nr; i++) {
		const struct pages_range *range = &p->layout.range[i];
		uint64_t offset = head->gpa - range->gpa;

		if (head->gpa >= range->gpa && offset < range->size)
			return size <= range->size - offset ? range->host + offset : NULL;
	}
	return NULL;
}

static bool pages_has(const struct pages_head *head, unsigned int i)
{
	return head->there[i / 64] >> i % 64 & 1;
}

/* How many pages are among the data; 0 if the head contradicts itself. */
static unsigned int pages_count(const struct pages_head *head)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < PAGES_MAX; i++) {
		if (head->zero[i / 64] >> i % 64 & 1)
			return 0;
		if (pages_has(head, i) && i >= head->nr)
			return 0;
		n += pages_has(head, i);
	}
	return n;
}

/* The data's @len bytes as plain pages, or NULL. */
static const uint8_t *pages_unpack(struct pages_reader *p, uint32_t method, const uint8_t *data,
				   size_t len, size_t want)
{
	if (method == PAGES_PLAIN)
		return len == want ? data : NULL;
	if (method != PAGES_ZSTD)
		return NULL;
	return ZSTD_decompressDCtx(p->zstd, p->plain, want, data, len) == want ? p->plain : NULL;
}

int pages_read(struct pages_reader *p, const struct part_reader *r, uint64_t *pages,
	       struct error *err)
{
	struct pages_head head;
	const uint8_t *plain;
	unsigned int n;
	uint8_t *to;

	if (r->version != PAGES_VERSION)
		return part_error(r, -EPROTONOSUPPORT, err,
				  "has version %u, and this program knows version %u", r->version,
				  PAGES_VERSION);
	if (r->len < sizeof(head))
		return part_error(r, -EBADMSG, err, "is too short");
	memcpy(&head, r->data, sizeof(head));
	to = pages_find(p, &head);
	if (!to)
		return part_error(r, -ENXIO, err, "has memory at 0x%llx, where there is none here",
				  (unsigned long long)head.gpa);
	n = pages_count(&head);
	plain = pages_unpack(p, head.method, r->data + sizeof(head), r->len - sizeof(head),
			     n * PAGES_SIZE);
	if (!n || head.gpa < p->next || !plain)
		return part_error(r, -EBADMSG, err, "of 0x%llx: is none that was written here",
				  (unsigned long long)head.gpa);
	p->next = head.gpa + (uint64_t)head.nr * PAGES_SIZE;
	*pages += n;
	for (unsigned int i = 0; i < head.nr; i++) {
		if (!pages_has(&head, i))
			continue;
		memcpy(to + i * PAGES_SIZE, plain, PAGES_SIZE);
		plain += PAGES_SIZE;
	}
	return 0;
}
