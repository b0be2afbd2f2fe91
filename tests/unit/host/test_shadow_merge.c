// SPDX-License-Identifier: GPL-2.0-only
// cflags: -Itests/unit/fake -Idriver
/* What a flush of the shadow build moves: each byte to the side that did not change it. */
#include "ktap.h"

#include "host/shadow_merge.h"

#define LEN	64u

static struct {
	_Alignas(4) u8 host[LEN];
	_Alignas(4) u8 copy[LEN];
	_Alignas(4) u8 base[LEN];
} s;

static void start(void)
{
	unsigned int i;

	for (i = 0; i < LEN; i++)
		s.host[i] = s.copy[i] = s.base[i] = (u8)(i * 7 + 1);
}

/* After a flush all three agree, on what is wanted. */
static void check(const u8 *want)
{
	KTAP_TRUE(!memcmp(s.host, want, LEN));
	KTAP_TRUE(!memcmp(s.copy, want, LEN));
	KTAP_TRUE(!memcmp(s.base, want, LEN));
}

static void test_nothing(void)
{
	u8 want[LEN];

	start();
	memcpy(want, s.host, LEN);
	shadow_merge(s.host, s.copy, s.base, LEN);
	check(want);
}

static void test_host(void)
{
	u8 want[LEN];

	start();
	memset(s.host + 8, 0xee, 4);
	s.host[21] = 0x99;
	s.host[LEN - 1] = 0x77;
	memcpy(want, s.host, LEN);
	shadow_merge(s.host, s.copy, s.base, LEN);
	check(want);
}

static void test_guest(void)
{
	u8 want[LEN];

	start();
	s.copy[0] = 0x55;
	memset(s.copy + 12, 0xdd, 4);
	s.copy[23] = 0x66;
	memcpy(want, s.copy, LEN);
	shadow_merge(s.host, s.copy, s.base, LEN);
	check(want);
}

/* Neighbours in a word, each changed by one side, both move; where both did, it is the host's. */
static void test_both(void)
{
	u8 want[LEN];

	start();
	memcpy(want, s.base, LEN);
	s.host[4] = want[4] = 0x11;
	s.copy[5] = want[5] = 0x22;
	s.copy[6] = 0x33;
	s.host[6] = want[6] = 0x44;
	s.host[40] = want[40] = 0x12;
	s.copy[45] = want[45] = 0x34;
	shadow_merge(s.host, s.copy, s.base, LEN);
	check(want);
}

/* What was moved once is old: the next change, by whichever side, wins over it. */
static void test_again(void)
{
	u8 want[LEN];

	start();
	s.copy[9] = 0x10;
	shadow_merge(s.host, s.copy, s.base, LEN);
	s.host[9] = 0x20;
	shadow_merge(s.host, s.copy, s.base, LEN);
	s.copy[9] = 0x30;
	memcpy(want, s.copy, LEN);
	shadow_merge(s.host, s.copy, s.base, LEN);
	check(want);
}

/* A flush of some lines leaves the others as they are. */
static void test_part(void)
{
	start();
	s.host[3] = 0xa0;
	s.host[16] = 0xa1;
	s.copy[32] = 0xa2;
	shadow_merge(s.host + 16, s.copy + 16, s.base + 16, 16);
	KTAP_TRUE(s.copy[3] != 0xa0);
	KTAP_TRUE(s.copy[16] == 0xa1);
	KTAP_TRUE(s.host[32] != 0xa2);
}

/* A copy that nothing was cleaned to yet gets all of the page. */
static void test_first(void)
{
	u8 want[LEN];

	start();
	memset(s.copy, 0xa5, LEN);
	memset(s.base, 0xa5, LEN);
	s.host[17] = 0xa5;
	memcpy(want, s.host, LEN);
	shadow_merge(s.host, s.copy, s.base, LEN);
	check(want);
}

KTAP_MAIN(KTAP_CASE(test_nothing), KTAP_CASE(test_host), KTAP_CASE(test_guest),
	  KTAP_CASE(test_both), KTAP_CASE(test_again), KTAP_CASE(test_part),
	  KTAP_CASE(test_first))
