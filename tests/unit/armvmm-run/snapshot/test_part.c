// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/snapshot/part.c userspace/armvmm-run/snapshot/pages.c
// sources: userspace/armvmm-run/core/error.c
// cflags: -Iuserspace/armvmm-run -D_GNU_SOURCE
// pkgs: glib-2.0 zlib libzstd
//
// The format of a snapshot: what was written is read again; what was changed by a bit, or cut at
// any byte, is refused by the name of the part in which that is.
#include <stdbool.h>
#include <stdlib.h>

#include "../guest/lib/board.h"
#include "ktap.h"
#include "armvmm-run/snapshot/buffer.h"
#include "snapshot/pages.h"

#define PAGES		600		/* of memory, in three parts */
#define FLASH_PAGES	4
#define RAM		((uint64_t)RAM_BASE)
#define FLASH		0x04000000ull
#define LENGTH		1000		/* bytes of the part "cpus" */

static struct buffer file, copy;
static uint8_t *ram, *ram_back, *flash, *flash_back;
static uint8_t id[PART_ID_SIZE] = "sixteen bytes..";

/* Where each part begins and ends. */
static struct {
	char name[PART_NAME_MAX];
	size_t begin, end;
} span[32];
static unsigned int nr_spans;

static void mark(const char *name, size_t begin)
{
	strcpy(span[nr_spans].name, name);
	span[nr_spans].begin = begin;
	span[nr_spans++].end = file.len;
}

static void layout_of(struct pages_layout *layout, uint8_t *r, uint8_t *f)
{
	layout->nr = 0;
	pages_add(layout, RAM, PAGES * PAGES_SIZE, r);
	pages_add(layout, FLASH, FLASH_PAGES * PAGES_SIZE, f);
}

/* A page that compresses, one that does not, and the last two; the rest is zero. */
static void fill(void)
{
	uint32_t seed = 1;

	memset(ram, 0, PAGES * PAGES_SIZE);
	memset(flash, 0, FLASH_PAGES * PAGES_SIZE);
	memset(ram + 3 * PAGES_SIZE, 'x', PAGES_SIZE);
	for (unsigned int i = 0; i < PAGES_SIZE; i++) {
		seed = seed * 1664525 + 1013904223;
		ram[300 * PAGES_SIZE + i] = seed >> 24;
	}
	/* One byte alone makes a page: its last, or the first behind those looked at first. */
	ram[PAGES * PAGES_SIZE - 1] = 1;
	ram[(PAGES - 2) * PAGES_SIZE + 16] = 1;
	flash[PAGES_SIZE] = 7;
}

/* A snapshot as save.c writes it. Returns 0 or the first failure. */
static int write_all(void)
{
	struct part_writer w = { .write = buffer_write, .opaque = &file };
	struct pages_layout layout;
	struct pages_writer *p;
	uint64_t done = 0, pages = 0;
	uint8_t state[LENGTH];
	size_t begin = 0;
	int ret;

	memset(state, 0x5a, sizeof(state));
	nr_spans = 0;
	file.len = 0;
	ret = part_begin(&w, id, NULL);
	mark("header", 0);
	begin = file.len;
	if (!ret)
		ret = part_write(&w, "cpus", 3, state, 600, state + 600, LENGTH - 600);
	mark("cpus", begin);
	begin = file.len;
	if (!ret)
		ret = part_write(&w, "empty@0", 1, NULL, 0, NULL, 0);
	mark("empty@0", begin);
	layout_of(&layout, ram, flash);
	p = pages_writer_new(&layout, PAGES_VERSION);
	for (begin = file.len; !ret && (ret = pages_write(p, &w, &done, &pages)) == 1;
	     begin = file.len, ret = 0)
		mark("memory", begin);
	pages_writer_free(p);
	if (ret)
		return ret;
	KTAP_EQ(done, (PAGES + FLASH_PAGES) * PAGES_SIZE);
	KTAP_EQ(pages, 5);
	ret = part_write(&w, PART_END, 1, &pages, sizeof(pages), NULL, 0);
	mark("end", begin);
	return ret;
}

/* Reads it as restore.c does. Returns 0 or the first failure, with a sentence in @err. */
static int read_all(struct buffer *b, struct error *err)
{
	struct part_reader r = { .read = buffer_read, .opaque = b, .file = "a.snap" };
	struct pages_layout layout;
	struct pages_reader *p;
	uint64_t pages = 0;
	int ret;

	b->at = 0;
	memset(ram_back, 0, PAGES * PAGES_SIZE);
	memset(flash_back, 0, FLASH_PAGES * PAGES_SIZE);
	layout_of(&layout, ram_back, flash_back);
	p = pages_reader_new(&layout, PAGES_VERSION);
	ret = part_open(&r, err);
	if (!ret)
		ret = part_read(&r, "cpus", err);
	if (!ret && (r.version != 3 || r.len != LENGTH || r.data[LENGTH - 1] != 0x5a))
		ret = -1000;
	if (!ret)
		ret = part_read(&r, "empty@0", err);
	while (!ret) {
		ret = part_read_either(&r, PAGES_PART, PART_END, err);
		if (ret || !strcmp(r.name, PART_END))
			break;
		ret = pages_read(p, &r, &pages, err);
	}
	if (!ret && memcmp(r.data, &pages, sizeof(pages)))
		ret = -1001;
	if (!ret)
		ret = part_close(&r, err);
	pages_reader_free(p);
	part_reader_free(&r);
	return ret;
}

