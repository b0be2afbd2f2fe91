// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "gdb/points.h"

/* DBGBCR and DBGWCR (DDI 0406C C11.11.2, C11.11.44): enabled, in PL0 and PL1. */
#define POINTS_ON		7u
#define POINTS_BAS(mask)	((uint32_t)(mask) << 5)
#define POINTS_LOAD		(1u << 3)
#define POINTS_STORE		(2u << 3)
#define POINTS_MASK(bits)	((uint32_t)(bits) << 24)

/* BKPT #0 (A8.8.24). Instructions are little-endian, even if data is not (A3.3.1). */
static const uint8_t points_bkpt_arm[4] = { 0x70, 0x00, 0x20, 0xe1 };
static const uint8_t points_bkpt_thumb[2] = { 0x00, 0xbe };

static const uint8_t *points_bkpt(const struct point_soft *s)
{
	return s->size == 4 ? points_bkpt_arm : points_bkpt_thumb;
}

/* ---- BKPTs in memory ---- */

/* Returns its place in RAM, if the guest has left the BKPT there; else NULL. */
static uint8_t *points_in_place(const struct target *target, const struct point_soft *s)
{
	uint8_t *ram = target_ram(target, s->gpa, s->size);

	return ram && !memcmp(ram, points_bkpt(s), s->size) ? ram : NULL;
}

static void points_put(const struct target *target, struct point_soft *s)
{
	uint8_t *ram = target_ram(target, s->gpa, s->size);

	if (!ram)
		return;
	memcpy(s->saved, ram, s->size);
	target_write(target, ram, points_bkpt(s), s->size);
}

static void points_take(const struct target *target, const struct point_soft *s)
{
	uint8_t *ram = points_in_place(target, s);

	if (ram)
		target_write(target, ram, s->saved, s->size);
}

static bool points_overlaps(const struct point_soft *s, uint64_t gpa, uint32_t len)
{
	return s->gpa < gpa + len && gpa < s->gpa + s->size;
}

int points_add_soft(struct points *points, const struct target *target, uint32_t va, uint64_t gpa,
		    uint32_t kind)
{
	struct point_soft s = { .va = va, .gpa = gpa, .size = kind == 4 ? 4 : 2 };

	if (kind < 2 || kind > 4 || va & (s.size - 1))
		return -EINVAL;
	if (!target_ram(target, gpa, s.size))
		return -EFAULT;
	for (unsigned int i = 0; i < points->nr_soft; i++) {
		if (points->soft[i].gpa == gpa && points->soft[i].va == va &&
		    points->soft[i].size == s.size)
			return 0;
		/* If two overlap, the second would save a part of the first. */
		if (points_overlaps(&points->soft[i], gpa, s.size))
			return -EINVAL;
	}
	if (points->nr_soft == POINTS_MAX_SOFT)
		return -ENOSPC;
	points_put(target, &s);
	points->soft[points->nr_soft++] = s;
	return 0;
}

int points_del_soft(struct points *points, const struct target *target, uint32_t va)
{
	bool found = false;

	/* Remove also those that were put there for other processes of the guest. */
	for (unsigned int i = 0; i < points->nr_soft;) {
		if (points->soft[i].va != va) {
			i++;
			continue;
		}
		points_take(target, &points->soft[i]);
		points->soft[i] = points->soft[--points->nr_soft];
		found = true;
	}
	return found ? 0 : -ENOENT;
}

void points_replace(struct points *points, const struct target *target)
{
	for (unsigned int i = 0; i < points->nr_soft; i++) {
		struct point_soft *s = &points->soft[i];
		const uint8_t *ram = target_ram(target, s->gpa, s->size);

		if (ram && !memcmp(ram, s->saved, s->size))
			points_put(target, s);
	}
}

void points_read_ram(const struct points *points, const struct target *target, uint64_t gpa,
		     void *buf, uint32_t len)
{
	memcpy(buf, target_ram(target, gpa, len), len);
	for (unsigned int i = 0; i < points->nr_soft; i++) {
		const struct point_soft *s = &points->soft[i];

		if (!points_overlaps(s, gpa, len) || !points_in_place(target, s))
			continue;
		for (unsigned int b = 0; b < s->size; b++)
			if (s->gpa + b >= gpa && s->gpa + b < gpa + len)
				((uint8_t *)buf)[s->gpa + b - gpa] = s->saved[b];
	}
}

void points_write_ram(struct points *points, const struct target *target, uint64_t gpa,
		      const void *buf, uint32_t len)
{
	bool lifted[POINTS_MAX_SOFT];

	for (unsigned int i = 0; i < points->nr_soft; i++) {
		lifted[i] = points_overlaps(&points->soft[i], gpa, len) &&
			    points_in_place(target, &points->soft[i]);
		if (lifted[i])
			points_take(target, &points->soft[i]);
	}
	target_write(target, target_ram(target, gpa, len), buf, len);
	for (unsigned int i = 0; i < points->nr_soft; i++)
		if (lifted[i])
			points_put(target, &points->soft[i]);
}

bool points_has_soft(const struct points *points, uint64_t gpa)
{
	for (unsigned int i = 0; i < points->nr_soft; i++)
		if (points->soft[i].gpa == gpa)
			return true;
	return false;
}

