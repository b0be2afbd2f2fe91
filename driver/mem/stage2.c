// SPDX-License-Identifier: GPL-2.0-only
/*
 * The stage-2 tables of a VM: what is written, in which order, and what the TLBs are told.
 *
 * Hardware walks run at any time: a table is filled before it is linked, and freed after the TLB
 * maintenance that follows its unlinking (DDI 0406C B3.10.1).
 *
 * A page that is taken back is cleaned and invalidated to the point of coherency, after the TLB
 * maintenance and before the lock is dropped. A guest writes past the caches while its own are
 * off, and by each mapping that it made non-cacheable; the host may hold a clean line of the page
 * meanwhile, by a read or by speculation, which hides from it what the guest wrote: a page that
 * is swapped out, moved, copied or merged would lose it (DDI 0406C A3.5.7). No register tells of a
 * guest's non-cacheable mappings, so that this holds for each page that the guest could write.
 * What it could only read hides nothing, and device memory has no lines.
 */
#include <linux/mm.h>
#include <linux/sched.h>

#include "compat/compat.h"

#include "arch/lpae.h"
#include "core/state.h"
#include "host/cache.h"
#include "mem/stage2.h"
#include "mem/stage2_mem.h"
#include "mem/stage2_shadow.h"

/* How much is done between two checks whether somebody else wants the lock or the CPU. */
#define STAGE2_CHUNK		STAGE2_L2_SIZE
/* The same where each piece costs a TLB flush. */
#define STAGE2_PROTECT_CHUNK	(32 * STAGE2_L2_SIZE)

#define STAGE2_GATHER_MAX	32
/* Pages whose caches are flushed in one piece, where the lock may be dropped after it. */
#define STAGE2_FLUSH_PAGES	(STAGE2_CHUNK >> STAGE2_PAGE_SHIFT)

/* Tables that were unlinked, and pages taken back, whose maintenance is still to be done. */
struct stage2_gather {
	bool changed;
	unsigned int nr;
	unsigned int nr_runs;
	unsigned long nr_pages;		/* in all runs */
	u64 *tables[STAGE2_GATHER_MAX];
	struct {
		unsigned long pfn;
		unsigned long pages;
	} runs[STAGE2_GATHER_MAX];
};

int armvmm_stage2_cache_fill(struct stage2_cache *cache)
{
	while (cache->nr < ARRAY_SIZE(cache->tables)) {
		u64 *table = stage2_table_alloc();

		if (!table)
			return -ENOMEM;
		cache->tables[cache->nr++] = table;
	}
	return 0;
}

void armvmm_stage2_cache_free(struct stage2_cache *cache)
{
	while (cache->nr)
		stage2_table_free(cache->tables[--cache->nr]);
}

/*
 * Flushes what was gathered: first the TLBs, whose DSB also completes the guest's writes; then the
 * cache lines that hide those; then the tables are freed.
 */
static void stage2_gather_finish(struct stage2 *s2, struct stage2_gather *gather)
{
	unsigned int i;

	if (gather->changed)
		armvmm_stage2_flush_tlb(s2);
	gather->changed = false;
	for (i = 0; i < gather->nr_runs; i++)
		armvmm_cache_flush_pfn(gather->runs[i].pfn, gather->runs[i].pages << PAGE_SHIFT);
	gather->nr_runs = 0;
	gather->nr_pages = 0;
	while (gather->nr)
		stage2_table_free(gather->tables[--gather->nr]);
	armvmm_stage2_shadow_reap(s2);
}

/* @leaf is in the tables, or (-1) no longer: how many blocks there are is a statistic. */
static void stage2_count_block(struct stage2 *s2, u64 leaf, int n)
{
	lockdep_assert_held(&s2->lock);
	if (stage2_is_block(leaf))
		container_of(s2, struct armvmm_vm, stage2)->stat.pages_2m += n;
}

/* The memory of @leaf, which the tables no longer let the guest write. */
static void stage2_gather_leaf(struct stage2 *s2, struct stage2_gather *gather, u64 leaf)
{
	unsigned long pfn = __phys_to_pfn((phys_addr_t)stage2_addr(leaf));
	unsigned long pages = (unsigned long)(stage2_leaf_size(leaf) >> STAGE2_PAGE_SHIFT);
	unsigned int n = gather->nr_runs;

	gather->changed = true;
	if (!stage2_leaf_hides(leaf))
		return;
	if (n && gather->runs[n - 1].pfn + gather->runs[n - 1].pages == pfn) {
		gather->runs[n - 1].pages += pages;
		gather->nr_pages += pages;
		return;
	}
	if (n == STAGE2_GATHER_MAX) {
		stage2_gather_finish(s2, gather);
		gather->changed = true;
		n = 0;
	}
	gather->nr_pages += pages;
	gather->runs[n].pfn = pfn;
	gather->runs[n].pages = pages;
	gather->nr_runs = n + 1;
}

