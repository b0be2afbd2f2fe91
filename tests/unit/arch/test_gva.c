// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/arch/gva.c
// cflags: -Itests/unit/fake -Idriver
//
// The software walk of a guest's tables, short and long descriptors, in a small
// memory; what lies outside of it is no RAM.
#include "arch/archregs.h"
#include "arch/gva.h"
#include "fake/fake_kernel.h"
#include "ktap.h"

#define BASE	0x40000000u
#define SIZE	0x10000u

static u32 mem[SIZE / 4];

static bool read_mem(void *ctx, u64 ipa, void *buf, unsigned int len)
{
	if (ipa < BASE || ipa + len > BASE + SIZE || ipa % len)
		return false;
	memcpy(buf, (char *)mem + (ipa - BASE), len);
	return true;
}

static void put32(u32 addr, u32 val)
{
	mem[(addr - BASE) / 4] = val;
}

static void put64(u32 addr, u64 val)
{
	put32(addr, (u32)val);
	put32(addr + 4, val >> 32);
}

static struct gva_mmu mmu;

static void reset(u32 ttbcr, u64 ttbr0, u64 ttbr1)
{
	memset(mem, 0, sizeof(mem));
	mmu = (struct gva_mmu) {
		.sctlr = SCTLR_M,
		.ttbcr = ttbcr,
		.ttbr0 = ttbr0,
		.ttbr1 = ttbr1,
		.read = read_mem,
	};
}

#define MAPS(va, want)								\
	do {									\
		u64 ipa_ = 0;							\
										\
		KTAP_TRUE(armvmm_gva_translate(&mmu, (va), &ipa_));			\
		KTAP_EQ(ipa_, (want));						\
	} while (0)
#define FAULTS(va)								\
	do {									\
		u64 ipa_;							\
										\
		KTAP_TRUE(!armvmm_gva_translate(&mmu, (va), &ipa_));			\
	} while (0)

static void test_off(void)
{
	reset(0, 0, 0);
	mmu.sctlr = 0;
	MAPS(0x12345678, 0x12345678);
}

static void test_short(void)
{
	reset(0, BASE, 0);
	put32(BASE + 4 * 0x123, 0x80000002);			/* section */
	put32(BASE + 4 * 0x124, (BASE + 0x4400) | 1);		/* table */
	put32(BASE + 4 * 0x130, 0x87000002 | 1 << 18 | 3 << 20 | 2 << 5);
	put32(BASE + 0x4400 + 4 * 5, 0x90001000 | 2);		/* small page */
	put32(BASE + 0x4400 + 4 * 6, 0x90002000 | 3);		/* small, never executed */
	put32(BASE + 0x4400 + 4 * 0x13, 0x90100000 | 1);	/* large page */
	MAPS(0x12345678, 0x80045678);
	MAPS(0x12405678, 0x90001678);
	MAPS(0x12406678, 0x90002678);
	MAPS(0x12413678, 0x90103678);
	MAPS(0x130abcde, 0x23870abcdeULL);
	FAULTS(0x12407000);
	FAULTS(0x12500000);
	/* A table at an address without RAM */
	put32(BASE + 4 * 0x126, 0xf0000000 | 1);
	FAULTS(0x12600000);
}

static void test_short_split(void)
{
	/* N = 1: TTBR0 has the lower half, and is 8 KiB. */
	reset(1, BASE, BASE + 0x4000);
	put32(BASE + 4 * 0x7ff, 0x10000002);
	put32(BASE + 0x4000 + 4 * 0x800, 0x20000002);
	MAPS(0x7ff00010, 0x10000010);
	MAPS(0x80000010, 0x20000010);
	mmu.ttbcr |= 1 << 4;
	FAULTS(0x7ff00010);
	MAPS(0x80000010, 0x20000010);
	mmu.ttbcr = 1 | 1 << 5;
	MAPS(0x7ff00010, 0x10000010);
	FAULTS(0x80000010);
}

static void test_big_endian(void)
{
	reset(0, BASE, 0);
	mmu.sctlr |= SCTLR_EE;
	put32(BASE + 4 * 0x123, __builtin_bswap32(0x80000002));
	MAPS(0x12345678, 0x80045678);
}

