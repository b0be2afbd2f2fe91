// SPDX-License-Identifier: GPL-2.0-only
/* Walks a guest's stage 1 tables in software. */
#include <linux/kernel.h>
#include <linux/swab.h>
#include <linux/types.h>

#include "arch/archregs.h"
#include "arch/gva.h"
#include "arch/lpae.h"

/* long format */

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

/* DFSR of faults, short format (table B3-23). Second level faults without a name are two more. */
#define FSR_SHORT_ACCESS_1	0x03u
#define FSR_SHORT_ACCESS_2	0x06u
#define FSR_SHORT_TRANSLATION	0x05u
#define FSR_SHORT_DOMAIN	0x09u
#define FSR_SHORT_PERMISSION	0x0du
#define FSR_SHORT_WALK		0x0cu
#define FSR_DOMAIN(n)		((n) << 4)
/* long format (table B3-24): the level is in the low bits */
#define FSR_LONG(type, level)	(FSR_LPAE | (type) << 2 | (level))
#define FSR_TYPE_TRANSLATION	1u
#define FSR_TYPE_ACCESS		2u
#define FSR_TYPE_PERMISSION	3u
#define FSR_TYPE_WALK		5u

/* The result of a walk: address and permissions. */
struct gva_leaf {
	u64 ipa;
	unsigned int level;
	unsigned int domain;
	unsigned int ap;	/* AP[2:0], as the short format has it (table B3-8) */
	bool accessed;		/* the access flag, where there is one */
};

