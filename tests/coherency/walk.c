// SPDX-License-Identifier: GPL-2.0-only
/* Walks the tables in memory (DDI 0406C B3.5, B3.6) for addresses and memory types. */
#include <string.h>

#include "machine.h"
#include "sysregs.h"

#define DESC_ADDR	0xfffffff000ull

struct walk {
	uint64_t pa;
	bool cached;
};

/* Walks long descriptors, of HYP or stage 2, beginning with a table of @level. */
static bool walk_long(struct machine *m, uint64_t table, unsigned int level, uint64_t va,
		      uint64_t *desc, unsigned int *shift)
{
	for (;; level++) {
		*shift = 12 + 9 * (3 - level);
		*desc = machine_read64(m, table + ((va >> *shift) & (level == 1 ? 1023 : 511)) * 8);
		if (!(*desc & 1) || (level == 3 && !(*desc & 2)))
			return false;
		if (level == 3 || !(*desc & 2))
			return true;
		table = *desc & DESC_ADDR;
	}
}

static uint64_t walk_long_pa(uint64_t desc, unsigned int shift, uint64_t va)
{
	uint64_t low = (1ull << shift) - 1;

	return (desc & DESC_ADDR & ~low) | (va & low);
}

static bool walk_stage2(struct machine *m, const struct cpu *c, uint64_t ipa, struct walk *w)
{
	unsigned int shift;
	uint64_t desc;

	if (!walk_long(m, c->vttbr & VTTBR_BADDR, 1, ipa & 0xffffffffffull, &desc, &shift))
		return false;
	w->pa = walk_long_pa(desc, shift, ipa);
	w->cached = (desc >> 2 & 0xf) == 0xf;	/* Normal, write-back inside and outside */
	return true;
}

/* The physical address of a table of stage 1: a guest's goes through stage 2. */
static bool walk_table(struct machine *m, const struct cpu *c, uint64_t ipa, uint64_t *pa)
{
	struct walk w;

	if (c->world != WORLD_GUEST) {
		*pa = ipa;
		return true;
	}
	if (!walk_stage2(m, c, ipa, &w))
		return false;
	*pa = w.pa;
	return true;
}

/* Do TEX, C and B mean inner write-back or write-through (B3.8.2; B3.8.3 with SCTLR.TRE)? */
static bool walk_short_cached(const struct cpu *c, unsigned int tex, unsigned int cb)
{
	unsigned int n = (tex & 1) << 2 | cb;

	if (c->sctlr & SCTLR_TRE)
		return (c->prrr >> 2 * n & 3) == 2 && (c->nmrr >> 2 * n & 3);
	if (tex & 4)
		return cb;
	return tex == 0 ? cb >= 2 : tex == 1 && cb == 3;
}

static bool walk_short(struct machine *m, const struct cpu *c, uint32_t va, struct walk *w)
{
	unsigned int n = c->ttbcr & 7;
	bool high = n && va >> (32 - n);
	uint64_t base = high ? c->ttbr1 & 0xffffc000 : c->ttbr0 & (0xffffffff << (14 - n));
	uint32_t index = high || !n ? va >> 20 : (va & (0xffffffff >> n)) >> 20;
	uint64_t pa;
	uint32_t d;

	if (!walk_table(m, c, base + index * 4, &pa))
		return false;
	d = machine_read32(m, pa);
	if ((d & 3) == 1) {
		if (!walk_table(m, c, (d & 0xfffffc00) + (va >> 12 & 0xff) * 4, &pa))
			return false;
		d = machine_read32(m, pa);
		if (d & 2) {
			w->pa = (d & 0xfffff000) | (va & 0xfff);
			w->cached = walk_short_cached(c, d >> 6 & 7, d >> 2 & 3);
			return true;
		}
		if (!(d & 1))
			return false;
		w->pa = (d & 0xffff0000) | (va & 0xffff);
		w->cached = walk_short_cached(c, d >> 12 & 7, d >> 2 & 3);
		return true;
	}
	if (!(d & 2))
		return false;
	if (d & 1 << 18)
		w->pa = (uint64_t)(d >> 20 & 0xf) << 32 | (uint64_t)(d >> 5 & 0xf) << 36 |
			(d & 0xff000000) | (va & 0xffffff);
	else
		w->pa = (d & 0xfff00000) | (va & 0xfffff);
	w->cached = walk_short_cached(c, d >> 12 & 7, d >> 2 & 3);
	return true;
}

