// SPDX-License-Identifier: GPL-2.0-only
// cflags: -Itests/unit/fake -Idriver
//
// Counter ticks and deadlines: exact, never early, and no overflow however far
// the deadline is (DDI 0406C B8.1.5).
#include "timer/timer_math.h"
#include "ktap.h"

static const u32 freqs[] = { 1, 13000000, 19200000, 24000000, 62500000, 1000000000, 0xffffffff };

#define NR(a)	(sizeof(a) / sizeof((a)[0]))

static void test_exact(void)
{
	KTAP_EQ(timer_cycles_to_ns(0, 62500000), 0);
	KTAP_EQ(timer_cycles_to_ns(1, 62500000), 16);
	KTAP_EQ(timer_cycles_to_ns(62500000, 62500000), 1000000000);
	KTAP_EQ(timer_cycles_to_ns(62500000ULL * 86400 * 365, 62500000),
		86400ULL * 365 * 1000000000);
	/* A tick of 24 MHz is 41 2/3 ns: rounded up, but not adding up. */
	KTAP_EQ(timer_cycles_to_ns(1, 24000000), 42);
	KTAP_EQ(timer_cycles_to_ns(3, 24000000), 125);
	KTAP_EQ(timer_cycles_to_ns(24000000, 24000000), 1000000000);
}

static void test_never_early(void)
{
	u64 cycles = 1;

	for (size_t f = 0; f < NR(freqs); f++) {
		for (int i = 0; i < 100000; i++) {
			cycles = cycles * 6364136223846793005ULL + 1442695040888963407ULL;
			u64 c = cycles >> (8 + i % 56);
			unsigned __int128 ns = (unsigned __int128)c * 1000000000;
			unsigned __int128 want = (ns + freqs[f] - 1) / freqs[f];
			u64 max = (u64)TIMER_MAX_SECONDS * 1000000000;

			if (timer_cycles_to_ns(c, freqs[f]) != (want > max ? max : (u64)want)) {
				KTAP_FAIL("%llu ticks at %u Hz", (unsigned long long)c, freqs[f]);
				return;
			}
		}
	}
}

/* A value that is added to the current time must stay below KTIME_MAX. */
static void test_far(void)
{
	for (size_t f = 0; f < NR(freqs); f++)
		KTAP_TRUE(timer_cycles_to_ns(~0ULL, freqs[f]) < (1ULL << 63) / 3);
	KTAP_TRUE(timer_cycles_to_ns(~0ULL, 62500000) > 2000000000000000000ULL);
}

static void test_ticks_left(void)
{
	KTAP_EQ(timer_ticks_left(5, 5), 0);
	KTAP_EQ(timer_ticks_left(6, 5), 0);
	KTAP_EQ(timer_ticks_left(5, 6), 1);
	KTAP_EQ(timer_ticks_left(0, ~0ULL), ~0ULL);
	KTAP_EQ(timer_ticks_left(~0ULL, 0), 0);
}

static void test_ctl(void)
{
	KTAP_EQ(timer_ctl_read(0, 10, 5), 0);
	KTAP_EQ(timer_ctl_read(1, 10, 5), 5);
	KTAP_EQ(timer_ctl_read(3, 10, 5), 7);
	KTAP_EQ(timer_ctl_read(1, 4, 5), 1);
	/* The written ISTATUS is ignored, and so are reserved bits. */
	KTAP_EQ(timer_ctl_read(0xfffffffd, 4, 5), 1);
	KTAP_TRUE(timer_can_fire(1));
	KTAP_TRUE(timer_can_fire(5));
	KTAP_TRUE(!timer_can_fire(0));
	KTAP_TRUE(!timer_can_fire(3));
	KTAP_TRUE(!timer_can_fire(2));
}

static void test_tval(void)
{
	KTAP_EQ(timer_tval_to_cval(100, 50), 150);
	KTAP_EQ(timer_tval_to_cval(100, -50), 50);
	KTAP_EQ(timer_tval_to_cval(0x1ffffffffULL, 0x7fffffff), 0x27ffffffeULL);
	KTAP_EQ(timer_tval_to_cval(0x100000000ULL, 0x80000000), 0x80000000ULL);
	KTAP_EQ(timer_cval_to_tval(100, 150), 50);
	KTAP_EQ(timer_cval_to_tval(150, 100), (u32)-50);
	KTAP_EQ(timer_cval_to_tval(0, 0x123456789ULL), 0x23456789);
}

/* Follows the host's latency, with a quarter to spare; never exceeds the limit. */
static void test_lead(void)
{
	u64 lead = 0;

	for (int i = 0; i < 40; i++)
		lead = timer_next_lead(lead, 250, 62500000);
	KTAP_TRUE(lead > 300 && lead <= 312);
	KTAP_TRUE(timer_next_lead(lead, 0, 62500000) < lead);
	for (int i = 0; i < 40; i++)
		lead = timer_next_lead(lead, ~0ULL, 62500000);
	KTAP_EQ(lead, 3125);
	KTAP_EQ(timer_next_lead(~0ULL >> 2, 0, 1), 0);
}

KTAP_MAIN(KTAP_CASE(test_lead), KTAP_CASE(test_exact), KTAP_CASE(test_never_early),
	  KTAP_CASE(test_far), KTAP_CASE(test_ticks_left), KTAP_CASE(test_ctl),
	  KTAP_CASE(test_tval))