static void setup(void)
{
	if (!ram) {
		ram = malloc(PAGES * PAGES_SIZE);
		ram_back = malloc(PAGES * PAGES_SIZE);
		flash = malloc(FLASH_PAGES * PAGES_SIZE);
		flash_back = malloc(FLASH_PAGES * PAGES_SIZE);
	}
	fill();
	file.room = sizeof(file.data);
	KTAP_EQ(write_all(), 0);
}

static void test_round(void)
{
	struct error err = { "" };

	setup();
	KTAP_EQ(read_all(&file, &err), 0);
	KTAP_STREQ(err.text, "");
	KTAP_EQ(memcmp(ram, ram_back, PAGES * PAGES_SIZE), 0);
	KTAP_EQ(memcmp(flash, flash_back, FLASH_PAGES * PAGES_SIZE), 0);
	/* Flash lies below, so it comes first; then the three parts of memory that have a page. */
	KTAP_EQ(nr_spans, 8);
	/* A page of one letter takes next to nothing; one of noise is stored as it is. */
	KTAP_TRUE(span[4].end - span[4].begin < 400);
	KTAP_TRUE(span[5].end - span[5].begin >= PAGES_SIZE);
	KTAP_TRUE(span[5].end - span[5].begin < PAGES_SIZE + 200);
}

/* The sentence that each kind of damage gives begins with the file and the part. */
static void expect(const char *part, int ret, const struct error *err)
{
	char begin[80];

	snprintf(begin, sizeof(begin), "a.snap: part %s: ", part);
	if (!ret || strncmp(err->text, begin, strlen(begin)))
		KTAP_FAIL("%d \"%s\" does not begin with \"%s\"", ret, err->text, begin);
}

/* Until its head was read, the part "end" could as well be one more part of memory. */
static const char *part_at(size_t at)
{
	unsigned int i = 0;

	while (i < nr_spans - 1 && at >= span[i].end)
		i++;
	return i == nr_spans - 1 && at < span[i].begin + 64 ? "memory" : span[i].name;
}

static void test_every_bit(void)
{
	setup();
	for (size_t at = 0; at < file.len; at++) {
		struct error err = { "" };

		copy = file;
		copy.data[at] ^= 1u << at % 8;
		expect(part_at(at), read_all(&copy, &err), &err);
	}
	/* Whole bytes, too, as a broken transfer changes them. */
	for (size_t at = 0; at < file.len; at++) {
		struct error err = { "" };

		copy = file;
		copy.data[at] = ~copy.data[at];
		expect(part_at(at), read_all(&copy, &err), &err);
	}
}

static void test_every_cut(void)
{
	setup();
	for (size_t len = 0; len < file.len; len++) {
		struct error err = { "" };

		copy = file;
		copy.len = len;
		expect(part_at(len), read_all(&copy, &err), &err);
		KTAP_TRUE(strstr(err.text, "the file ends in it"));
	}
}

static void test_longer(void)
{
	struct error err = { "" };

	setup();
	copy = file;
	copy.data[copy.len++] = 0;
	expect("end", read_all(&copy, &err), &err);
	KTAP_TRUE(strstr(err.text, "more follows it"));
}

/* The format finds it, and not only who counts its parts. */
static void refused(struct buffer *b)
{
	struct error err = { "" };

	KTAP_TRUE(read_all(b, &err));
	KTAP_TRUE(!strncmp(err.text, "a.snap: part ", 13));
}

/* A part is left out, or comes twice. */
static void test_places(void)
{
	setup();
	for (unsigned int i = 1; i < nr_spans; i++) {
		size_t len = span[i].end - span[i].begin;

		copy = file;
		memmove(copy.data + span[i].begin, copy.data + span[i].end, file.len - span[i].end);
		copy.len -= len;
		refused(&copy);
		copy = file;
		memmove(copy.data + span[i].end + len, copy.data + span[i].end,
			file.len - span[i].end);
		memcpy(copy.data + span[i].end, copy.data + span[i].begin, len);
		copy.len += len;
		refused(&copy);
	}
}

/* A part of another snapshot does not fit, even if it is the same part. */
static void test_mixed(void)
{
	struct error err = { "" };

	setup();
	copy = file;
	id[0]++;
	KTAP_EQ(write_all(), 0);
	memcpy(copy.data + span[1].begin, file.data + span[1].begin, span[1].end - span[1].begin);
	expect("cpus", read_all(&copy, &err), &err);
	id[0]--;
}