static void test_long(void)
{
	reset(TTBCR_BIT_EAE, BASE + 0x20, 0);
	put64(BASE + 0x20 + 8 * 0, 0x8040000000ULL);		/* bit 0 clear: invalid */
	put64(BASE + 0x20 + 8 * 1, 0x0100000000ULL | 1);	/* block of 1 GiB */
	put64(BASE + 0x20 + 8 * 2, (BASE + 0x1000) | 3);
	put64(BASE + 0x1000 + 8 * 1, 0x0000200000ULL | 1);	/* block of 2 MiB */
	put64(BASE + 0x1000 + 8 * 2, (BASE + 0x2000) | 3);
	put64(BASE + 0x2000 + 8 * 3, 0xff12345000ULL | 3);	/* page */
	put64(BASE + 0x2000 + 8 * 4, 0x0012345000ULL | 1);	/* reserved */
	MAPS(0x41234567, 0x0101234567ULL);
	MAPS(0x80234567, 0x0000234567ULL);
	MAPS(0x80403abc, 0xff12345abcULL);
	FAULTS(0x80404000);
	FAULTS(0x80600000);
	FAULTS(0x00000000);
	FAULTS(0xc0000000);
}

static void test_long_split(void)
{
	/* T0SZ = 2: 1 GiB from the second level. T1SZ = 0: TTBR1 has the rest. */
	reset(TTBCR_BIT_EAE | 2, BASE + 0x1000, BASE + 0x20);
	put64(BASE + 0x1000 + 8 * 0x1ff, 0x0000600000ULL | 1);
	put64(BASE + 0x20 + 8 * 1, 0x0100000000ULL | 1);
	MAPS(0x3fe00001, 0x600001);
	MAPS(0x40000001, 0x100000001ULL);

	/* Only T1SZ = 1: TTBR1 has the upper half, from the first level. */
	reset(TTBCR_BIT_EAE | 1 << 16, BASE + 0x20, BASE + 0x40);
	put64(BASE + 0x20 + 8 * 1, 0x0040000000ULL | 1);
	put64(BASE + 0x40 + 8 * 0, 0x0100000000ULL | 1);
	MAPS(0x40000001, 0x40000001);
	MAPS(0x80000001, 0x100000001ULL);

	/* Both: neither has the addresses in between. */
	reset(TTBCR_BIT_EAE | 2 | 2 << 16, BASE + 0x1000, BASE + 0x2000);
	put64(BASE + 0x1000, 0x0000600000ULL | 1);
	put64(BASE + 0x2000, 0x0000800000ULL | 1);
	MAPS(0x00000001, 0x600001);
	MAPS(0xc0000001, 0x800001);
	FAULTS(0x40000000);
	FAULTS(0xbfffffff);
	mmu.ttbcr |= 1 << 7;
	FAULTS(0x00000001);
	mmu.ttbcr ^= 1 << 7 | 1 << 23;
	MAPS(0x00000001, 0x600001);
	FAULTS(0xc0000001);
}

/* --- permissions --- */

#define ACCESS(va, write, user, want)						\
	do {									\
		u64 ipa_ = 0;							\
										\
		KTAP_EQ(armvmm_gva_access(&mmu, (va), (write), (user), &ipa_), (want));	\
	} while (0)

/* The rights of AP[2:0] (table B3-8): reads and writes of PL1, then of PL0. */
static const struct { u8 pr, pw, ur, uw; } ap_table[8] = {
	{ 0, 0, 0, 0 }, { 1, 1, 0, 0 }, { 1, 1, 1, 0 }, { 1, 1, 1, 1 },
	{ 0, 0, 0, 0 }, { 1, 0, 0, 0 }, { 1, 0, 1, 0 }, { 1, 0, 1, 0 },
};

