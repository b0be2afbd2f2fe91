// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/core/rate.c userspace/armvmm-run/core/parse.c
// sources: userspace/armvmm-run/core/error.c
// cflags: -Iuserspace/armvmm-run -D_GNU_SOURCE
//
// The token bucket, on a clock that the test turns.
#include <errno.h>

#include "core/rate.h"
#include "ktap.h"

#define S	1000000000ull
#define MS	1000000ull

/* Takes @n as often as possible until @end. Returns how often; *@now is the clock. */
static unsigned int take_until(struct rate *rate, uint64_t n, uint64_t *now, uint64_t end)
{
	unsigned int times = 0;

	while (*now < end) {
		uint64_t wait = rate_wait(rate, *now);

		if (wait) {
			*now += wait;
			continue;
		}
		rate_take(rate, n, *now);
		times++;
	}
	return times;
}

static void test_no_limit(void)
{
	struct rate rate;

	rate_init(&rate, 0);
	rate_take(&rate, UINT64_MAX, 5);
	KTAP_EQ(rate_wait(&rate, 5), 0);
}

static void test_average(void)
{
	static const struct {
		uint64_t per_second, n, seconds;
	} cases[] = {
		{ 1, 1, 100 }, { 3, 1, 1000 }, { 100, 1, 60 }, { 7000, 1, 10 },
		{ 1000000, 1514, 60 }, { 1000000, 4 << 20, 600 }, { 1ull << 30, 65536, 10 },
		{ RATE_MAX, 4 << 20, 1 }, { RATE_MAX, UINT32_MAX, 2 },
	};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t now = 1000 * S, end = now + cases[i].seconds * S, taken;
		/* What comes in the time, the burst, and the one request that may go into debt. */
		uint64_t most = cases[i].per_second * cases[i].seconds +
				cases[i].per_second / 10 + cases[i].n;
		struct rate rate;

		rate_init(&rate, cases[i].per_second);
		taken = take_until(&rate, cases[i].n, &now, end) * cases[i].n;
		if (taken > most + most / 1000)
			KTAP_FAIL("case %u: %llu taken, and %llu may be", i,
				  (unsigned long long)taken, (unsigned long long)most);
		if (taken < cases[i].per_second * cases[i].seconds / 1000 * 999)
			KTAP_FAIL("case %u: %llu taken, and not %llu", i, (unsigned long long)taken,
				  (unsigned long long)cases[i].per_second * cases[i].seconds);
	}
}

/* After a pause it gives 100 ms' worth at once, and no more, however long the pause was. */
static void test_burst(void)
{
	struct rate rate;
	uint64_t now = 10 * S;

	rate_init(&rate, 1000);
	for (unsigned int pause = 1; pause <= 1000; pause *= 10) {
		unsigned int times = 0;

		while (!rate_wait(&rate, now)) {
			rate_take(&rate, 1, now);
			times++;
		}
		/*
		 * The request that empties it is not the last: one more may go when nothing is
		 * owed.
		 */
		KTAP_EQ(times, 101);
		now += pause * S;
	}
}

/* A request larger than the bucket goes as a whole, and the next one waits for it. */
static void test_large(void)
{
	struct rate rate;
	uint64_t now = 10 * S;

	rate_init(&rate, 1000);
	KTAP_EQ(rate_wait(&rate, now), 0);
	rate_take(&rate, 5000, now);
	KTAP_EQ(rate_wait(&rate, now), 4900 * MS);
	KTAP_EQ(rate_wait(&rate, now + 4899 * MS), MS);
	KTAP_EQ(rate_wait(&rate, now + 4900 * MS), 0);
	/* Reservations before the wait add up. */
	rate_take(&rate, 1000, now);
	rate_take(&rate, 1000, now);
	KTAP_EQ(rate_wait(&rate, now), 6900 * MS);
	/* No wait lasts for ever, whatever was taken. */
	rate_init(&rate, 1);
	rate_take(&rate, UINT64_MAX, now);
	KTAP_TRUE(rate_wait(&rate, now) <= 86400 * S);
}

/* A machine that has just started has a clock smaller than the burst. */
static void test_first_moment(void)
{
	struct rate rate;

	rate_init(&rate, 1000);
	rate_take(&rate, 10, 0);
	KTAP_EQ(rate_wait(&rate, 0), 10 * MS);
	KTAP_EQ(rate_wait(&rate, 20 * MS), 0);
}

static void test_parse(void)
{
	struct error err = { "" };
	uint64_t n = 0;

	KTAP_EQ(rate_parse("bps=1000", "bps", "--disk d", &n, &err), 0);
	KTAP_EQ(n, 1000);
	KTAP_EQ(rate_parse("bps=3M", "bps", "--disk d", &n, &err), 0);
	KTAP_EQ(n, 3 << 20);
	KTAP_EQ(rate_parse("bps=2g", "bps", "--disk d", &n, &err), 0);
	KTAP_EQ(n, 2ull << 30);
	KTAP_EQ(rate_parse("bps=100000000000", "bps", "--disk d", &n, &err), 0);
	KTAP_EQ(rate_parse("iops=1", "bps", "--disk d", &n, &err), -ENOENT);
	for (unsigned int i = 0; i < 8; i++) {
		static const char *const bad[] = {
			"bps=", "bps=0", "bps=K", "bps=-1", "bps=1T", "bps=1.5M", "bps=100000000001",
			"bps=100G",
		};

		KTAP_EQ(rate_parse(bad[i], "bps", "--disk d", &n, &err), -EINVAL);
	}
	KTAP_STREQ(err.text,
		   "--disk d: bps=100G: must be 1 to 100000000000 a second (K, M or G may follow)");
}

KTAP_MAIN(KTAP_CASE(test_no_limit), KTAP_CASE(test_average), KTAP_CASE(test_burst),
	  KTAP_CASE(test_large), KTAP_CASE(test_first_moment), KTAP_CASE(test_parse))
