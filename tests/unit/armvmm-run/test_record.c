// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/core/record.c
// cflags: -Iuserspace/armvmm-run -D_GNU_SOURCE
// pkgs: glib-2.0
//
// Records: what they look like in bytes, bounds of fields, failures that stick.
#include <errno.h>
#include <stdbool.h>

#include "core/record.h"
#include "ktap.h"

enum colour { RED, GREEN, BLUE };

struct thing {
	uint64_t wide;
	bool on;
	uint16_t list[3];
	enum colour colour;
	uint32_t left_out;
	uint8_t byte;
};

static const struct record_field fields[] = {
	RECORD_FIELD(struct thing, wide, UINT64_MAX),
	RECORD_FIELD(struct thing, on, 1),
	RECORD_ARRAY(struct thing, list, 1000),
	RECORD_FIELD(struct thing, colour, BLUE),
	RECORD_FIELD(struct thing, byte, 200),
};

static const struct thing example = { 0x0102030405060708, true, { 1, 2, 1000 }, GREEN, 7, 200 };
static const uint8_t bytes[] = { 8, 7, 6, 5, 4, 3, 2, 1, 1, 1, 0, 2, 0, 0xe8, 3, 1, 0, 0, 0, 200 };

static void test_bytes(void)
{
	struct record r = { .len = 0 };

	record_put_fields(&r, &example, fields, RECORD_NR(fields));
	KTAP_EQ(r.len, sizeof(bytes));
	KTAP_EQ(memcmp(r.data, bytes, sizeof(bytes)), 0);
	for (unsigned int i = 0; i < 1000; i++)
		record_put(&r, &i, sizeof(i));
	KTAP_EQ(r.len, sizeof(bytes) + 4000);
	record_put(&r, NULL, 0);
	KTAP_EQ(r.len, sizeof(bytes) + 4000);
	KTAP_EQ(memcmp(r.data, bytes, sizeof(bytes)), 0);
	record_free(&r);
}

static void test_read(void)
{
	struct thing t = { .left_out = 99 };
	struct record r;

	record_open(&r, bytes, sizeof(bytes));
	KTAP_EQ(record_get_fields(&r, &t, fields, RECORD_NR(fields)), 0);
	KTAP_EQ(record_close(&r), 0);
	KTAP_EQ(t.wide, example.wide);
	KTAP_TRUE(t.on);
	KTAP_EQ(t.list[0], 1);
	KTAP_EQ(t.list[2], 1000);
	KTAP_EQ(t.colour, GREEN);
	KTAP_EQ(t.byte, 200);
	KTAP_EQ(t.left_out, 99);
}

/* A failure sticks, and what is read after it is zero. */
static void test_short(void)
{
	for (size_t len = 0; len < sizeof(bytes); len++) {
		struct thing t = { 0 };
		struct record r;
		uint32_t more = 5;

		record_open(&r, bytes, len);
		KTAP_EQ(record_get_fields(&r, &t, fields, RECORD_NR(fields)), -EBADMSG);
		KTAP_STREQ(r.err.text, "is too short");
		KTAP_EQ(record_get(&r, &more, 0), -EBADMSG);
		KTAP_EQ(record_get(&r, &more, sizeof(more)), -EBADMSG);
		KTAP_EQ(more, 0);
		KTAP_EQ(record_refuse(&r, "another reason"), -EBADMSG);
		KTAP_EQ(record_close(&r), -EBADMSG);
		KTAP_STREQ(r.err.text, "is too short");
	}
}

static void test_large(void)
{
	static const struct {
		unsigned int at;
		uint8_t value;
		const char *why;
	} cases[] = {
		{ 8, 2, "on has the value 2, and the largest is 1" },
		{ 14, 4, "list has the value 1256, and the largest is 1000" },
		{ 15, 3, "colour has the value 3, and the largest is 2" },
		{ 18, 1, "colour has the value 16777217, and the largest is 2" },
		{ 19, 201, "byte has the value 201, and the largest is 200" },
	};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t changed[sizeof(bytes)];
		struct thing t = { 0 };
		struct record r;

		memcpy(changed, bytes, sizeof(bytes));
		changed[cases[i].at] = cases[i].value;
		record_open(&r, changed, sizeof(changed));
		KTAP_EQ(record_get_fields(&r, &t, fields, RECORD_NR(fields)), -EBADMSG);
		KTAP_STREQ(r.err.text, cases[i].why);
		/* It never came into the struct. */
		KTAP_TRUE(t.colour <= BLUE && t.list[2] <= 1000 && t.byte <= 200);
	}
}

static void test_long(void)
{
	struct record r;
	uint64_t value;

	record_open(&r, bytes, sizeof(bytes));
	KTAP_EQ(record_get(&r, &value, 8), 0);
	KTAP_EQ(record_close(&r), -EBADMSG);
	KTAP_STREQ(r.err.text, "has 12 bytes too many");
}

KTAP_MAIN(KTAP_CASE(test_bytes), KTAP_CASE(test_read), KTAP_CASE(test_short),
	  KTAP_CASE(test_large), KTAP_CASE(test_long))
