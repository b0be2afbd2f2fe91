// SPDX-License-Identifier: GPL-2.0-only
// cflags: -Itests/unit/fake -Idriver
/* Cache line arithmetic: every line of a range once, and no other. */
#include "ktap.h"

#include "host/cache_line.h"

static void test_ctr(void)
{
	u32 a15 = 0x8444c004, a7 = 0x84448003;

	KTAP_EQ(1 << cache_line_shift(CTR_DMINLINE(a15)), 64);
	KTAP_EQ(1 << cache_line_shift(CTR_IMINLINE(a15)), 64);
	KTAP_EQ(CTR_L1IP(a15), CTR_L1IP_PIPT);
	KTAP_EQ(1 << cache_line_shift(CTR_DMINLINE(a7)), 64);
	KTAP_EQ(1 << cache_line_shift(CTR_IMINLINE(a7)), 32);
	KTAP_EQ(CTR_L1IP(a7), CTR_L1IP_VIPT);
}

static void test_count(void)
{
	KTAP_EQ(cache_line_count(0, 0, 6), 0);
	KTAP_EQ(cache_line_count(63, 1, 6), 1);
	KTAP_EQ(cache_line_count(63, 2, 6), 2);
	KTAP_EQ(cache_line_count(0, 64, 6), 1);
	KTAP_EQ(cache_line_count(0, 65, 6), 2);
	KTAP_EQ(cache_line_count(1, 64, 6), 2);
	KTAP_EQ(cache_line_count(0x1000, 4096, 6), 64);
}

/* Walks [start, start + size) and compares with the line of each byte. */
static void check_walk(unsigned long start, unsigned long size, unsigned int shift)
{
	static unsigned char seen[64];
	unsigned long a, n, i, line = 1ul << shift, base = start & ~(line - 1);

	memset(seen, 0, sizeof(seen));
	cache_for_each_line(a, n, start, size, shift) {
		KTAP_EQ(a % line, 0);
		i = (a - base) / line;
		if (i >= sizeof(seen)) {
			KTAP_FAIL("line 0x%lx is far off 0x%lx", a, start);
			return;
		}
		seen[i]++;
	}
	for (i = 0; i < sizeof(seen); i++) {
		unsigned long first = base + i * line, last = first + line - 1;
		/* By last bytes, as a range may end at the end of the address space. */
		int want = size && first <= start + size - 1 && last >= start && first >= base;

		if (seen[i] != want)
			KTAP_FAIL("line %lu of 0x%lx+0x%lx (%lu) was met %u times", i, start, size,
				  line, seen[i]);
	}
}

static void test_walk(void)
{
	unsigned int shift, offset, size;

	for (shift = 4; shift <= 7; shift++)
		for (offset = 0; offset < 2u << shift; offset++)
			for (size = 0; size < 3u << shift; size++)
				check_walk(0x10000 + offset, size, shift);
}

static void test_walk_end(void)
{
	unsigned long a, n, count = 0;

	cache_for_each_line(a, n, -4096ul, 4096, 6)
		count++;
	KTAP_EQ(count, 64);
	KTAP_EQ(a, 0);
}

/* A15 (PIPT, lines of 64 bytes) and A7 (VIPT, instruction lines of 32): the worst counts. */
static void test_two_kinds(void)
{
	static const u32 ctrs[2] = { 0x8444c004, 0x84448003 };
	struct cache_geometry g;

	for (unsigned int first = 0; first < 2; first++) {
		g = (struct cache_geometry){ };
		cache_geometry_add(&g, ctrs[first]);
		KTAP_EQ(g.icache_pipt, first == 0);
		KTAP_EQ(1 << cache_line_shift(g.iminline), first ? 32 : 64);
		cache_geometry_add(&g, ctrs[!first]);
		KTAP_TRUE(!g.icache_pipt);
		KTAP_EQ(1 << cache_line_shift(g.iminline), 32);
		KTAP_EQ(1 << cache_line_shift(g.dminline), 64);
		/* It stays so, whichever CPU comes back. */
		cache_geometry_add(&g, ctrs[0]);
		KTAP_TRUE(!g.icache_pipt);
		KTAP_EQ(1 << cache_line_shift(g.iminline), 32);
	}
	/* The same for data lines. */
	cache_geometry_add(&g, 0x8443c004);
	KTAP_EQ(1 << cache_line_shift(g.dminline), 32);
}

KTAP_MAIN(KTAP_CASE(test_ctr), KTAP_CASE(test_two_kinds), KTAP_CASE(test_count),
	  KTAP_CASE(test_walk), KTAP_CASE(test_walk_end))