/* Unlinks an empty table from the entry @p that points to it. */
static void stage2_unlink(struct stage2 *s2, struct stage2_gather *gather, u64 *p)
{
	u64 *table = stage2_table(*p);

	stage2_write(p, 0);
	gather->changed = true;
	if (gather->nr == STAGE2_GATHER_MAX)
		stage2_gather_finish(s2, gather);
	gather->tables[gather->nr++] = table;
}

/* The level 2 table of @ipa, or NULL. */
static u64 *stage2_l2_table(struct stage2 *s2, u64 ipa)
{
	u64 desc = s2->pgd[stage2_index(ipa, 1)];

	return desc ? stage2_table(desc) : NULL;
}

/* The entry that maps @ipa, NULL where none does. */
static u64 *stage2_leaf_ptr(struct stage2 *s2, u64 ipa, unsigned int *level)
{
	u64 *table, *p;

	lockdep_assert_held(&s2->lock);
	if (ipa >= STAGE2_IPA_SIZE)
		return NULL;
	table = stage2_l2_table(s2, ipa);
	if (!table)
		return NULL;
	p = &table[stage2_index(ipa, 2)];
	*level = 2;
	if (stage2_is_table(*p)) {
		p = &stage2_table(*p)[stage2_index(ipa, 3)];
		*level = 3;
	}
	return *p & LPAE_VALID ? p : NULL;
}

u64 armvmm_stage2_lookup(struct stage2 *s2, u64 ipa, unsigned int *level)
{
	u64 *p = stage2_leaf_ptr(s2, ipa, level);

	return p ? *p : 0;
}

/* An entry without the flag is in no TLB (DDI 0406C B3.7.4): setting it takes no maintenance. */
bool armvmm_stage2_make_young(struct stage2 *s2, u64 ipa)
{
	unsigned int level;
	u64 *p = stage2_leaf_ptr(s2, ipa, &level);

	if (!p)
		return false;
	stage2_write(p, *p | LPAE_AF);
	stage2_write_barrier();
	return true;
}

/*
 * Replaces a valid entry by one that maps other memory, or the same in another size or type:
 * never both at once in a TLB (break-before-make, DDI 0406C B3.10.1).
 */
static void stage2_replace(struct stage2 *s2, struct stage2_gather *gather, u64 *p, u64 desc)
{
	stage2_write(p, 0);
	gather->changed = true;
	stage2_gather_finish(s2, gather);
	stage2_write(p, desc);
	stage2_write_barrier();
}

/* Out of line: what is gathered takes much of the stack, and a first touch gathers nothing. */
static noinline void stage2_change_leaf(struct stage2 *s2, u64 *p, u64 leaf)
{
	struct stage2_gather gather = { };
	u64 old = *p;

	if (!stage2_same_but_perm(old, leaf)) {
		stage2_gather_leaf(s2, &gather, old);
		armvmm_stage2_shadow_unmap(old);
		stage2_replace(s2, &gather, p, leaf);
		armvmm_stage2_shadow_map(leaf);
		return;
	}
	/*
	 * Another vCPU may have got other permissions meanwhile: the entry keeps both. The fault
	 * may come from a TLB entry with the old permissions, here or on another CPU, so that is
	 * flushed even if the table has all permissions already.
	 */
	stage2_write(p, stage2_perm_union(old, leaf));
	armvmm_stage2_flush_tlb(s2);
}

/* Puts @leaf where @p points to none or to a leaf of the same level. */
static void stage2_set_leaf(struct stage2 *s2, u64 *table, u64 *p, u64 leaf)
{
	if (*p & LPAE_VALID) {
		stage2_change_leaf(s2, p, leaf);
		return;
	}
	stage2_write(p, leaf);
	stage2_write_barrier();
	stage2_count(table, 1);
	stage2_count_block(s2, leaf, 1);
	armvmm_stage2_shadow_map(leaf);
}

