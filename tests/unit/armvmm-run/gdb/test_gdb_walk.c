// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/gdb/walk.c
// cflags: -Iuserspace/armvmm-run -Idriver -D_GNU_SOURCE
//
// The guest's tables, written here from DDI 0406C B3.5 and B3.6: each size of page, both base
// registers, their borders, and tables that are nowhere.
#include "gdb/walk.h"
#include "ktap.h"

#define TABLES	0x40000000ull
#define M	1u			/* SCTLR.M */
#define EE	(1u << 25)
#define EAE	(1u << 31)

static uint8_t memory[0x20000];

static bool read_memory(void *opaque, uint64_t gpa, void *buf, unsigned int len)
{
	if (gpa < TABLES || gpa - TABLES > sizeof(memory) - len)
		return false;
	memcpy(buf, memory + (gpa - TABLES), len);
	return true;
}

static struct walk walk;

static void start(uint32_t ttbcr, uint64_t ttbr0, uint64_t ttbr1)
{
	memset(memory, 0, sizeof(memory));
	walk = (struct walk){ .sctlr = M, .ttbcr = ttbcr, .ttbr0 = ttbr0, .ttbr1 = ttbr1,
			      .read = read_memory };
}

static void put32(uint32_t at, uint32_t desc)
{
	memcpy(memory + at, &desc, 4);
}

static void put64(uint32_t at, uint64_t desc)
{
	memcpy(memory + at, &desc, 8);
}

/* UINT64_MAX if it is not mapped. */
static uint64_t at(uint32_t va)
{
	uint64_t gpa;

	return walk_address(&walk, va, &gpa) ? gpa : UINT64_MAX;
}

#define NOWHERE	UINT64_MAX

static void test_off(void)
{
	start(0, TABLES, 0);
	walk.sctlr = 0;
	KTAP_EQ(at(0x12345678), 0x12345678);
	walk.sctlr = M;
	KTAP_EQ(at(0x12345678), NOWHERE);
}

static void test_short(void)
{
	/* Attributes of the walk are in the low bits. */
	start(0, TABLES | 0x6a, 0);
	put32(0x000 * 4, 0x50000000 | 2 | 1 << 10);		/* section */
	put32(0x001 * 4, 0x55000000 | 2 | 1 << 18 | 0xa << 5 | 3 << 20);	/* supersection */
	put32(0x002 * 4, (TABLES + 0x4400) | 1);		/* table */
	put32(0x003 * 4, 0x60000003);				/* a section with PXN */
	put32(0xfff * 4, 0x70000002);
	put32(0x004 * 4, 0x90000001);				/* a table that is nowhere */
	put32(0x4400 + 0x10 * 4, 0x61234002 | 1);		/* small page, XN */
	put32(0x4400 + 0x20 * 4, 0x62340001);			/* large page */
	KTAP_EQ(at(0x000abcde), 0x500abcde);
	KTAP_EQ(at(0x001abcde), 0xa3551abcdeull);
	KTAP_EQ(at(0x00210abc), 0x61234abc);
	KTAP_EQ(at(0x00220abc), 0x62340abc);
	/* The other fifteen descriptors of a large page are copies of the first one. */
	put32(0x4400 + 0x2f * 4, 0x62340001);
	KTAP_EQ(at(0x0022fabc), 0x6234fabc);
	KTAP_EQ(at(0x00230000), NOWHERE);
	KTAP_EQ(at(0x00312345), 0x60012345);
	KTAP_EQ(at(0x00400000), NOWHERE);
	KTAP_EQ(at(0xffffffff), 0x700fffff);
	walk.ttbcr = 1 << 4;	/* PD0 */
	KTAP_EQ(at(0), NOWHERE);
}

