// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/control/splitter.c
// cflags: -Iuserspace/armvmm-run
//
// A stream of bytes, cut into JSON texts: wherever it is broken off, and whatever is wrong in it.
#include <stdlib.h>

#include "control/splitter.h"
#include "ktap.h"

static struct splitter s;

/* Splits @in, fed @step bytes at a time: a line for each text, or a word for its failure. */
static const char *split(const char *in, size_t len, size_t step)
{
	static const char *const words[] = { "", "", "broken\n", "long\n", "deep\n" };
	static char out[4096];

	memset(&s, 0, sizeof(s));
	out[0] = '\0';
	while (len) {
		enum splitter_result result;
		size_t n = splitter_feed(&s, in, step < len ? step : len, &result);

		if (!n || n > len)
			return "no progress";
		in += n;
		len -= n;
		if (result == SPLITTER_TEXT) {
			strcat(out, s.text);
			strcat(out, "\n");
		}
		strcat(out, words[result]);
	}
	return out;
}

#define SPLIT(in, want)							\
	do {								\
		for (size_t step = 1; step < 9; step++)			\
			KTAP_STREQ(split(in, sizeof(in) - 1, step), want); \
	} while (0)

static void test_texts(void)
{
	SPLIT("{\"a\": 1}\n", "{\"a\": 1}\n");
	SPLIT(" \r\n\t{}[]{\"b\":[1,{}]}", "{}\n[]\n{\"b\":[1,{}]}\n");
	SPLIT("{\n\"a\":\n1}", "{\n\"a\":\n1}\n");
}

static void test_strings(void)
{
	SPLIT("{\"}\\\"}\":\"[{\\\\\"}", "{\"}\\\"}\":\"[{\\\\\"}\n");
}

static void test_broken(void)
{
	SPLIT("nonsense {\n{}", "broken\n{}\n");
	SPLIT("}{}\n{}", "broken\n{}\n");
	SPLIT("{]}\n{}", "broken\n{}\n");
	SPLIT("[}\n{}", "broken\n{}\n");
	/* A stray quote spoils only its own line. */
	SPLIT("{\"execute: \"stop\"}\n{}\n", "broken\n{}\n");
	SPLIT("{\"a\0\"}\n{}", "broken\n{}\n");
	SPLIT("{\x01}\n{}", "broken\n{}\n");
	SPLIT("\xff{}\n{}", "broken\n{}\n");
}

static void test_depth(void)
{
	size_t len = 100000;
	char *deep = malloc(len + 3);

	memset(deep, '[', SPLITTER_MAX_DEPTH);
	memset(deep + SPLITTER_MAX_DEPTH, ']', SPLITTER_MAX_DEPTH);
	deep[2 * SPLITTER_MAX_DEPTH] = '\0';
	KTAP_EQ(strlen(split(deep, 2 * SPLITTER_MAX_DEPTH, 7)), 2 * SPLITTER_MAX_DEPTH + 1);
	memset(deep, '[', len);
	memcpy(deep + len, "\n{}", 3);
	KTAP_STREQ(split(deep, len + 3, 4096), "deep\n{}\n");
	memset(deep, '{', len);
	KTAP_STREQ(split(deep, len + 3, 4096), "deep\n{}\n");
	free(deep);
}

static void test_length(void)
{
	size_t len = SPLITTER_MAX_LENGTH;
	char *text = malloc(2 * len);
	enum splitter_result result;

	memset(text, ' ', 2 * len);
	text[0] = '{';
	text[len - 1] = '}';
	memset(&s, 0, sizeof(s));
	KTAP_EQ(splitter_feed(&s, text, len, &result), len);
	KTAP_EQ(result, SPLITTER_TEXT);
	KTAP_EQ(s.length, len);
	text[len - 1] = ' ';
	text[len] = '}';
	memcpy(text + 2 * len - 3, "\n{}", 3);
	KTAP_STREQ(split(text, 2 * len, 4096), "long\n{}\n");
	free(text);
}

KTAP_MAIN(KTAP_CASE(test_texts), KTAP_CASE(test_strings), KTAP_CASE(test_broken),
	  KTAP_CASE(test_depth), KTAP_CASE(test_length))
