// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "snapshot/pages.h"

/* Fast: a guest stands still meanwhile, on a CPU that compresses some 50 MB a second. */
#define PAGES_LEVEL	1

#define PAGES_WORDS	(PAGES_MAX / 64)

enum pages_method { PAGES_PLAIN, PAGES_ZSTD };

/* Begins a part. */
struct pages_head {
	uint64_t gpa;
	uint32_t nr;		/* pages from there on, those that are left out too */
	uint32_t method;
	uint64_t there[PAGES_WORDS];	/* bit n: page n is among the data */
	uint64_t zero[PAGES_WORDS];	/* bit n: page n is zero now (PAGES_LIVE) */
};

_Static_assert(sizeof(struct pages_head) == PAGES_HEAD, "pages.h says so");

struct pages_writer {
	struct pages_layout layout;
	uint32_t version;
	uint32_t heads;		/* a checksum of them */
	bool zeroes;		/* tell of pages that are zero */
	unsigned int range;
	uint64_t at;		/* in the range */
	ZSTD_CCtx *zstd;
	uint8_t plain[PAGES_BLOCK];
	uint8_t packed[PAGES_BLOCK];
};

struct pages_reader {
	struct pages_layout layout;
	uint32_t version;
	uint32_t heads;
	uint64_t next;		/* the first address that no part had yet (PAGES_VERSION) */
	ZSTD_DCtx *zstd;
	uint8_t plain[PAGES_BLOCK];
};

void pages_add(struct pages_layout *layout, uint64_t gpa, uint64_t size, void *host)
{
	unsigned int at = layout->nr++;

	for (; at && layout->range[at - 1].gpa > gpa; at--)
		layout->range[at] = layout->range[at - 1];
	layout->range[at] = (struct pages_range){ .gpa = gpa, .size = size, .host = host };
}

uint64_t pages_total(const struct pages_layout *layout)
{
	uint64_t total = 0;

	for (unsigned int i = 0; i < layout->nr; i++)
		total += layout->range[i].size;
	return total;
}

/* ---- Writing ---- */

struct pages_writer *pages_writer_new(const struct pages_layout *layout, uint32_t version)
{
	struct pages_writer *p = malloc(sizeof(*p));

	if (!p)
		return NULL;
	p->layout = *layout;
	p->version = version;
	p->heads = 0;
	pages_writer_again(p, false);
	p->zstd = ZSTD_createCCtx();
	if (p->zstd)
		return p;
	free(p);
	return NULL;
}

void pages_writer_again(struct pages_writer *p, bool zeroes)
{
	p->zeroes = zeroes;
	p->range = 0;
	p->at = 0;
}

void pages_writer_free(struct pages_writer *p)
{
	if (!p)
		return;
	ZSTD_freeCCtx(p->zstd);
	free(p);
}

bool pages_is_zero(const uint8_t *page)
{
	static const uint8_t zero[16];

	return !memcmp(page, zero, sizeof(zero)) &&
	       !memcmp(page, page + sizeof(zero), PAGES_SIZE - sizeof(zero));
}

/* Are the pages of the whole word at byte @at clean? Then nobody need look at each. */
static bool pages_are_clean(const struct pages_writer *p, const struct pages_range *range,
			    uint64_t at)
{
	uint64_t page = at / PAGES_SIZE;

	return p->version == PAGES_LIVE && page % 32 == 0 && !range->dirty[page / 32];
}

/* Takes the bit of the page at byte @at of the range. */
static bool pages_take(struct pages_writer *p, const struct pages_range *range, uint64_t at)
{
	uint64_t page = at / PAGES_SIZE;
	uint32_t *word = &range->dirty[page / 32], bit = 1u << page % 32;
	bool dirty;

	if (p->version != PAGES_LIVE)
		return true;
	dirty = *word & bit;
	*word &= ~bit;
	return dirty;
}

/*
 * Copies the pages that are not zero, so that what is compressed is what is checked, whoever writes
 * to the memory. Returns how many.
 */