bool points_has_copy(struct points *points, const struct target *target, uint32_t va,
		     uint64_t gpa)
{
	struct point_soft copy;

	for (unsigned int i = 0; i < points->nr_soft; i++) {
		if (points->soft[i].va != va)
			continue;
		copy = points->soft[i];
		copy.gpa = gpa;
		if (!points_in_place(target, &copy))
			continue;
		if (points->nr_soft < POINTS_MAX_SOFT)
			points->soft[points->nr_soft++] = copy;
		return true;
	}
	return false;
}

/* ---- Breakpoints and watchpoints of the CPU ---- */

/* Up to 8 bytes within a doubleword, or from 8 on a naturally aligned power of two. */
static bool points_watchable(uint32_t va, uint32_t len)
{
	if (!len)
		return false;
	if (len <= 8)
		return (va & 7) + len <= 8;
	return !(len & (len - 1)) && len <= 1u << 31 && !(va & (len - 1));
}

static bool points_fits(enum point_type type, uint32_t va, uint32_t len)
{
	switch (type) {
	case POINT_HARD:
		return (len == 4 && !(va & 3)) || ((len == 2 || len == 3) && !(va & 1));
	case POINT_WRITE:
	case POINT_READ:
	case POINT_ACCESS:
		return points_watchable(va, len);
	default:
		return false;
	}
}

/* Returns the list of points of such a type, and its length. */
static struct point_hard *points_list(struct points *points, enum point_type type,
				      unsigned int **nr)
{
	*nr = type == POINT_HARD ? &points->nr_break : &points->nr_watch;
	return type == POINT_HARD ? points->breakpoint : points->watchpoint;
}

static struct point_hard *points_find(struct points *points, enum point_type type, uint32_t va,
				      uint32_t len)
{
	unsigned int *nr;
	struct point_hard *list = points_list(points, type, &nr);

	for (unsigned int i = 0; i < *nr; i++)
		if (list[i].type == type && list[i].va == va && list[i].len == len)
			return &list[i];
	return NULL;
}

int points_add_hard(struct points *points, enum point_type type, uint32_t va, uint32_t len,
		    unsigned int max)
{
	unsigned int *nr;
	struct point_hard *list = points_list(points, type, &nr);

	if (!points_fits(type, va, len))
		return -EINVAL;
	if (points_find(points, type, va, len))
		return 0;
	if (*nr == max || *nr == POINTS_MAX_HARD)
		return -ENOSPC;
	list[(*nr)++] = (struct point_hard){ .type = type, .va = va, .len = len };
	return 0;
}

int points_del_hard(struct points *points, enum point_type type, uint32_t va, uint32_t len)
{
	unsigned int *nr;
	struct point_hard *list = points_list(points, type, &nr);
	struct point_hard *found = points_find(points, type, va, len);

	if (!found)
		return -ENOENT;
	*found = list[--*nr];
	return 0;
}

void points_clear(struct points *points, const struct target *target)
{
	for (unsigned int i = 0; i < points->nr_soft; i++)
		points_take(target, &points->soft[i]);
	points->nr_soft = points->nr_break = points->nr_watch = 0;
}

/*
 * DFAR's address may be that of an instruction's first access (LDM), below the bytes that are
 * watched. Then the next watchpoint above was hit.
 */
const struct point_hard *points_watched(const struct points *points, uint32_t va, bool is_write)
{
	const struct point_hard *best = NULL;
	uint32_t nearest = UINT32_MAX;

	for (unsigned int i = 0; i < points->nr_watch; i++) {
		const struct point_hard *w = &points->watchpoint[i];
		uint32_t away = va - w->va < w->len ? 0 : w->va - va;

		if (w->type == (is_write ? POINT_READ : POINT_WRITE))
			continue;
		if (!best || away < nearest) {
			best = w;
			nearest = away;
		}
	}
	return best;
}

static uint32_t points_bcr(const struct point_hard *b)
{
	if (b->len == 4)
		return POINTS_ON | POINTS_BAS(0xf);
	return POINTS_ON | POINTS_BAS(b->va & 2 ? 0xc : 0x3);
}

static uint32_t points_wcr(const struct point_hard *w)
{
	uint32_t wcr = POINTS_ON;

	if (w->type != POINT_WRITE)
		wcr |= POINTS_LOAD;
	if (w->type != POINT_READ)
		wcr |= POINTS_STORE;
	if (w->len <= 8)
		return wcr | POINTS_BAS(((1u << w->len) - 1) << (w->va & 7));
	return wcr | POINTS_BAS(0xff) | POINTS_MASK(__builtin_ctz(w->len));
}

bool points_regs(const struct points *points, struct armvmm_debug_regs *regs)
{
	memset(regs, 0, sizeof(*regs));
	for (unsigned int i = 0; i < points->nr_break; i++) {
		regs->bvr[i] = points->breakpoint[i].va & ~3u;
		regs->bcr[i] = points_bcr(&points->breakpoint[i]);
	}
	for (unsigned int i = 0; i < points->nr_watch; i++) {
		regs->wvr[i] = points->watchpoint[i].va & ~7u;
		regs->wcr[i] = points_wcr(&points->watchpoint[i]);
	}
	return points->nr_break || points->nr_watch;
}