/* A table with the pages of the block at @p takes its place. */
static void stage2_split(struct stage2 *s2, u64 *p, struct stage2_cache *cache)
{
	u64 *table = cache->tables[--cache->nr];
	struct stage2_gather gather = { };
	u64 block = *p;
	unsigned int i;

	for (i = 0; i < LPAE_TABLE_ENTRIES; i++)
		table[i] = stage2_split_leaf(block, i);
	stage2_count(table, LPAE_TABLE_ENTRIES);
	stage2_write_barrier();
	stage2_replace(s2, &gather, p, stage2_table_pa(table) | LPAE_TYPE_TABLE);
	stage2_count_block(s2, block, -1);
}

/*
 * Replaces the table at @p by the block @leaf. Returns the block, with what its pages say of the
 * guest's writes. Pages that are not the block's are unmapped.
 */
static u64 stage2_join(struct stage2 *s2, u64 *p, u64 leaf)
{
	u64 *table = stage2_table(*p);
	struct stage2_gather gather = { .changed = true };
	unsigned int i;

	stage2_write(p, 0);
	for (i = 0; i < LPAE_TABLE_ENTRIES; i++) {
		if (!(table[i] & LPAE_VALID))
			continue;
		if (stage2_same_but_perm(table[i], stage2_split_leaf(leaf, i)))
			leaf |= table[i] & STAGE2_WRITTEN;
		else
			stage2_gather_leaf(s2, &gather, table[i]);
	}
	stage2_gather_finish(s2, &gather);
	stage2_table_free(table);
	return leaf;
}

/* Links a table of the cache at @p, which is empty. */
static u64 *stage2_link(u64 *p, struct stage2_cache *cache)
{
	u64 *table = cache->tables[--cache->nr];

	/* The zeroes of the table are visible to walks before the table is. */
	stage2_write_barrier();
	stage2_write(p, stage2_table_pa(table) | LPAE_TYPE_TABLE);
	return table;
}

int armvmm_stage2_install(struct stage2 *s2, u64 ipa, u64 leaf, unsigned int level,
			  struct stage2_cache *cache)
{
	u64 *l1 = &s2->pgd[stage2_index(ipa, 1)];
	u64 *l2 = NULL, *p, *table;
	int need = 0;

	lockdep_assert_held(&s2->lock);
	if (*l1)
		l2 = stage2_table(*l1);
	if (!l2)
		need = level == 3 ? 2 : 1;
	else if (level == 3 && !stage2_is_table(l2[stage2_index(ipa, 2)]))
		need = 1;
	if (cache->nr < need)
		return -EAGAIN;

	if (!l2)
		l2 = stage2_link(l1, cache);
	p = &l2[stage2_index(ipa, 2)];
	if (level == 2) {
		if (stage2_is_table(*p)) {
			leaf = stage2_join(s2, p, leaf);
			stage2_count(l2, -1);
		}
		stage2_set_leaf(s2, l2, p, leaf);
		return 0;
	}

	if (stage2_is_block(*p)) {
		stage2_split(s2, p, cache);
	} else if (!*p) {
		stage2_link(p, cache);
		stage2_count(l2, 1);
	}
	table = stage2_table(*p);
	cache->leaf = &table[stage2_index(ipa, 3)];
	stage2_set_leaf(s2, table, cache->leaf, leaf);
	return 0;
}

/* The level 3 table of @ipa, or NULL. */
static u64 *stage2_l3_table(struct stage2 *s2, u64 ipa)
{
	u64 *l2 = stage2_l2_table(s2, ipa);
	u64 desc = l2 ? l2[stage2_index(ipa, 2)] : 0;

	lockdep_assert_held(&s2->lock);
	return stage2_is_table(desc) ? stage2_table(desc) : NULL;
}

/* No TLB has an entry that was not valid (DDI 0406C B3.10.1). */
void armvmm_stage2_map_more(struct stage2 *s2, u64 ipa, const u64 *leaves, unsigned int n)
{
	u64 *table = stage2_l3_table(s2, ipa), *p;
	unsigned int i = stage2_index(ipa, 3), added = 0;

	if (!table)
		return;
	n = min(n, LPAE_TABLE_ENTRIES - i);
	for (p = &table[i]; n--; p++, leaves++) {
		if (*p & LPAE_VALID)
			continue;
		stage2_write(p, *leaves);
		armvmm_stage2_shadow_map(*leaves);
		added++;
	}
	stage2_write_barrier();
	stage2_count(table, added);
}

/* One function per entry of a walk; @table is the one that @p is in. */
typedef void (*stage2_visit_t)(struct stage2 *s2, struct stage2_gather *gather, u64 *table,
			       u64 *p, void *arg);