static void test_short_split(void)
{
	/* N = 2: TTBR0 has the first 1 GiB, its table 4 KiB; TTBR1 the others. */
	start(2, TABLES + 0x1000, TABLES + 0x8000);
	put32(0x1000 + 0x3ff * 4, 0x50000002);
	put32(0x8000 + 0x400 * 4, 0x60000002);
	KTAP_EQ(at(0x3ff00123), 0x50000123);
	KTAP_EQ(at(0x40000123), 0x60000123);
	walk.ttbcr = 2 | 1 << 5;	/* PD1 */
	KTAP_EQ(at(0x40000123), NOWHERE);
	KTAP_EQ(at(0x3ff00123), 0x50000123);
}

static void test_long(void)
{
	start(EAE, TABLES | 0xffull << 48, 0);
	put64(1 * 8, 0x8040000000ull | 0x401);			/* 1 GiB */
	put64(2 * 8, (TABLES + 0x1000) | 3);
	put64(0x1000 + 1 * 8, 0x1250200000ull | 0x401);		/* 2 MiB */
	put64(0x1000 + 2 * 8, (TABLES + 0x2000) | 3);
	put64(0x2000 + 3 * 8, 0x40000012345fffull & ~0xffcull);	/* a page, XN */
	put64(0x2000 + 4 * 8, 0x12345001);			/* a block where none may be */
	KTAP_EQ(at(0x41234567), 0x8041234567ull);
	KTAP_EQ(at(0x80212345), 0x1250212345ull);
	KTAP_EQ(at(0x80403abc), 0x12345abc);
	KTAP_EQ(at(0x80404abc), NOWHERE);
	KTAP_EQ(at(0x80600000), NOWHERE);
	KTAP_EQ(at(0xc0000000), NOWHERE);
	walk.ttbcr = EAE | 1 << 7;	/* EPD0 */
	KTAP_EQ(at(0x41234567), NOWHERE);
}

static void test_long_split(void)
{
	/* T1SZ = 2: TTBR1 has the last GiB, by one table of the second level; TTBR0 all below. */
	start(EAE | 2 << 16, TABLES + 0x20, TABLES + 0x3000);
	put64(0x20 + 2 * 8, 0x80000401);
	put64(0x3000 + 5 * 8, 0x90000401);
	KTAP_EQ(at(0xbfffffff), 0xbfffffff);
	KTAP_EQ(at(0xc0a00001), 0x90000001);
	/* T0SZ = 1 and T1SZ = 2: nothing is mapped between them. */
	start(EAE | 1 | 2 << 16, TABLES + 0x10, TABLES + 0x3000);
	put64(0x10 + 1 * 8, 0x40000401);
	put64(0x3000, 0x90000401);
	KTAP_EQ(at(0x7fffffff), 0x7fffffff);
	KTAP_EQ(at(0x80000000), NOWHERE);
	KTAP_EQ(at(0xbfffffff), NOWHERE);
	KTAP_EQ(at(0xc0000001), 0x90000001);
	/* Only T0SZ = 1: TTBR1 has the upper half, by a table of the first level. */
	start(EAE | 1, TABLES + 0x10, TABLES + 0x40);
	put64(0x40 + 2 * 8, 0x80000401);
	KTAP_EQ(at(0x80000001), 0x80000001);
	walk.ttbcr |= 1 << 23;	/* EPD1 */
	KTAP_EQ(at(0x80000001), NOWHERE);
}

static void test_big_endian(void)
{
	start(0, TABLES, 0);
	put32(0, __builtin_bswap32(0x50000002));
	walk.sctlr |= EE;
	KTAP_EQ(at(0x123), 0x50000123);
	start(EAE, TABLES, 0);
	put64(0, __builtin_bswap64(0x40000401));
	walk.sctlr |= EE;
	KTAP_EQ(at(0x123), 0x40000123);
}

KTAP_MAIN(KTAP_CASE(test_off), KTAP_CASE(test_short), KTAP_CASE(test_short_split),
	  KTAP_CASE(test_long), KTAP_CASE(test_long_split), KTAP_CASE(test_big_endian))
