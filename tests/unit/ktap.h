/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A test program is a table of cases, each a function that checks. It prints
 * KTAP and ends with 0 when all passed or were skipped, 1 otherwise.
 *
 *	static void test_empty(void)
 *	{
 *		KTAP_EQ(ring_used(&r), 0);
 *	}
 *	KTAP_MAIN(KTAP_CASE(test_empty), ...)
 *
 * A failed check prints where and what, marks the case failed and goes on;
 * KTAP_ASSERT() leaves the case.
 */
#ifndef TESTS_UNIT_KTAP_H
#define TESTS_UNIT_KTAP_H

#include <stdio.h>
#include <string.h>

struct ktap_case {
	const char *name;
	void (*run)(void);
};

static int ktap_failed;
static const char *ktap_skip_reason;

#define KTAP_CASE(fn) { #fn, fn }

#define KTAP_FAIL(...)							\
	do {								\
		printf("# %s:%d: ", __FILE__, __LINE__);		\
		printf(__VA_ARGS__);					\
		printf("\n");						\
		ktap_failed = 1;					\
	} while (0)

#define KTAP_TRUE(cond)							\
	do {								\
		if (!(cond))						\
			KTAP_FAIL("not true: %s", #cond);		\
	} while (0)

#define KTAP_EQ(a, b)							\
	do {								\
		unsigned long long a_ = (unsigned long long)(a);	\
		unsigned long long b_ = (unsigned long long)(b);	\
		if (a_ != b_)						\
			KTAP_FAIL("%s is 0x%llx (%lld), not %s = 0x%llx (%lld)", #a, a_,	\
				  (long long)a_, #b, b_, (long long)b_);	\
	} while (0)

#define KTAP_STREQ(a, b)						\
	do {								\
		const char *a_ = (a), *b_ = (b);			\
		if (strcmp(a_, b_))					\
			KTAP_FAIL("%s is \"%s\", not \"%s\"", #a, a_, b_);	\
	} while (0)

#define KTAP_MEMEQ(a, b, n)						\
	do {								\
		if (memcmp((a), (b), (n)))				\
			KTAP_FAIL("%s and %s differ", #a, #b);		\
	} while (0)

#define KTAP_ASSERT(cond)						\
	do {								\
		if (!(cond)) {						\
			KTAP_FAIL("not true: %s", #cond);		\
			return;						\
		}							\
	} while (0)

#define KTAP_SKIP(reason)						\
	do {								\
		ktap_skip_reason = (reason);				\
		return;							\
	} while (0)

static inline int ktap_run(const struct ktap_case *cases, int n)
{
	int pass = 0, fail = 0, skip = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..%d\n", n);
	for (int i = 0; i < n; i++) {
		ktap_failed = 0;
		ktap_skip_reason = NULL;
		cases[i].run();
		if (ktap_failed) {
			fail++;
			printf("not ok %d %s\n", i + 1, cases[i].name);
		} else if (ktap_skip_reason) {
			skip++;
			printf("ok %d %s # SKIP %s\n", i + 1, cases[i].name, ktap_skip_reason);
		} else {
			pass++;
			printf("ok %d %s\n", i + 1, cases[i].name);
		}
	}
	printf("# Totals: pass:%d fail:%d xfail:0 xpass:0 skip:%d error:0\n", pass, fail, skip);
	return fail ? 1 : 0;
}

#define KTAP_MAIN(...)							\
	int main(void)							\
	{								\
		static const struct ktap_case cases[] = { __VA_ARGS__ };	\
									\
		return ktap_run(cases, sizeof(cases) / sizeof(cases[0]));	\
	}

#endif /* TESTS_UNIT_KTAP_H */
