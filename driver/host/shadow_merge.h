/* SPDX-License-Identifier: GPL-2.0-only */
/* What a flush moves between a page and its copy: pure, so that the unit tests run it. */
#ifndef ARMVMM_SHADOW_MERGE_H
#define ARMVMM_SHADOW_MERGE_H

#include <linux/compiler.h>
#include <linux/types.h>

/*
 * Brings @len bytes (a multiple of four, aligned to it) of the host's page @host and of the copy
 * that the guest has together. @base has what both had after the last flush, and so tells who
 * changed what since. What both changed is the host's: a dirty line is written over what memory
 * has (DDI 0406C B2.2.6, clean). A word that one side alone changed is moved in one access, as
 * either side may read it at this time.
 */
static inline void shadow_merge(void *host, void *copy, void *base, size_t len)
{
	size_t i, k;

	for (i = 0; i < len; i += 4) {
		u32 *h4 = host + i, *c4 = copy + i, *b4 = base + i;
		u32 h = READ_ONCE(*h4), c = READ_ONCE(*c4), b = *b4;

		if (h == b && c == b)
			continue;
		if (c == b) {
			WRITE_ONCE(*c4, h);
			*b4 = h;
			continue;
		}
		if (h == b) {
			WRITE_ONCE(*h4, c);
			*b4 = c;
			continue;
		}
		for (k = i; k < i + 4; k++) {
			u8 *h1 = host + k, *c1 = copy + k, *b1 = base + k;

			if (READ_ONCE(*h1) != *b1) {
				*b1 = READ_ONCE(*h1);
				WRITE_ONCE(*c1, *b1);
			} else if (READ_ONCE(*c1) != *b1) {
				*b1 = READ_ONCE(*c1);
				WRITE_ONCE(*h1, *b1);
			}
		}
	}
}

#endif