/* The long format at PL1: two or three levels, by T0SZ and T1SZ (B3.6.5). */
static bool walk_lpae(struct machine *m, const struct cpu *c, uint32_t va, struct walk *w)
{
	unsigned int t0 = c->ttbcr & 7, t1 = c->ttbcr >> 16 & 7, size, level, shift;
	bool high = t1 ? va >> (32 - t1) == (1u << t1) - 1 : t0 && va >> (32 - t0);
	uint64_t table = (high ? c->ttbr1 : c->ttbr0) & 0xffffffffffull, desc, pa, off = va, attr;

	size = high ? t1 : t0;
	if (size)
		off &= 0xffffffffu >> size;
	level = size < 2 ? 1 : 2;
	table &= ~0x1full;
	for (;; level++) {
		shift = 12 + 9 * (3 - level);
		if (!walk_table(m, c, table + ((off >> shift) & 511) * 8, &pa))
			return false;
		desc = machine_read64(m, pa);
		if (!(desc & 1) || (level == 3 && !(desc & 2)))
			return false;
		if (level == 3 || !(desc & 2))
			break;
		table = desc & DESC_ADDR;
	}
	w->pa = walk_long_pa(desc, shift, va);
	attr = ((uint64_t)c->nmrr << 32 | c->prrr) >> 8 * (desc >> 2 & 7) & 0xff;
	/* MAIR (B4.1.104): Normal, and inner not Non-cacheable */
	w->cached = attr >> 4 && (attr & 0xf) != 4;
	return true;
}

static bool walk_stage1(struct machine *m, const struct cpu *c, uint32_t va, struct walk *w)
{
	if (!(c->sctlr & SCTLR_M)) {
		w->pa = va;
		w->cached = false;
		return true;
	}
	return c->ttbcr & TTBCR_EAE ? walk_lpae(m, c, va, w) : walk_short(m, c, va, w);
}

/* Finds the physical address of @va in the CPU's current address space. */
bool walk_va(struct machine *m, unsigned int cpu, uint32_t va, uint64_t *pa)
{
	struct cpu *c = &m->cpus[cpu];
	struct walk w, w2;
	unsigned int shift;
	uint64_t desc;

	if (c->world == WORLD_HYP) {
		if (!(c->hsctlr & SCTLR_M)) {
			*pa = va;
			return true;
		}
		if (!walk_long(m, c->httbr & VTTBR_BADDR, 1, va, &desc, &shift))
			return false;
		*pa = walk_long_pa(desc, shift, va);
		return true;
	}
	if (!walk_stage1(m, c, va, &w))
		return false;
	if (c->world == WORLD_GUEST) {
		if (!walk_stage2(m, c, w.pa, &w2))
			return false;
		w.pa = w2.pa;
	}
	*pa = w.pa;
	return true;
}

void walk_forget(struct machine *m, unsigned int cpu)
{
	memset(m->cpus[cpu].attr_va, 0, sizeof(m->cpus[cpu].attr_va));
}

/*
 * Does a guest whose caches are on access @va through them? If the walk fails, the tables have
 * changed since the access; then it counts as cached.
 */
bool walk_cached(struct machine *m, unsigned int cpu, uint32_t va)
{
	struct cpu *c = &m->cpus[cpu];
	uint32_t page = va >> 12 | 1u << 31;
	unsigned int slot = (va >> 12) % 256;
	struct walk w, w2;

	if (c->attr_va[slot] != page) {
			c->attr_va[slot] = page;
		c->attr_cached[slot] = !walk_stage1(m, c, va, &w) ||
				       (w.cached && (!walk_stage2(m, c, w.pa, &w2) || w2.cached));
	}
	return c->attr_cached[slot];
}
