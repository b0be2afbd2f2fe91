// SPDX-License-Identifier: GPL-2.0-only
/* Stage 1 as a guest set it up, walked by software. */
#include <linux/kernel.h>
#include <linux/swab.h>
#include <linux/types.h>

#include "archregs.h"
#include "gva.h"

/* TTBCR, short format (B4.1.153) */
#define TTBCR_N(ttbcr)		((ttbcr) & 7)
#define TTBCR_PD0		(1u << 4)
#define TTBCR_PD1		(1u << 5)
/* long format */
#define TTBCR_T0SZ(ttbcr)	((ttbcr) & 7)
#define TTBCR_BIT_EPD0		(1u << 7)
#define TTBCR_T1SZ(ttbcr)	(((ttbcr) >> 16) & 7)
#define TTBCR_BIT_EPD1		(1u << 23)

#define GVA_PA_MASK		0xffffffffffULL	/* 40 bits */

static bool gva_read32(const struct gva_mmu *mmu, u64 ipa, u32 *desc)
{
	if (!mmu->read(mmu->ctx, ipa, desc, sizeof(*desc)))
		return false;
	if (mmu->sctlr & SCTLR_EE)
		*desc = swab32(*desc);
	return true;
}

static bool gva_read64(const struct gva_mmu *mmu, u64 ipa, u64 *desc)
{
	if (!mmu->read(mmu->ctx, ipa, desc, sizeof(*desc)))
		return false;
	if (mmu->sctlr & SCTLR_EE)
		*desc = swab64(*desc);
	return true;
}

/* Second level of the short format: large and small pages, figure B3-5. */
static bool gva_short_page(const struct gva_mmu *mmu, u32 table, u32 va, u64 *ipa)
{
	u32 desc;

	if (!gva_read32(mmu, (table & ~0x3ffu) | (va >> 12 & 0xff) << 2, &desc))
		return false;
	switch (desc & 3) {
	case 0:
		return false;
	case 1:
		*ipa = (desc & ~0xffffu) | (va & 0xffff);
		return true;
	default:
		*ipa = (desc & ~0xfffu) | (va & 0xfff);
		return true;
	}
}

static u64 gva_short_section(u32 desc, u32 va)
{
	if (!(desc & 1u << 18))
		return (desc & ~0xfffffu) | (va & 0xfffff);
	/* A supersection has 40 bits: PA[35:32] in 23:20, PA[39:36] in 8:5. */
	return (u64)(desc >> 5 & 0xf) << 36 | (u64)(desc >> 20 & 0xf) << 32 |
	       (desc & 0xff000000u) | (va & 0xffffff);
}

static bool gva_short(const struct gva_mmu *mmu, u32 va, u64 *ipa)
{
	unsigned int n = TTBCR_N(mmu->ttbcr);
	u32 table, desc;

	if (!n || !(va >> (32 - n))) {
		if (mmu->ttbcr & TTBCR_PD0)
			return false;
		table = (u32)mmu->ttbr0 & ~((1u << (14 - n)) - 1);
		va &= 0xffffffffu >> n;
	} else {
		if (mmu->ttbcr & TTBCR_PD1)
			return false;
		table = (u32)mmu->ttbr1 & ~0x3fffu;
	}
	if (!gva_read32(mmu, table | va >> 20 << 2, &desc))
		return false;
	switch (desc & 3) {
	case 0:
		return false;
	case 1:
		return gva_short_page(mmu, desc, va, ipa);
	default:
		*ipa = gva_short_section(desc, va);
		return true;
	}
}

/* Which of the two tables translates @va, B3.6.4: its base and TxSZ. */
static bool gva_long_table(const struct gva_mmu *mmu, u32 va, u64 *base, unsigned int *size)
{
	unsigned int t0 = TTBCR_T0SZ(mmu->ttbcr), t1 = TTBCR_T1SZ(mmu->ttbcr);

	if (!t0 || !(va >> (32 - t0))) {
		if ((!t0 && t1) && !(~va >> (32 - t1)))
			goto upper;
		*base = mmu->ttbr0 & GVA_PA_MASK;
		*size = t0;
		return !(mmu->ttbcr & TTBCR_BIT_EPD0);
	}
	if (t1 && ~va >> (32 - t1))
		return false;
upper:
	*base = mmu->ttbr1 & GVA_PA_MASK;
	*size = t1;
	return !(mmu->ttbcr & TTBCR_BIT_EPD1);
}

static bool gva_long(const struct gva_mmu *mmu, u32 va, u64 *ipa)
{
	unsigned int size, level, shift, index_bits;
	u64 table, desc;

	if (!gva_long_table(mmu, va, &table, &size))
		return false;

	/* Where one table of the second level spans all, the walk starts there. */
	level = size >= 2 ? 2 : 1;
	shift = level == 1 ? 30 : 21;
	index_bits = 32 - size - shift;
	table &= ~((8ULL << index_bits) - 1);
	for (;;) {
		u32 index = va >> shift & ((1u << index_bits) - 1);

		if (!gva_read64(mmu, table + index * 8, &desc) || !(desc & 1))
			return false;
		if (level == 3 ? !(desc & 2) : false)
			return false;
		if (level == 3 || !(desc & 2)) {
			*ipa = (desc & GVA_PA_MASK & ~((1ULL << shift) - 1)) |
			       (va & ((1u << shift) - 1));
			return true;
		}
		table = desc & GVA_PA_MASK & ~0xfffULL;
		level++;
		shift -= 9;
		index_bits = 9;
	}
}

bool gva_translate(const struct gva_mmu *mmu, u32 va, u64 *ipa)
{
	if (!(mmu->sctlr & SCTLR_M)) {
		*ipa = va;
		return true;
	}
	return mmu->ttbcr & TTBCR_BIT_EAE ? gva_long(mmu, va, ipa) : gva_short(mmu, va, ipa);
}
