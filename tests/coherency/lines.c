// SPDX-License-Identifier: GPL-2.0-only
/*
 * R1, R2 and R3: memory behind caches. The worst cache is assumed: a clean line may be there at any
 * time, a dirty one may stay for ever or be written back at once (DDI 0406C A3.5.7, B2.2.2).
 */
#include "machine.h"
#include "sysregs.h"

static uint64_t lines_mask(uint64_t pa, unsigned int size)
{
	unsigned int first = pa % MACHINE_LINE;
	uint64_t mask = size >= 64 ? ~0ull : (1ull << size) - 1;

	return mask << first;
}

static void lines_store(struct machine *m, struct line *l, unsigned int cpu, uint32_t pc,
			uint32_t va, uint64_t mask, bool cached)
{
	struct touch t = machine_touch(m, cpu, pc, va);

	if (cached) {
		l->dirty |= mask;
		l->ncnew &= ~mask;
		l->store = t;
	} else {
		l->ncnew |= mask;
		l->dirty &= ~mask;
		l->ncstore = t;
	}
	l->epoch = m->epoch;
	l->code = t.world == WORLD_HOST;
	l->pou_dirty = cached && l->code;
}

/*
 * Does R2 apply to this load? When the client itself reads memory of a guest whose caches are off,
 * the client has to invalidate it. A guest that turns its caches off and on while HCR.TVM is clear
 * has to invalidate what it wrote in between. (An operation by set and way would set TVM; but the
 * emulator does not trap those of ARMv7.)
 */
static bool lines_heeds_ncnew(const struct machine *m, const struct touch *store,
			      const struct touch *t)
{
	switch (t->world) {
	case WORLD_HOST:
		return m->check_user || (t->va >= MACHINE_KERNEL && t->pc >= MACHINE_KERNEL);
	case WORLD_GUEST:
		return m->check_guest && (store->world != WORLD_GUEST || store->tvm);
	default:
		return true;
	}
}

/* A finding of R2. "live page": the host reads the page while a guest may write to it. */
static const char *lines_hidden(const struct machine *m, const struct touch *t, uint64_t pa)
{
	return t->world == WORLD_HOST && tables_guest_writes(m, pa) ?
		"a load through the caches of what was stored past them to a live page" :
		"a load through the caches of what was stored past them";
}

/*
 * A finding of R1. "live page": a guest had the page already when the host stored to it, so the
 * line was not dirty when the guest got it.
 */
static const char *lines_unclean(const struct machine *m, const struct line *l, uint64_t pa,
				 bool fetch)
{
	uint32_t mapped = m->mapped[machine_page(m, pa)];

	if (mapped && l->epoch >= mapped)
		return fetch ? "a fetch past the caches of what was stored into them to a live page" :
			       "a load past the caches of what was stored into them to a live page";
	return fetch ? "a fetch past the caches of what was stored into them" :
		       "a load past the caches of what was stored into them";
}

static void lines_load(struct machine *m, struct line *l, unsigned int cpu, uint32_t pc,
		       uint32_t va, uint64_t pa, uint64_t mask, bool cached)
{
	struct touch t;

	if (cached && l->ncnew & mask) {
		t = machine_touch(m, cpu, pc, va);
		if (lines_heeds_ncnew(m, &l->ncstore, &t))
			m->report(m, "R2", lines_hidden(m, &t, pa), &l->ncstore, &t, pa);
	} else if (!cached && l->dirty & mask && l->store.world == WORLD_HOST) {
		t = machine_touch(m, cpu, pc, va);
		m->report(m, "R1", lines_unclean(m, l, pa, false), &l->store, &t, pa);
	}
}

void lines_access(struct machine *m, unsigned int cpu, uint32_t pc, uint32_t va, uint64_t pa,
		  unsigned int size, bool store, bool cached)
{
	struct line *l = machine_line(m, pa);
	unsigned int room = MACHINE_LINE - pa % MACHINE_LINE;

	if (size > room) {
		lines_access(m, cpu, pc, va, pa, room, store, cached);
		lines_access(m, cpu, pc, va + room, pa + room, size - room, store, cached);
		return;
	}
	if (store)
		lines_store(m, l, cpu, pc, va, lines_mask(pa, size), cached);
	else if (l->dirty | l->ncnew)
		lines_load(m, l, cpu, pc, va, pa, lines_mask(pa, size), cached);
}

void lines_clean(struct machine *m, uint64_t pa, bool clean, bool invalidate, bool pou)
{
	struct line *l = machine_line(m, pa);

	if (clean || invalidate)
		l->dirty = 0;
	if (invalidate)
		l->ncnew = 0;
	if (pou && l->pou_dirty) {
		l->pou_dirty = false;
		l->cleaned = m->epoch;
	}
}

void lines_icimvau(struct machine *m, uint32_t va, uint64_t pa)
{
	struct line *l = machine_line(m, pa);
	unsigned int half = pa / (MACHINE_LINE / 2) % 2;

	if (l->pou_dirty)
		return;
	l->icimvau[half] = m->epoch;
	l->icolour[half] = va >> 12 & 3;
}

/*
 * May this CPU's I-cache hold the contents of the line's half from before the host's store? For a
 * PIPT cache with 64-byte lines, ICIMVAU of any address in the line is enough. A VIPT cache with
 * 32-byte lines needs one in the same half, through a mapping of the same colour (B2.2.6: 16 KiB in
 * a way).
 */
static bool lines_stale(const struct machine *m, unsigned int cpu, const struct line *l,
			uint32_t va, unsigned int half)
{
	const struct cpu *c = &m->cpus[cpu];
	uint32_t since = l->cleaned > l->epoch ? l->cleaned : l->epoch;

	if (l->pou_dirty)
		return true;
	if (c->iciallu > since)
		return false;
	if (c->icache_vipt)
		return l->icimvau[half] <= since || l->icolour[half] != (va >> 12 & 3);
	return l->icimvau[0] <= since && l->icimvau[1] <= since;
}

static void lines_fetch_one(struct machine *m, unsigned int cpu, uint32_t va, uint64_t pa,
			    uint64_t mask, bool icache)
{
	struct line *l = machine_line(m, pa);
	struct touch t = machine_touch(m, cpu, va, va);
	unsigned int half;

	if (!icache && l->dirty & mask && l->store.world == WORLD_HOST) {
		m->report(m, "R1", lines_unclean(m, l, pa, true), &l->store, &t, pa);
		return;
	}
	if (!l->code)
		return;
	for (half = 0; half < 2; half++) {
		if (!(mask >> half * 32 & 0xffffffff) || !lines_stale(m, cpu, l, va, half))
			continue;
		m->report(m, "R3",
			  l->pou_dirty
				  ? "code that was not cleaned to the point of unification"
				  : "code that was stored to since the I-cache was invalidated",
			  &l->store, &t, pa);
		return;
	}
}

/* For guests and HYP only: the kernel itself has to look after the code that the host executes. */
void lines_fetch(struct machine *m, unsigned int cpu, uint32_t va, uint64_t pa, unsigned int size)
{
	const struct cpu *c = &m->cpus[cpu];
	uint32_t sctlr = c->world == WORLD_HYP ? c->hsctlr : c->sctlr;
	unsigned int n;

	if (c->world == WORLD_HOST)
		return;
	for (; size; size -= n, va += n, pa += n) {
		n = MACHINE_LINE - pa % MACHINE_LINE;
		if (n > size)
			n = size;
		lines_fetch_one(m, cpu, va, pa, lines_mask(pa, n), sctlr & SCTLR_I);
	}
}