/* Second level of the short format: large and small pages, figure B3-5. */
static u32 gva_short_page(const struct gva_mmu *mmu, u32 table, u32 va, struct gva_leaf *leaf)
{
	u32 desc;

	leaf->level = 2;
	if (!gva_read32(mmu, (table & ~0x3ffu) | (va >> 12 & 0xff) << 2, &desc))
		return (FSR_SHORT_WALK + 2) | FSR_DOMAIN(leaf->domain);
	leaf->ap = (desc >> 4 & 3) | (desc >> 9 & 1) << 2;
	switch (desc & 3) {
	case 0:
		return (FSR_SHORT_TRANSLATION + 2) | FSR_DOMAIN(leaf->domain);
	case 1:
		leaf->ipa = (desc & ~0xffffu) | (va & 0xffff);
		return 0;
	default:
		leaf->ipa = (desc & ~0xfffu) | (va & 0xfff);
		return 0;
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

static u32 gva_short(const struct gva_mmu *mmu, u32 va, struct gva_leaf *leaf)
{
	unsigned int n = TTBCR_N(mmu->ttbcr);
	u32 table, desc;

	leaf->level = 1;
	if (!n || !(va >> (32 - n))) {
		if (mmu->ttbcr & TTBCR_PD0)
			return FSR_SHORT_TRANSLATION;
		table = (u32)mmu->ttbr0 & ~((1u << (14 - n)) - 1);
		va &= 0xffffffffu >> n;
	} else {
		if (mmu->ttbcr & TTBCR_PD1)
			return FSR_SHORT_TRANSLATION;
		table = (u32)mmu->ttbr1 & ~0x3fffu;
	}
	if (!gva_read32(mmu, table | va >> 20 << 2, &desc))
		return FSR_SHORT_WALK;
	switch (desc & 3) {
	case 0:
		return FSR_SHORT_TRANSLATION;
	case 1:
		leaf->domain = desc >> 5 & 0xf;
		return gva_short_page(mmu, desc, va, leaf);
	default:
		/* A supersection is always in domain 0. */
		leaf->domain = desc & 1u << 18 ? 0 : desc >> 5 & 0xf;
		leaf->ap = (desc >> 10 & 3) | (desc >> 15 & 1) << 2;
		leaf->ipa = gva_short_section(desc, va);
		return 0;
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

/* A table descriptor's APTable limits what all entries below it permit (table B3-9). */
static u32 gva_long_limit(u32 forbid, u64 desc)
{
	return forbid | (u32)(desc >> 61 & 3);
}

static u32 gva_long(const struct gva_mmu *mmu, u32 va, struct gva_leaf *leaf)
{
	unsigned int size, level, shift, index_bits;
	u32 forbid = 0;
	u64 table, desc;

	leaf->level = 1;
	if (!gva_long_table(mmu, va, &table, &size))
		return FSR_LONG(FSR_TYPE_TRANSLATION, 1);

	/* The walk starts at the second level if one table there spans the whole range. */
	level = size >= 2 ? 2 : 1;
	shift = level == 1 ? LPAE_SHIFT(1) : LPAE_SHIFT(2);
	index_bits = 32 - size - shift;
	table &= ~((8ULL << index_bits) - 1);
	for (;;) {
		u32 index = va >> shift & ((1u << index_bits) - 1);

		leaf->level = level;
		if (!gva_read64(mmu, table + index * 8, &desc))
			return FSR_LONG(FSR_TYPE_WALK, level);
		if (!(desc & LPAE_VALID) || (level == 3 && !(desc & 2)))
			return FSR_LONG(FSR_TYPE_TRANSLATION, level);
		if (level == 3 || !(desc & 2))
			break;
		forbid = gva_long_limit(forbid, desc);
		table = desc & LPAE_ADDR_MASK;
		level++;
		shift -= LPAE_LEVEL_BITS;
		index_bits = LPAE_LEVEL_BITS;
	}
	leaf->ipa = (desc & GVA_PA_MASK & ~((1ULL << shift) - 1)) | (va & ((1u << shift) - 1));
	leaf->accessed = !!(desc & LPAE_AF);
	/* AP[2:1] is in bits 7:6; APTable may take PL0's access or writes away. */
	leaf->ap = 1 | (u32)(desc >> 6 & 3) << 1;
	if (forbid & 1)
		leaf->ap &= ~2u;
	if (forbid & 2)
		leaf->ap |= 4;
	return 0;
}

static u32 gva_walk(const struct gva_mmu *mmu, u32 va, struct gva_leaf *leaf)
{
	*leaf = (struct gva_leaf) { .ipa = va };
	return mmu->ttbcr & TTBCR_BIT_EAE ? gva_long(mmu, va, leaf) : gva_short(mmu, va, leaf);
}

bool armvmm_gva_translate(const struct gva_mmu *mmu, u32 va, u64 *ipa)
{
	struct gva_leaf leaf;

	*ipa = va;
	if (!(mmu->sctlr & SCTLR_M))
		return true;
	if (gva_walk(mmu, va, &leaf))
		return false;
	*ipa = leaf.ipa;
	return true;
}

/* True if AP[2:0] permits the access (table B3-8). */
static bool gva_permits(unsigned int ap, bool write, bool user)
{
	switch (ap) {
	case 1:
		return !user;
	case 2:
		return !user || !write;
	case 3:
		return true;
	case 5:
		return !user && !write;
	case 6:
	case 7:
		return !write;
	default:
		return false;
	}
}

/* B3.7, B3.8: checks the access flag, then the domain, then the permissions. */
static u32 gva_check(const struct gva_mmu *mmu, const struct gva_leaf *leaf, bool write, bool user)
{
	bool second = leaf->level == 2;
	u32 domain = FSR_DOMAIN(leaf->domain), ap = leaf->ap;

	if (mmu->ttbcr & TTBCR_BIT_EAE) {
		if (!leaf->accessed)
			return FSR_LONG(FSR_TYPE_ACCESS, leaf->level);
		return gva_permits(ap, write, user) ? 0 :
						      FSR_LONG(FSR_TYPE_PERMISSION, leaf->level);
	}
	if (mmu->sctlr & SCTLR_AFE) {
		if (!(ap & 1))
			return (second ? FSR_SHORT_ACCESS_2 : FSR_SHORT_ACCESS_1) | domain;
	}
	switch (mmu->dacr >> 2 * leaf->domain & 3) {
	case 1:
		if (gva_permits(ap, write, user))
			return 0;
		return (FSR_SHORT_PERMISSION + 2 * second) | domain;
	case 3:
		return 0;
	default:
		return (FSR_SHORT_DOMAIN + 2 * second) | domain;
	}
}

u32 armvmm_gva_access(const struct gva_mmu *mmu, u32 va, bool write, bool user, u64 *ipa)
{
	struct gva_leaf leaf;
	u32 fsr;

	*ipa = va;
	if (!(mmu->sctlr & SCTLR_M))
		return 0;
	fsr = gva_walk(mmu, va, &leaf);
	if (!fsr)
		fsr = gva_check(mmu, &leaf, write, user);
	if (fsr)
		return fsr | (write ? DFSR_WNR : 0);
	*ipa = leaf.ipa;
	return 0;
}