static unsigned int pages_collect(struct pages_writer *p, const struct pages_range *range,
				  uint64_t at, struct pages_head *head)
{
	const uint8_t *from = range->host + at;
	unsigned int n = 0;

	for (unsigned int i = 0; i < head->nr; i++, from += PAGES_SIZE) {
		uint8_t *to = p->plain + n * PAGES_SIZE;

		if (pages_are_clean(p, range, at + i * PAGES_SIZE)) {
			i += 31;
			from += 31 * PAGES_SIZE;
			continue;
		}
		if (!pages_take(p, range, at + i * PAGES_SIZE))
			continue;
		if (pages_is_zero(from)) {
			if (p->zeroes)
				head->zero[i / 64] |= 1ull << i % 64;
			continue;
		}
		memcpy(to, from, PAGES_SIZE);
		n++;
		head->there[i / 64] |= 1ull << i % 64;
	}
	return n;
}

static bool pages_tells_zeroes(const struct pages_head *head)
{
	uint64_t any = 0;

	for (unsigned int i = 0; i < PAGES_WORDS; i++)
		any |= head->zero[i];
	return any;
}

static int pages_write_part(struct pages_writer *p, struct part_writer *w,
			    struct pages_head *head, unsigned int n)
{
	size_t len = n * PAGES_SIZE, packed = 0;

	/* There is room for what is smaller, and no use for the rest. */
	if (len)
		packed = ZSTD_compressCCtx(p->zstd, p->packed, len - 1, p->plain, len, PAGES_LEVEL);
	head->method = !len || ZSTD_isError(packed) ? PAGES_PLAIN : PAGES_ZSTD;
	p->heads = crc32(p->heads, (const Bytef *)head, sizeof(*head));
	return part_write(w, PAGES_PART, p->version, head, sizeof(*head),
			  head->method == PAGES_PLAIN ? p->plain : p->packed,
			  head->method == PAGES_PLAIN ? len : packed);
}

int pages_write_at(struct pages_writer *p, struct part_writer *w, unsigned int range, uint64_t at,
		   unsigned int nr, uint64_t *pages)
{
	const struct pages_range *of = &p->layout.range[range];
	struct pages_head head = { .gpa = of->gpa + at, .nr = nr };
	unsigned int n = pages_collect(p, of, at, &head);
	int ret;

	if (!n && !pages_tells_zeroes(&head))
		return 0;
	*pages += n;
	ret = pages_write_part(p, w, &head, n);
	return ret ? ret : 1;
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
		n = pages_collect(p, range, p->at, &head);
		p->at += head.nr * PAGES_SIZE;
		if (p->at == range->size) {
			p->range++;
			p->at = 0;
		}
		*done += head.nr * PAGES_SIZE;
		if (n || pages_tells_zeroes(&head)) {
			int ret = pages_write_part(p, w, &head, n);

			*pages += n;
			return ret ? ret : 1;
		}
	}
	return 0;
}

uint32_t pages_writer_heads(const struct pages_writer *p)
{
	return p->heads;
}

/* ---- Reading ---- */

struct pages_reader *pages_reader_new(const struct pages_layout *layout, uint32_t version)
{
	struct pages_reader *p = malloc(sizeof(*p));

