// SPDX-License-Identifier: GPL-2.0-only
#include <endian.h>

#include "arch/archregs.h"
#include "gdb/walk.h"

#define WALK_GPA	0xffffffffffull		/* 40 bits of a physical address */

/* SCTLR.EE: the tables are big-endian (B3.12.2). */
static bool walk_read32(const struct walk *walk, uint64_t gpa, uint32_t *desc)
{
	if (!walk->read(walk->opaque, gpa, desc, sizeof(*desc)))
		return false;
	*desc = walk->sctlr & SCTLR_EE ? be32toh(*desc) : le32toh(*desc);
	return true;
}

static bool walk_read64(const struct walk *walk, uint64_t gpa, uint64_t *desc)
{
	if (!walk->read(walk->opaque, gpa, desc, sizeof(*desc)))
		return false;
	*desc = walk->sctlr & SCTLR_EE ? be64toh(*desc) : le64toh(*desc);
	return true;
}

/* ---- Short descriptors, B3.5 ---- */

/* A large page has its number in bits 31-16, a small one in bits 31-12 (figure B3-5). */
static bool walk_short_page(const struct walk *walk, uint32_t table, uint32_t va, uint64_t *gpa)
{
	uint32_t desc, offset;

	if (!walk_read32(walk, (table & ~0x3ffu) | (va >> 12 & 0xff) * 4, &desc) || !(desc & 3))
		return false;
	offset = desc & 2 ? 0xfff : 0xffff;
	*gpa = (desc & ~offset) | (va & offset);
	return true;
}

/* A section, or, with bit 18, a supersection, whose address has 40 bits (figure B3-4). */
static uint64_t walk_short_section(uint32_t desc, uint32_t va)
{
	if (!(desc >> 18 & 1))
		return (desc & 0xfff00000) | (va & 0xfffff);
	return (uint64_t)(desc >> 5 & 0xf) << 36 | (uint64_t)(desc >> 20 & 0xf) << 32 |
	       (desc & 0xff000000) | (va & 0xffffff);
}

/* TTBR0 translates the addresses whose first N bits are zero, TTBR1 all others (B3.5.4). */
static bool walk_short(const struct walk *walk, uint32_t va, uint64_t *gpa)
{
	unsigned int n = TTBCR_N(walk->ttbcr);
	bool low = !n || !(va >> (32 - n));
	uint32_t table, desc;

	if (walk->ttbcr & (low ? TTBCR_PD0 : TTBCR_PD1))
		return false;
	table = low ? (uint32_t)walk->ttbr0 >> (14 - n) << (14 - n) :
		      (uint32_t)walk->ttbr1 & ~0x3fffu;
	if (!walk_read32(walk, table | (va >> 20) * 4, &desc))
		return false;
	switch (desc & 3) {
	case 0:
		return false;
	case 1:
		return walk_short_page(walk, desc, va, gpa);
	default:
		*gpa = walk_short_section(desc, va);
		return true;
	}
}

/* ---- Long descriptors, B3.6 ---- */

/*
 * Finds the table for @va, and the number of leading bits that it does not translate. TTBR0 has the
 * addresses whose first T0SZ bits are zero. TTBR1 has those whose first T1SZ bits are ones, or, if
 * T1SZ is zero, all others (B3.6.4). False: neither has @va.
 */
static bool walk_long_table(const struct walk *walk, uint32_t va, uint64_t *table,
			    unsigned int *size)
{
	unsigned int t0 = TTBCR_T0SZ(walk->ttbcr), t1 = TTBCR_T1SZ(walk->ttbcr);
	bool in0 = !t0 || !(va >> (32 - t0));
	bool in1 = t1 ? !(~va >> (32 - t1)) : !in0;

	if (!in0 && !in1)
		return false;
	/* If T0SZ alone is zero, both have it: then TTBR1 translates it. */
	*table = (in1 ? walk->ttbr1 : walk->ttbr0) & WALK_GPA;
	*size = in1 ? t1 : t0;
	return !(walk->ttbcr & (in1 ? TTBCR_BIT_EPD1 : TTBCR_BIT_EPD0));
}

static bool walk_long(const struct walk *walk, uint32_t va, uint64_t *gpa)
{
	unsigned int size, shift, bits;
	uint64_t table, desc;

	if (!walk_long_table(walk, va, &table, &size))
		return false;
	/* If one table of the second level spans all, there is no first level. */
	shift = size >= 2 ? 21 : 30;
	bits = 32 - size - shift;
	table &= ~((8ull << bits) - 1);
	for (;; shift -= 9, bits = 9) {
		if (!walk_read64(walk, table + (va >> shift & ((1u << bits) - 1)) * 8, &desc))
			return false;
		/* Bit 1: a table, or, in the last level, a page. */
		if (!(desc & 1) || (shift == 12 && !(desc & 2)))
			return false;
		if (shift == 12 || !(desc & 2))
			break;
		table = desc & WALK_GPA & ~0xfffull;
	}
	*gpa = (desc & WALK_GPA) >> shift << shift | (va & ((1u << shift) - 1));
	return true;
}

bool walk_address(const struct walk *walk, uint32_t va, uint64_t *gpa)
{
	if (!(walk->sctlr & SCTLR_M)) {
		*gpa = va;
		return true;
	}
	return walk->ttbcr & TTBCR_BIT_EAE ? walk_long(walk, va, gpa) : walk_short(walk, va, gpa);
}
