/* SPDX-License-Identifier: GPL-2.0-only */
/* The list that fake_op() writes, and how a test checks it. */
#ifndef TESTS_UNIT_OPS_H
#define TESTS_UNIT_OPS_H

#include <stdarg.h>
#include <stdio.h>

#include "ktap.h"

#define OPS_MAX	64

static char ops[OPS_MAX][64];
static unsigned int nr_ops;

void fake_op(const char *fmt, ...)
{
	va_list args;

	if (nr_ops == OPS_MAX) {
		KTAP_FAIL("more than %d operations", OPS_MAX);
		return;
	}
	va_start(args, fmt);
	vsnprintf(ops[nr_ops++], sizeof(ops[0]), fmt, args);
	va_end(args);
}

/* Exactly these were done, in this order; afterwards the list is empty. */
static void ops_are(const char *const *want, unsigned int n, const char *file, int line)
{
	unsigned int i;

	for (i = 0; i < n || i < nr_ops; i++) {
		const char *w = i < n ? want[i] : "nothing", *got = i < nr_ops ? ops[i] : "nothing";

		if (strcmp(w, got)) {
			printf("# %s:%d: operation %u is \"%s\", not \"%s\"\n", file, line, i, got,
			       w);
			ktap_failed = 1;
			break;
		}
	}
	nr_ops = 0;
}

#define OPS_ARE(...)								\
	do {									\
		static const char *const want_[] = { __VA_ARGS__ };		\
		ops_are(want_, sizeof(want_) / sizeof(want_[0]), __FILE__, __LINE__);	\
	} while (0)
#define OPS_NONE()	ops_are(NULL, 0, __FILE__, __LINE__)

#endif
