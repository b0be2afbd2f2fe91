// SPDX-License-Identifier: GPL-2.0-only
// cflags: -Itests/unit/fake -Idriver
/* Stage-2 descriptors and index arithmetic. */
#include "ktap.h"

#include "mem/stage2_index.h"

static void test_index(void)
{
	KTAP_EQ(stage2_index(0, 1), 0);
	KTAP_EQ(stage2_index(0xffffffffffULL, 1), 1023);
	KTAP_EQ(stage2_index(0x8000000000ULL, 1), 512);	/* second of the concatenated tables */
	KTAP_EQ(stage2_index(0x40000000, 1), 1);
	KTAP_EQ(stage2_index(0x3fffffff, 1), 0);
	KTAP_EQ(stage2_index(0x3fffffff, 2), 511);
	KTAP_EQ(stage2_index(0x3fffffff, 3), 511);
	KTAP_EQ(stage2_index(0x40200000, 2), 1);
	KTAP_EQ(stage2_index(0x40201000, 3), 1);
	KTAP_EQ(stage2_index(0x40200fff, 3), 0);
	KTAP_EQ(stage2_size(3), 0x1000);
	KTAP_EQ(stage2_size(2), 0x200000);
	KTAP_EQ(stage2_size(1), 0x40000000);
}

/* The three indices and the offset make up the address again. */
static void test_index_whole(void)
{
	for (u64 ipa = 0x123456789aULL, i = 0; i < 10000;
	     i++, ipa = ipa * 6364136223846793005ULL + 1) {
		u64 a = ipa & (STAGE2_IPA_SIZE - 1);

		KTAP_EQ((u64)stage2_index(a, 1) << 30 | (u64)stage2_index(a, 2) << 21 |
			(u64)stage2_index(a, 3) << 12 | (a & 0xfff), a);
	}
}

static void test_next(void)
{
	KTAP_EQ(stage2_next(0, 0x1000, 3), 0x1000);
	KTAP_EQ(stage2_next(0x1fffff, 0x1000000, 2), 0x200000);
	KTAP_EQ(stage2_next(0x200000, 0x1000000, 2), 0x400000);
	KTAP_EQ(stage2_next(0x200000, 0x300000, 2), 0x300000);
	KTAP_EQ(stage2_next(0xffc0000000ULL, STAGE2_IPA_SIZE, 1), STAGE2_IPA_SIZE);
}

static void test_leaf(void)
{
	/* DDI 0406C B3.6.1: block 01, page 11; B3.6.2: attributes. */
	u64 leaf = stage2_leaf(0x1234567000ULL, 3, LPAE_S2_ATTR_WB, true, true);

	/* A page that the guest may write is marked so for good, by a software bit. */
	KTAP_EQ(leaf, 0x1234567000ULL | 3 | 0xf << 2 | 3 << 6 | 1 << 10 | 1ULL << 55);
	leaf = stage2_leaf(0x80200000, 2, LPAE_S2_ATTR_WB, false, false);
	KTAP_EQ(leaf, 0x80200000ULL | 1 | 0xf << 2 | 1 << 6 | 1 << 10 | 1ULL << 54);
	leaf = stage2_leaf(0x08040000, 3, LPAE_S2_ATTR_DEVICE, true, false);
	KTAP_EQ(leaf, 0x08040000ULL | 3 | 1 << 2 | 3 << 6 | 1 << 10 | 3ULL << 54);
	KTAP_TRUE(stage2_is_block(stage2_leaf(0, 2, LPAE_S2_ATTR_WB, true, true)));
	KTAP_TRUE(!stage2_is_table(stage2_leaf(0, 2, LPAE_S2_ATTR_WB, true, true)));
	KTAP_TRUE(!stage2_is_block(0) && !stage2_is_table(0));
	KTAP_EQ(stage2_addr(leaf), 0x08040000);
	/* Memory is shareable as for the host; devices have no such bits. */
	KTAP_EQ(stage2_share(leaf, LPAE_SH_INNER), leaf);
	leaf = stage2_leaf(0x1000, 3, LPAE_S2_ATTR_WB, true, true);
	KTAP_EQ(stage2_share(leaf, LPAE_SH_INNER), leaf | 3 << 8);
	KTAP_EQ(stage2_share(leaf, 0), leaf);
	leaf = stage2_leaf(0x200000, 2, LPAE_S2_ATTR_NC, true, false);
	KTAP_EQ(stage2_share(leaf, LPAE_SH_INNER), leaf | 3 << 8);
}