/* Visits every leaf that maps any of [ipa, end), which lies in one level 1 entry. */
static void stage2_walk_l2(struct stage2 *s2, struct stage2_gather *gather, u64 ipa, u64 end,
			   stage2_visit_t visit, void *arg)
{
	u64 *l1 = &s2->pgd[stage2_index(ipa, 1)];
	u64 *l2, *l3, next;

	if (!*l1)
		return;
	l2 = stage2_table(*l1);
	for (; ipa < end; ipa = next) {
		u64 *p = &l2[stage2_index(ipa, 2)];

		next = stage2_next(ipa, end, 2);
		if (stage2_is_block(*p)) {
			visit(s2, gather, l2, p, arg);
		} else if (stage2_is_table(*p)) {
			u64 page;

			l3 = stage2_table(*p);
			for (page = ipa; page < next; page += STAGE2_PAGE_SIZE) {
				u64 *q = &l3[stage2_index(page, 3)];

				if (*q & LPAE_VALID)
					visit(s2, gather, l3, q, arg);
			}
			if (stage2_is_empty(l3)) {
				stage2_unlink(s2, gather, p);
				stage2_count(l2, -1);
			}
		}
	}
	if (stage2_is_empty(l2))
		stage2_unlink(s2, gather, l1);
}

/*
 * Visits every leaf of [ipa, ipa + size), a block even where only part of it is in the range.
 * The TLB maintenance is done before the lock is dropped in between (where @may_sleep) and at
 * the end: nobody else finds an entry gone that a TLB still has.
 */
static void stage2_walk(struct stage2 *s2, u64 ipa, u64 size, bool may_sleep,
			struct stage2_gather *gather, stage2_visit_t visit, void *arg)
{
	u64 end = min(ipa + size, (u64)STAGE2_IPA_SIZE);
	u64 next, chunk;

	lockdep_assert_held(&s2->lock);
	/* The walk goes by whole pages. */
	ipa &= ~(STAGE2_PAGE_SIZE - 1);
	for (; ipa < end; ipa = next) {
		next = stage2_next(ipa, end, 1);
		if (!s2->pgd[stage2_index(ipa, 1)])
			continue;
		chunk = (ipa | (STAGE2_CHUNK - 1)) + 1;
		next = min(next, chunk);
		stage2_walk_l2(s2, gather, ipa, next, visit, arg);
		/* Caches are flushed line by line, so the pieces are small. */
		if (may_sleep && gather->nr_pages >= STAGE2_FLUSH_PAGES)
			stage2_gather_finish(s2, gather);
		if (may_sleep && (need_resched() || spin_needbreak(&s2->lock))) {
			stage2_gather_finish(s2, gather);
			cond_resched_lock(&s2->lock);
		}
	}
	stage2_gather_finish(s2, gather);
}

static void stage2_visit_unmap(struct stage2 *s2, struct stage2_gather *gather, u64 *table,
			       u64 *p, void *arg)
{
	u64 leaf = *p;

	stage2_write(p, 0);
	stage2_count(table, -1);
	stage2_count_block(s2, leaf, -1);
	stage2_gather_leaf(s2, gather, leaf);
	armvmm_stage2_shadow_unmap(leaf);
}

void armvmm_stage2_unmap_locked(struct stage2 *s2, u64 ipa, u64 size, bool may_sleep)
{
	struct stage2_gather gather = { };

	stage2_walk(s2, ipa, size, may_sleep, &gather, stage2_visit_unmap, NULL);
}

void armvmm_stage2_unmap(struct armvmm_vm *vm, u64 ipa, u64 size)
{
	struct stage2 *s2 = &vm->stage2;

	might_sleep();
	spin_lock(&s2->lock);
	armvmm_stage2_unmap_locked(s2, ipa, size, true);
	spin_unlock(&s2->lock);
}

struct stage2_protect {
	bool changed;
	bool flush;
};

static void stage2_visit_protect(struct stage2 *s2, struct stage2_gather *gather, u64 *table,
				 u64 *p, void *arg)
{
	struct stage2_protect *protect = arg;
	u64 leaf = *p;

	if (!(leaf & LPAE_S2_HAP_WRITE))
		return;
	stage2_write(p, leaf & ~LPAE_S2_HAP_WRITE);
	protect->changed = true;
	if (protect->flush)
		stage2_gather_leaf(s2, gather, leaf);
}

