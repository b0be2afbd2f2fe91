// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/core/counter.c
// cflags: -Iuserspace/armvmm-run
//
// How far a counter is ahead of where it was.
#include "core/counter.h"
#include "ktap.h"

#define DAY_US	86400000000ll

static void test_after(void)
{
	static const struct {
		uint64_t value;
		int64_t then, now;
		uint32_t hz;
		uint64_t after;
	} cases[] = {
		{ 5, 1000, 1000, 24000000, 5 },
		{ 5, 1000, 1001, 24000000, 29 },
		{ 5, 1000, 3, 24000000, 5 },	/* a clock that was set back */
		{ 0, 0, DAY_US, 62500000, 86400ull * 62500000 },
		{ 0, 0, 999999, 1000000, 999999 },
		{ 0, 0, 1999999, 32768, 65535 },
		{ 0, 0, 36500 * DAY_US, 1000000000, 36500ull * 86400 * 1000000000 },
		/* It may begin anew, as the hardware's does. */
		{ UINT64_MAX, 0, 1000000, 24000000, 23999999 },
		/* A snapshot may say anything. */
		{ 0, INT64_MIN, INT64_MAX, 1, UINT64_MAX / 1000000 },
		{ 7, INT64_MAX, 0, UINT32_MAX, 7 },
	};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		KTAP_EQ(counter_after(cases[i].value, cases[i].then, cases[i].now, cases[i].hz),
			cases[i].after);
}

KTAP_MAIN(KTAP_CASE(test_after))