static void test_vtcr(void)
{
	int t0sz = STAGE2_VTCR & 0xf;

	if (t0sz & 8)
		t0sz -= 16;
	/* DDI 0406C B4.1.159: 40 bits of input; S is T0SZ's sign. */
	KTAP_EQ(32 - t0sz, STAGE2_IPA_BITS);
	KTAP_EQ(STAGE2_VTCR >> 4 & 1, STAGE2_VTCR >> 3 & 1);
	/* A walk that starts at level 1 (SL0 = 1), and BADDR's alignment 2^(5 - T0SZ). */
	KTAP_EQ(STAGE2_VTCR >> 6 & 3, 1);
	KTAP_EQ(STAGE2_VTTBR_ALIGN, 1ULL << (5 - t0sz));
	KTAP_EQ(STAGE2_PGD_SIZE, STAGE2_VTTBR_ALIGN);
	KTAP_EQ(STAGE2_VTCR >> 8 & 3, 1);
	KTAP_EQ(STAGE2_VTCR >> 10 & 3, 1);
	KTAP_EQ(STAGE2_VTCR >> 12 & 3, 0);
	KTAP_EQ(TCR_SH0_INNER, 3 << 12);
}

static void test_split(void)
{
	u64 block = stage2_leaf(0x80200000, 2, LPAE_S2_ATTR_WB, false, true);

	for (unsigned int i = 0; i < LPAE_TABLE_ENTRIES; i++)
		KTAP_EQ(stage2_split_leaf(block, i),
			stage2_leaf(0x80200000 + i * 0x1000, 3, LPAE_S2_ATTR_WB, false, true));
}

static void test_perm_union(void)
{
	u64 ro = stage2_leaf(0x1000, 3, LPAE_S2_ATTR_WB, false, false);
	u64 rw = stage2_leaf(0x1000, 3, LPAE_S2_ATTR_WB, true, false);
	u64 rx = stage2_leaf(0x1000, 3, LPAE_S2_ATTR_WB, false, true);
	u64 rwx = stage2_leaf(0x1000, 3, LPAE_S2_ATTR_WB, true, true);

	KTAP_EQ(stage2_perm_union(ro, ro), ro);
	KTAP_EQ(stage2_perm_union(ro, rw), rw);
	KTAP_EQ(stage2_perm_union(rw, ro), rw);
	KTAP_EQ(stage2_perm_union(rw, rx), rwx);
	KTAP_EQ(stage2_perm_union(rx, rw), rwx);
	KTAP_EQ(stage2_perm_union(ro & ~LPAE_AF, ro), ro);
	KTAP_TRUE(stage2_same_but_perm(ro, rwx));
	KTAP_TRUE(!stage2_same_but_perm(ro, stage2_leaf(0x2000, 3, LPAE_S2_ATTR_WB, false, false)));
	KTAP_TRUE(!stage2_same_but_perm(ro, stage2_leaf(0x1000, 3, LPAE_S2_ATTR_NC, false, false)));
	KTAP_TRUE(!stage2_same_but_perm(ro, stage2_leaf(0x1000, 2, LPAE_S2_ATTR_WB, false, false)));
	KTAP_TRUE(!stage2_same_but_perm(ro, 0));
}

static void test_block_fits(void)
{
	u64 slot = 0x40000000, size = 0x8000000;

	KTAP_TRUE(stage2_block_fits(0x40000000, 0xb0000000, slot, size));
	KTAP_TRUE(stage2_block_fits(0x401ff000, 0xb01ff000, slot, size));
	KTAP_TRUE(stage2_block_fits(0x47e00000, 0xb7e00000, slot, size));
	/* Guest and host addresses that are not congruent modulo 2 MiB. */
	KTAP_TRUE(!stage2_block_fits(0x40000000, 0xb0001000, slot, size));
	KTAP_TRUE(!stage2_block_fits(0x40100000, 0xb0000000, slot, size));
	/* Blocks that begin before the slot or end after it. */
	KTAP_TRUE(!stage2_block_fits(0x40100000, 0xb0100000, 0x40100000, size));
	KTAP_TRUE(stage2_block_fits(0x40200000, 0xb0200000, 0x40100000, size));
	KTAP_TRUE(!stage2_block_fits(0x47e00000, 0xb7e00000, slot, size - 0x1000));
	KTAP_TRUE(!stage2_block_fits(0x48000000, 0xb8000000, slot, size));
	/* The last 2 MiB of the IPA space. */
	KTAP_TRUE(stage2_block_fits(STAGE2_IPA_SIZE - 0x1000, 0xb01ff000,
				    STAGE2_IPA_SIZE - 0x200000, 0x200000));
}

KTAP_MAIN(KTAP_CASE(test_index), KTAP_CASE(test_index_whole), KTAP_CASE(test_next),
	  KTAP_CASE(test_leaf), KTAP_CASE(test_vtcr), KTAP_CASE(test_split),
	  KTAP_CASE(test_perm_union), KTAP_CASE(test_block_fits))