bool armvmm_stage2_protect_locked(struct stage2 *s2, u64 ipa, u64 size, bool uncached)
{
	struct stage2_protect protect = { .flush = uncached };
	struct stage2_gather gather = { };

	/* Without @uncached nothing is gathered, and the caller flushes: the lock stays. */
	stage2_walk(s2, ipa, size, false, &gather, stage2_visit_protect, &protect);
	return protect.changed;
}

void armvmm_stage2_write_protect(struct armvmm_vm *vm, u64 ipa, u64 size)
{
	struct stage2 *s2 = &vm->stage2;
	u64 end = min(ipa + size, (u64)STAGE2_IPA_SIZE), at, next, chunk;
	bool uncached, unflushed = false;

	might_sleep();
	spin_lock(&s2->lock);
	for (at = ipa; at < end; at = next) {
		uncached = armvmm_stage2_uncached(vm);
		/* What is flushed from the caches is flushed under the lock. */
		chunk = uncached ? STAGE2_CHUNK : STAGE2_PROTECT_CHUNK;
		next = min(end, (at | (chunk - 1)) + 1);
		if (armvmm_stage2_protect_locked(s2, at, next - at, uncached)) {
			armvmm_stage2_flush_tlb(s2);
			unflushed |= !uncached;
		}
		cond_resched_lock(&s2->lock);
	}
	spin_unlock(&s2->lock);
	if (unflushed && armvmm_stage2_uncached_since(vm))
		armvmm_stage2_flush_range(vm, ipa, size);
}

struct stage2_age {
	bool clear;
	bool young;
};

static void stage2_visit_age(struct stage2 *s2, struct stage2_gather *gather, u64 *table, u64 *p,
			     void *arg)
{
	struct stage2_age *age = arg;

	if (!(*p & LPAE_AF))
		return;
	age->young = true;
	if (age->clear)
		stage2_write(p, *p & ~LPAE_AF);
}

bool armvmm_stage2_age(struct stage2 *s2, u64 ipa, u64 size, bool clear)
{
	struct stage2_gather gather = { };
	struct stage2_age age = { .clear = clear };

	stage2_walk(s2, ipa, size, false, &gather, stage2_visit_age, &age);
	return age.young;
}

static void stage2_visit_flush(struct stage2 *s2, struct stage2_gather *gather, u64 *table,
			       u64 *p, void *arg)
{
	u64 leaf = *p;

	if ((leaf & LPAE_S2_ATTR_MASK) != LPAE_S2_ATTR_WB)
		return;
	/* What is mapped next there may be the page itself. */
	if (armvmm_stage2_shadow_is_copy(leaf)) {
		stage2_write(p, 0);
		stage2_count(table, -1);
		armvmm_stage2_flush_tlb(s2);
		armvmm_stage2_shadow_unmap(leaf);
	}
	armvmm_cache_flush_pfn(__phys_to_pfn((phys_addr_t)stage2_addr(leaf)),
			       (size_t)stage2_leaf_size(leaf));
}

void armvmm_stage2_flush_range(struct armvmm_vm *vm, u64 ipa, u64 size)
{
	struct stage2_gather gather = { };
	struct stage2 *s2 = &vm->stage2;

	might_sleep();
	spin_lock(&s2->lock);
	stage2_walk(s2, ipa, size, true, &gather, stage2_visit_flush, NULL);
	spin_unlock(&s2->lock);
}

void armvmm_stage2_flush_caches(struct armvmm_vm *vm)
{
	armvmm_stage2_flush_range(vm, 0, STAGE2_IPA_SIZE);
}

int armvmm_stage2_map_device(struct armvmm_vm *vm, u64 ipa, phys_addr_t pa, size_t size,
			     bool writable)
{
	struct stage2 *s2 = &vm->stage2;
	struct stage2_cache cache = { };
	u64 end = ipa + size;
	int ret = 0;

	if (((ipa | pa | size) & (STAGE2_PAGE_SIZE - 1)) || end < ipa || end > STAGE2_IPA_SIZE)
		return -EINVAL;
	for (; ipa < end; ipa += STAGE2_PAGE_SIZE, pa += STAGE2_PAGE_SIZE) {
		ret = armvmm_stage2_cache_fill(&cache);
		if (ret)
			break;
		spin_lock(&s2->lock);
		ret = armvmm_stage2_install(s2, ipa,
					    stage2_leaf(pa, 3, LPAE_S2_ATTR_DEVICE, writable,
							false),
					    3, &cache);
		spin_unlock(&s2->lock);
		if (ret)
			break;
	}
	armvmm_stage2_cache_free(&cache);
	return ret;
}