static uint32_t crc_of(const uint8_t *data, size_t len)
{
	uint32_t crc = ~0u;

	/* CRC-32 of IEEE 802.3, bit by bit: not by what is tested. */
	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static void reseal_header(struct buffer *b)
{
	uint32_t crc = crc_of(b->data, 60);

	memcpy(b->data + 60, &crc, sizeof(crc));
}

static void test_versions(void)
{
	struct error err = { "" };

	setup();
	copy = file;
	reseal_header(&copy);
	KTAP_EQ(read_all(&copy, &err), 0);
	copy.data[8] = 2;
	reseal_header(&copy);
	KTAP_EQ(read_all(&copy, &err), -EPROTONOSUPPORT);
	KTAP_STREQ(err.text, "a.snap: part header: has version 2 of the format, and this program knows version 1");
	/* One that only adds to another, and one of a kind that later versions may write. */
	copy = file;
	copy.data[32] = 1;
	reseal_header(&copy);
	KTAP_EQ(read_all(&copy, &err), -ENXIO);
	expect("header", -1, &err);
	copy = file;
	copy.data[12] = 1;
	reseal_header(&copy);
	KTAP_EQ(read_all(&copy, &err), -EPROTONOSUPPORT);
	expect("header", -1, &err);
}

static void test_no_snapshot(void)
{
	struct error err = { "" };

	memset(&copy, 0, sizeof(copy));
	copy.len = sizeof(copy.data);
	KTAP_EQ(read_all(&copy, &err), -EBADMSG);
	KTAP_STREQ(err.text, "a.snap: part header: this is no snapshot of armvmm-run");
}

/* Wherever the disk gets full, the writer says so. */
static void test_full(void)
{
	size_t whole;

	setup();
	whole = file.len;
	for (file.room = 0; file.room < whole; file.room += 13)
		KTAP_EQ(write_all(), -ENOSPC);
	file.room = sizeof(file.data);
}

/* Writes one part with valid checksums, whatever it has, and reads it as memory. */
static int read_pages(const void *data, size_t len, struct error *err)
{
	struct part_writer w = { .write = buffer_write, .opaque = &copy };
	struct part_reader r = { .read = buffer_read, .opaque = &copy, .file = "a.snap" };
	struct pages_layout layout;
	struct pages_reader *p;
	uint64_t pages = 0;
	int ret;

	copy.len = copy.at = 0;
	copy.room = sizeof(copy.data);
	layout_of(&layout, ram_back, flash_back);
	p = pages_reader_new(&layout, PAGES_VERSION);
	part_begin(&w, id, NULL);
	part_write(&w, PAGES_PART, PAGES_VERSION, data, len, NULL, 0);
	ret = part_open(&r, err);
	if (!ret)
		ret = part_read(&r, PAGES_PART, err);
	if (!ret)
		ret = pages_read(p, &r, &pages, err);
	pages_reader_free(p);
	part_reader_free(&r);
	return ret;
}

/* Parts that no checksum betrays: memory that the machine has not, too many pages, lengths. */
static void test_hostile_pages(void)
{
	struct {
		uint64_t gpa;
		uint32_t nr, method;
		uint64_t there[4], zero[4];
		uint8_t data[2 * PAGES_SIZE];
	} part, good = { .gpa = RAM, .nr = 2, .there = { 1 } };
	const size_t one = offsetof(typeof(part), data) + PAGES_SIZE;
	struct error err = { "" };

	setup();
	memset(good.data, 'y', sizeof(good.data));
	KTAP_EQ(read_pages(&good, one, &err), 0);
	KTAP_EQ(ram_back[0], 'y');
#define BAD(change, length)							\
	do {									\
		part = good;							\
		change;								\
		memset(&err, 0, sizeof(err));					\
		expect("memory", read_pages(&part, length, &err), &err);	\
	} while (0)
	BAD(part.gpa = RAM - PAGES_SIZE, one);
	BAD(part.gpa = RAM + PAGES * PAGES_SIZE, one);
	BAD(part.gpa = RAM + (PAGES - 1) * PAGES_SIZE, one);
	BAD(part.gpa = RAM + 1, one);
	BAD(part.gpa = ~0ull << 12, one);
	BAD(part.nr = 0, one);
	BAD(part.nr = 257, one);
	BAD(part.nr = ~0u, one);
	BAD(part.there[0] = 0, one - PAGES_SIZE);
	BAD(part.there[0] = 3, one);
	BAD(part.there[0] = 4, one);
	BAD(part.there[3] = 1ull << 63, one + PAGES_SIZE);
	BAD(part.zero[0] = 2, one);
	BAD(part.method = 1, one);
	BAD(part.method = 2, one);
	BAD(, one - 1);
	BAD(, one + 1);
	BAD(, 8);
	BAD(, 0);
}

KTAP_MAIN(KTAP_CASE(test_round), KTAP_CASE(test_every_bit), KTAP_CASE(test_every_cut),
	  KTAP_CASE(test_longer), KTAP_CASE(test_places), KTAP_CASE(test_mixed),
	  KTAP_CASE(test_versions), KTAP_CASE(test_no_snapshot), KTAP_CASE(test_full),
	  KTAP_CASE(test_hostile_pages))