static void test_access_short(void)
{
	for (u32 ap = 0; ap < 8; ap++) {
		reset(0, BASE, 0);
		mmu.dacr = 1 << 2 * 5;
		put32(BASE + 4 * 0x123, 0x80000002 | (ap & 3) << 10 | (ap >> 2) << 15 | 5 << 5);
		put32(BASE + 4 * 0x124, (BASE + 0x4400) | 1 | 5 << 5);
		put32(BASE + 0x4400, 0x90001002 | (ap & 3) << 4 | (ap >> 2) << 9);
		put32(BASE + 0x4400 + 4 * 16, 0x90010001 | (ap & 3) << 4 | (ap >> 2) << 9);
		for (u32 k = 0; k < 3; k++) {
			u32 va = k == 0 ? 0x12345678 : k == 1 ? 0x12400000 : 0x12410000;
			u32 fsr = (k ? 0xf : 0xd) | 5 << 4;

			ACCESS(va, false, false, ap_table[ap].pr ? 0 : fsr);
			ACCESS(va, true, false, ap_table[ap].pw ? 0 : fsr | 1 << 11);
			ACCESS(va, false, true, ap_table[ap].ur ? 0 : fsr);
			ACCESS(va, true, true, ap_table[ap].uw ? 0 : fsr | 1 << 11);
		}
		/* A manager is not checked; "no access" always faults. */
		mmu.dacr = 3 << 2 * 5;
		ACCESS(0x12345678, true, true, 0);
		mmu.dacr = ~(3u << 2 * 5);
		ACCESS(0x12345678, false, false, 0x9 | 5 << 4);
		ACCESS(0x12400000, true, false, 0xb | 5 << 4 | 1 << 11);
		/* AP[0] is only the access flag. */
		mmu.dacr = 1 << 2 * 5;
		mmu.sctlr |= SCTLR_AFE;
		if (ap & 1) {
			ACCESS(0x12345678, true, false, ap_table[ap].pw ? 0 : 0x85d);
		} else {
			ACCESS(0x12345678, false, false, 0x3 | 5 << 4);
			ACCESS(0x12400000, false, false, 0x6 | 5 << 4);
		}
	}
	reset(0, BASE, 0);
	mmu.dacr = ~0u;
	put32(BASE + 4 * 0x124, (BASE + 0x4400) | 1 | 7 << 5);
	put32(BASE + 4 * 0x125, 0xf0000000 | 1 | 7 << 5);
	put32(BASE + 4 * 0x130, 0x87000002 | 1 << 18 | 3 << 5);
	ACCESS(0x12300000, false, false, 0x5);
	ACCESS(0x12400000, true, false, 0x7 | 7 << 4 | 1 << 11);
	ACCESS(0x12500000, false, false, 0xe | 7 << 4);
	mmu.dacr = ~3u;
	ACCESS(0x13000000, false, false, 0x9);
	mmu.ttbr0 = 0xf0000000;
	ACCESS(0x12300000, false, false, 0xc);
	mmu.sctlr = 0;
	ACCESS(0x12300000, true, true, 0);
}

#define LPAE	(1 << 9)

static void test_access_long(void)
{
	for (u64 table = 0; table < 4; table++) {
		for (u64 ap = 0; ap < 4; ap++) {
			u32 n = 1 | ap << 1;

			reset(TTBCR_BIT_EAE, BASE, 0);
			put64(BASE + 8, (BASE + 0x1000) | 3 | table << 61);
			put64(BASE + 0x1000, 0x200000 | 1 | 1 << 10 | ap << 6);
			if (table & 1)
				n &= ~2u;
			if (table & 2)
				n |= 4;
			ACCESS(0x40000000, false, false, ap_table[n].pr ? 0 : (LPAE | 0xe));
			ACCESS(0x40000000, true, false,
			       ap_table[n].pw ? 0 : (LPAE | 0xe | 1 << 11));
			ACCESS(0x40000000, false, true, ap_table[n].ur ? 0 : (LPAE | 0xe));
			ACCESS(0x40000000, true, true,
			       ap_table[n].uw ? 0 : (LPAE | 0xe | 1 << 11));
		}
	}
	put64(BASE + 0x1000, 0x200000 | 1 | 1 << 6);
	ACCESS(0x40000000, false, false, LPAE | 0xa);
	put64(BASE + 0x1000, 0);
	ACCESS(0x40000000, false, false, LPAE | 0x6);
	put64(BASE + 8, 0xf0000000 | 3);
	ACCESS(0x40000000, true, false, LPAE | 0x16 | 1 << 11);
	ACCESS(0, false, false, LPAE | 0x5);
}

KTAP_MAIN(KTAP_CASE(test_access_short), KTAP_CASE(test_access_long),
	  KTAP_CASE(test_off), KTAP_CASE(test_short), KTAP_CASE(test_short_split),
	  KTAP_CASE(test_big_endian), KTAP_CASE(test_long), KTAP_CASE(test_long_split))
