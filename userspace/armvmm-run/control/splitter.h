/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cuts a stream of bytes into JSON texts, which may follow each other without a mark (RFC 8259),
 * and bounds them: whatever parses them gets only texts that are short and not deeply nested.
 */
#ifndef ARMVMM_RUN_SPLITTER_H
#define ARMVMM_RUN_SPLITTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPLITTER_MAX_LENGTH	65536u	/* bytes of a text */
#define SPLITTER_MAX_DEPTH	64u	/* brackets inside each other */

enum splitter_result {
	SPLITTER_MORE,		/* all bytes are used up, and no text has ended */
	SPLITTER_TEXT,		/* all bytes are used up, and no text has ended */
	SPLITTER_BROKEN,	/* .text has one; its brackets match, the rest is unchecked */
	SPLITTER_TOO_LONG,
	SPLITTER_TOO_DEEP,
};

struct splitter {
	char text[SPLITTER_MAX_LENGTH + 1];	/* ends with a zero; valid until the next call */
	size_t length;
	bool done;		/* the text was given out */
	bool skipping, in_string, escaped;
	unsigned int depth;
	uint64_t curly;		/* bit n: the bracket at depth n is a curly one */
};

/*
 * Looks at @len bytes at @data, up to the end of a text or a failure. Returns how many bytes it has
 * used up; *@result tells why it stopped.
 */
size_t splitter_feed(struct splitter *s, const char *data, size_t len,
		     enum splitter_result *result);

#endif /* ARMVMM_RUN_SPLITTER_H */