	if (!p)
		return NULL;
	p->layout = *layout;
	p->version = version;
	p->heads = 0;
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

static bool pages_has(const uint64_t bits[PAGES_WORDS], unsigned int i)
{
	return bits[i / 64] >> i % 64 & 1;
}

/*
 * Counts the pages among the data, and those that are zero. Returns false if the head contradicts
 * itself.
 */
static bool pages_count(const struct pages_head *head, unsigned int *there, unsigned int *zero)
{
	*there = *zero = 0;
	for (unsigned int i = 0; i < PAGES_MAX; i++) {
		bool is_there = pages_has(head->there, i), is_zero = pages_has(head->zero, i);

		if ((is_there || is_zero) && i >= head->nr)
			return false;
		if (is_there && is_zero)
			return false;
		*there += is_there;
		*zero += is_zero;
	}
	return *there + *zero;
}

/* May the part stand here? */
static bool pages_is_in_place(const struct pages_reader *p, const struct pages_head *head,
			      unsigned int zero)
{
	return p->version == PAGES_LIVE || (!zero && head->gpa >= p->next);
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

/* Looks at the head, and finds where its memory is. Counts its pages. */
static int pages_take_head(struct pages_reader *p, const struct part_reader *r,
			   struct pages_head *head, uint8_t **to, unsigned int *there,
			   struct error *err)
{
	unsigned int zero;

	if (r->version != p->version)
		return part_error(r, -EPROTONOSUPPORT, err,
				  "has version %u, and this program knows version %u", r->version,
				  p->version);
	if (r->len < sizeof(*head))
		return part_error(r, -EBADMSG, err, "is too short");
	memcpy(head, r->data, sizeof(*head));
	*to = pages_find(p, head);
	if (!*to)
		return part_error(r, -ENXIO, err, "has memory at 0x%llx, where there is none here",
				  (unsigned long long)head->gpa);
	if (!pages_count(head, there, &zero) || !pages_is_in_place(p, head, zero))
		return part_error(r, -EBADMSG, err, "of 0x%llx: is none that was written here",
				  (unsigned long long)head->gpa);
	p->heads = crc32(p->heads, (const Bytef *)head, sizeof(*head));
	p->next = head->gpa + (uint64_t)head->nr * PAGES_SIZE;
	return 0;
}

int pages_look(struct pages_reader *p, const struct part_reader *r, uint64_t *gpa, uint64_t *pages,
	       struct error *err)
{
	struct pages_head head;
	unsigned int n;
	uint8_t *to;
	int ret = pages_take_head(p, r, &head, &to, &n, err);

	if (ret)
		return ret;
	/* Whoever writes parts writes them so; and then each is in one block. */
	if (head.gpa % PAGES_BLOCK + (uint64_t)head.nr * PAGES_SIZE > PAGES_BLOCK)
		return part_error(r, -EBADMSG, err, "of 0x%llx: is none that was written here",
				  (unsigned long long)head.gpa);
	*gpa = head.gpa;
	*pages += n;
	return 0;
}

enum pages_what pages_what(const struct part_reader *r, unsigned int i)
{
	struct pages_head head;

	memcpy(&head, r->data, sizeof(head));
	if (i >= head.nr || i >= PAGES_MAX)
		return PAGES_NOTHING;
	if (pages_has(head.there, i))
		return PAGES_DATA;
	return pages_has(head.zero, i) ? PAGES_ZERO : PAGES_NOTHING;
}

int pages_read(struct pages_reader *p, const struct part_reader *r, uint64_t *pages,
	       struct error *err)
{
	struct pages_head head;
	const uint8_t *plain;
	unsigned int n;
	uint8_t *to;
	int ret = pages_take_head(p, r, &head, &to, &n, err);

	if (ret)
		return ret;
	plain = pages_unpack(p, head.method, r->data + sizeof(head), r->len - sizeof(head),
			     n * PAGES_SIZE);
	if (!plain)
		return part_error(r, -EBADMSG, err, "of 0x%llx: is none that was written here",
				  (unsigned long long)head.gpa);
	*pages += n;
	for (unsigned int i = 0; i < head.nr; i++) {
		uint8_t *page = to + i * PAGES_SIZE;

		/* A page that nobody has touched yet is better left so. */
		if (pages_has(head.zero, i) && !pages_is_zero(page))
			memset(page, 0, PAGES_SIZE);
		if (!pages_has(head.there, i))
			continue;
		memcpy(page, plain, PAGES_SIZE);
		plain += PAGES_SIZE;
	}
	return 0;
}

uint32_t pages_reader_heads(const struct pages_reader *p)
{
	return p->heads;
}

void pages_reader_aim(struct pages_reader *p, const struct pages_range *range, uint32_t version)
{
	p->layout = (struct pages_layout){ .nr = 1, .range = { *range } };
	p->version = version;
	p->next = 0;
}
