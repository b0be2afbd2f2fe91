// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/mem/stage2.c
// cflags: -include tests/unit/stage2_fake.h -Itests/unit/fake -Iinclude/uapi -Idriver
/*
 * Random changes of the stage-2 tables, watched by the worst TLB that the architecture allows (DDI
 * 0406C B3.10.1): it walks after every write, keeps what it saw until it is flushed, and then walks
 * again at once. A shadow knows what must be mapped. The guest writes past the caches all that the
 * TLB lets it write, all the time; meanwhile the host has an old line of each page.
 */
#include "ktap.h"

#include "host/cache.h"
#include "mem/stage2.h"
#include "core/state.h"

/* The IPAs in use: some 2 MiB in regions that share no level 1 entry. */
#define CHUNKS		3
#define REGIONS		3
#define PAGES		(REGIONS * CHUNKS * 512)

static const u64 region_base[REGIONS] = {
	0x40000000, 0x8000000000ULL, STAGE2_IPA_SIZE - CHUNKS * STAGE2_L2_SIZE,
};

static u64 page_ipa(unsigned int page)
{
	return region_base[page / (CHUNKS * 512)] + (u64)(page % (CHUNKS * 512)) * 4096;
}

/* --- tables --- */

struct table {
	u64 *mem;
	long count;
	bool in_use;
	bool cached;	/* a walk may have it still */
	bool fresh;	/* written, and no barrier since */
};

#define MAX_TABLES	64
static struct table tables[MAX_TABLES];
static struct armvmm_vm vm;
static bool unordered;		/* any write with no barrier since */
static unsigned int live, most;
static bool alloc_fails;

static struct table *find(const u64 *p)
{
	for (int i = 0; i < MAX_TABLES; i++)
		if (tables[i].in_use && p >= tables[i].mem && p < tables[i].mem + 512)
			return &tables[i];
	KTAP_FAIL("%p is in no table", (const void *)p);
	abort();
}

u64 *stage2_table_alloc(void)
{
	if (alloc_fails)
		return NULL;
	for (int i = 0; i < MAX_TABLES; i++) {
		if (tables[i].in_use)
			continue;
		tables[i] = (struct table){
			.mem = aligned_alloc(4096, 4096), .in_use = true, .fresh = true,
		};
		memset(tables[i].mem, 0, 4096);
		if (++live > most)
			most = live;
		return tables[i].mem;
	}
	KTAP_FAIL("more tables than %d", MAX_TABLES);
	abort();
}

void stage2_table_free(u64 *mem)
{
	struct table *t = find(mem);

	if (t->cached)
		KTAP_FAIL("a table is freed that walks may still use");
	t->in_use = false;
	live--;
	free(mem);
}

/* The physical addresses of tables are not those of pages. */
#define TABLE_PA	0x1000000000ULL

static bool is_table_pa(u64 desc)
{
	return stage2_addr(desc) >= TABLE_PA && stage2_addr(desc) < TABLE_PA + MAX_TABLES * 4096;
}

u64 *stage2_table(u64 desc)
{
	struct table *t = &tables[(stage2_addr(desc) - TABLE_PA) / 4096];

	assert(is_table_pa(desc) && t->in_use);
	return t->mem;
}

u64 stage2_table_pa(const u64 *table)
{
	return TABLE_PA + (find(table) - tables) * 4096;
}

void stage2_count(u64 *table, long n)
{
	find(table)->count += n;
}

bool stage2_is_empty(u64 *table)
{
	return !find(table)->count;
}

/* --- the TLB --- */

static u64 tlb[PAGES];
static bool tlb_by_block[PAGES];	/* the entry is of a block */

/* What a walk finds for a page; afterwards the tables on its way are in the walk cache. */
static u64 walk(u64 ipa)
{
	u64 l1 = vm.stage2.pgd[stage2_index(ipa, 1)], l2, *table;

	if (!l1)
		return 0;
	table = stage2_table(l1);
	find(table)->cached = true;
	l2 = table[stage2_index(ipa, 2)];
	if (stage2_is_block(l2))
		return l2;
	if (!l2)
		return 0;
	table = stage2_table(l2);
	find(table)->cached = true;
	return table[stage2_index(ipa, 3)];
}

/* --- caches: what the guest wrote past them, hidden by a line of the host's --- */

#define FIRST_PFN	0x80000u
#define NR_PFNS		(0x10000 + PAGES)

static bool hidden[NR_PFNS];
static unsigned int flush_calls;
static unsigned long flushed_pages;
static bool uncached;		/* what the module knows of the guest's caches */

static bool *hidden_of(u64 leaf)
{
	u64 i = stage2_addr(leaf) / 4096 - FIRST_PFN;

	return i < NR_PFNS ? &hidden[i] : NULL;
}

static void guest_writes(unsigned int page)
{
	bool *h = hidden_of(tlb[page]);

	if (h && (tlb[page] & LPAE_S2_HAP_WRITE) &&
	    (tlb[page] & LPAE_S2_ATTR_MASK) == LPAE_S2_ATTR_WB)
		*h = true;
}

void armvmm_cache_flush_pfn(unsigned long pfn, size_t size)
{
	flush_calls++;
	flushed_pages += size / 4096;
	for (unsigned long i = 0; i < size / 4096; i++)
		if (pfn + i >= FIRST_PFN && pfn + i < FIRST_PFN + NR_PFNS)
			hidden[pfn + i - FIRST_PFN] = false;
	/* While the TLB permits it, the guest goes on. */
	for (unsigned int page = 0; page < PAGES; page++)
		guest_writes(page);
}

bool armvmm_stage2_uncached(struct armvmm_vm *of)
{
	assert(of == &vm);
	lockdep_assert_held(&vm.stage2.lock);
	return uncached;
}

/* A vCPU that turned its caches off since its last exit is known when it has left the guest. */
static bool uncached_since;
static unsigned int asked;

bool armvmm_stage2_uncached_since(struct armvmm_vm *of)
{
	assert(of == &vm && !vm.stage2.lock.held);
	asked++;
	/* What its TLB entries let it write until now, it wrote. */
	for (unsigned int page = 0; page < PAGES; page++)
		guest_writes(page);
	return uncached_since || uncached;
}

/* Memory that the tables do not map belongs to the host: no line hides any of it. */
static void check_hidden(const char *when)
{
	static bool mapped[NR_PFNS];

	memset(mapped, 0, sizeof(mapped));
	for (unsigned int page = 0; page < PAGES; page++) {
		u64 leaf = walk(page_ipa(page));

		if (leaf && stage2_is_block(leaf))
			leaf = stage2_split_leaf(leaf, page % 512);
		if (leaf && hidden_of(leaf))
			mapped[hidden_of(leaf) - hidden] = true;
	}
	for (unsigned int i = 0; i < NR_PFNS; i++)
		if (hidden[i] && !mapped[i]) {
			KTAP_FAIL("%s: what the guest wrote to page 0x%x is lost", when,
				  FIRST_PFN + i);
			return;
		}
}

static void tlb_fill(unsigned int page)
{
	u64 leaf = walk(page_ipa(page));
	bool by_block = leaf && stage2_is_block(leaf);

	if (by_block)
		leaf = stage2_split_leaf(leaf, page % 512);

	if (!(leaf & LPAE_AF))
		return;
	/* Two sizes for one address are a conflict, even if they say the same. */
	if (tlb[page] && tlb_by_block[page] != by_block) {
		KTAP_FAIL("page %u: the TLB has it in a block and by itself", page);
		return;
	}
	tlb_by_block[page] = by_block;
	if (tlb[page] && !stage2_same_but_perm(tlb[page], leaf)) {
		KTAP_FAIL("page %u: the TLB has 0x%llx and gets 0x%llx", page,
			  (unsigned long long)tlb[page], (unsigned long long)leaf);
		return;
	}
	tlb[page] = tlb[page] ? stage2_perm_union(tlb[page], leaf) : leaf;
	guest_writes(page);
}

static void tlb_fill_all(void)
{
	for (unsigned int page = 0; page < PAGES; page++)
		tlb_fill(page);
}

static unsigned int flushes;

void armvmm_stage2_flush_tlb(struct stage2 *s2)
{
	assert(s2 == &vm.stage2);
	flushes++;
	memset(tlb, 0, sizeof(tlb));
	stage2_write_barrier();
	for (int i = 0; i < MAX_TABLES; i++)
		tables[i].cached = false;
	tlb_fill_all();
}

void stage2_write_barrier(void)
{
	unordered = false;
	for (int i = 0; i < MAX_TABLES; i++)
		tables[i].fresh = false;
}

static bool is_pgd(const u64 *p)
{
	return p >= vm.stage2.pgd && p < vm.stage2.pgd + STAGE2_PGD_ENTRIES;
}

/* Is the table that contains @p linked, and which range does @p map? */
static bool range_of(const u64 *p, unsigned int *first, unsigned int *end)
{
	for (*first = 0; *first < PAGES; *first += 512) {
		u64 ipa = page_ipa(*first), l1, l2;
		u64 *table;

		l1 = vm.stage2.pgd[stage2_index(ipa, 1)];
		if (!l1)
			continue;
		table = stage2_table(l1);
		*end = *first + 512;
		if (p == &table[stage2_index(ipa, 2)])
			return true;
		l2 = table[stage2_index(ipa, 2)];
		if (!stage2_is_table(l2))
			continue;
		table = stage2_table(l2);
		if (p >= table && p < table + 512) {
			*first += p - table;
			*end = *first + 1;
			return true;
		}
	}
	return false;
}

void stage2_write(u64 *p, u64 desc)
{
	unsigned int first = 0, end = PAGES;

	if (!is_pgd(p))
		find(p)->fresh = true;
	unordered = true;
	/* Level 3 pages look like tables, but are not in one of ours. */
	if (stage2_is_table(desc) && is_table_pa(desc) && find(stage2_table(desc))->fresh)
		KTAP_FAIL("a table is linked before what is in it is visible");
	*p = desc;
	if (is_pgd(p) || range_of(p, &first, &end))
		for (; first < end; first++)
			tlb_fill(first);
}

/* --- what must be true whenever the lock is free --- */

static void check_tlb(const char *when)
{
	if (unordered)
		KTAP_FAIL("%s: a write has no barrier", when);
	check_hidden(when);
	for (unsigned int page = 0; page < PAGES; page++) {
		u64 leaf = walk(page_ipa(page));

		if (!tlb[page])
			continue;
		if (leaf && stage2_is_block(leaf))
			leaf = stage2_split_leaf(leaf, page % 512);
		if (!stage2_same_but_perm(tlb[page], leaf)) {
			KTAP_FAIL("%s: page %u: the TLB has 0x%llx, the table 0x%llx", when, page,
				  (unsigned long long)tlb[page], (unsigned long long)leaf);
			return;
		}
		if ((tlb[page] & LPAE_S2_HAP_WRITE) && !(leaf & LPAE_S2_HAP_WRITE)) {
			KTAP_FAIL("%s: page %u: the TLB lets write", when, page);
			return;
		}
	}
}

static bool resched;

bool fake_need_resched(void)
{
	return resched && rand() % 3 == 0;
}

void fake_cond_resched_lock(void)
{
	lockdep_assert_held(&vm.stage2.lock);
	/* Callers that write-protect flush by themselves, and hold the lock until then. */
	check_tlb("lock dropped");
}

/* --- the shadow --- */

static u64 lookup(u64 ipa, unsigned int *level)
{
	u64 leaf;

	spin_lock(&vm.stage2.lock);
	leaf = armvmm_stage2_lookup(&vm.stage2, ipa, level);
	spin_unlock(&vm.stage2.lock);
	return leaf;
}

static u64 want[PAGES];
static bool block[PAGES / 512];

static void check_shadow(void)
{
	unsigned int tables_linked = 0, blocks = 0, level, page, i;
	u64 leaf;

	for (page = 0; page < PAGES; page++) {
		leaf = lookup(page_ipa(page), &level);
		if (leaf && level == 2)
			leaf = stage2_split_leaf(leaf, page % 512);
		if (leaf != want[page]) {
			KTAP_FAIL("page %u is 0x%llx, not 0x%llx", page, (unsigned long long)leaf,
				  (unsigned long long)want[page]);
			return;
		}
	}
	for (i = 0; i < MAX_TABLES; i++) {
		long n = 0;

		if (!tables[i].in_use)
			continue;
		for (page = 0; page < 512; page++)
			n += !!tables[i].mem[page];
		KTAP_EQ(tables[i].count, n);
		/* No empty table stays: each table maps something. */
		KTAP_TRUE(n);
		tables_linked++;
	}
	KTAP_EQ(tables_linked, live);
	for (i = 0; i < PAGES / 512; i++)
		blocks += block[i];
	KTAP_EQ(vm.stat.pages_2m, blocks);
	/* One level 2 table per region and a level 3 table per 2 MiB, and a cache of two. */
	KTAP_TRUE(most <= REGIONS + PAGES / 512 + 2);
}

/* The whole block, or the page, that an operation on @page concerns. */
static void span(unsigned int page, unsigned int *first, unsigned int *end)
{
	if (block[page / 512]) {
		*first = page & ~511u;
		*end = *first + 512;
	} else {
		*first = page;
		*end = page + 1;
	}
}

static void install(unsigned int page, u64 pa, bool huge, bool write, bool exec)
{
	struct stage2_cache cache = { };
	unsigned int level = huge ? 2 : 3, chunk = page / 512, first, i;
	u64 leaf;
	int ret;

	if (huge)
		pa &= LPAE_BLOCK_MASK;
	leaf = stage2_share(stage2_leaf(pa, level, LPAE_S2_ATTR_WB, write, exec), vm.stage2.sh);
	spin_lock(&vm.stage2.lock);
	ret = armvmm_stage2_install(&vm.stage2, page_ipa(page), leaf, level, &cache);
	spin_unlock(&vm.stage2.lock);
	if (ret) {
		KTAP_EQ(ret, -EAGAIN);
		check_shadow();
		KTAP_EQ(armvmm_stage2_cache_fill(&cache), 0);
		spin_lock(&vm.stage2.lock);
		KTAP_EQ(armvmm_stage2_install(&vm.stage2, page_ipa(page), leaf, level, &cache), 0);
		spin_unlock(&vm.stage2.lock);
	}
	armvmm_stage2_cache_free(&cache);

	if (huge) {
		first = chunk * 512;
		/* The block counts as written by the guest if its pages were. */
		for (i = 0; i < 512 && !block[chunk]; i++)
			if (want[first + i] &&
			    stage2_same_but_perm(want[first + i], stage2_split_leaf(leaf, i)))
				leaf |= want[first + i] & STAGE2_WRITTEN;
		for (i = 0; i < 512; i++) {
			u64 new = stage2_split_leaf(leaf, i);

			if (block[chunk] && stage2_same_but_perm(want[first + i], new))
				new = stage2_perm_union(want[first + i], new);
			want[first + i] = new;
		}
		block[chunk] = true;
		return;
	}
	block[chunk] = false;
	if (want[page] && stage2_same_but_perm(want[page], leaf))
		leaf = stage2_perm_union(want[page], leaf);
	want[page] = leaf;
}

static void shadow_unmap(unsigned int page, unsigned int n)
{
	unsigned int first, end, last = page + n;

	for (; page < last; page++) {
		span(page, &first, &end);
		block[page / 512] = false;
		for (; first < end; first++)
			want[first] = 0;
	}
}

static void shadow_mask(unsigned int page, unsigned int n, u64 mask, bool *any)
{
	unsigned int first, end, last = page + n;

	for (; page < last; page++) {
		span(page, &first, &end);
		for (; first < end; first++) {
			*any |= want[first] & mask;
			want[first] &= ~mask;
		}
	}
}

static void start(void)
{
	memset(&vm, 0, sizeof(vm));
	memset(tlb, 0, sizeof(tlb));
	memset(want, 0, sizeof(want));
	memset(block, 0, sizeof(block));
	vm.stage2.pgd = calloc(1, STAGE2_PGD_SIZE);
	vm.stage2.sh = LPAE_SH_INNER;
	memset(hidden, 0, sizeof(hidden));
	flush_calls = flushed_pages = 0;
	most = live;
	resched = uncached = uncached_since = false;
	asked = 0;
}

static void finish(void)
{
	armvmm_stage2_unmap(&vm, 0, STAGE2_IPA_SIZE);
	check_tlb("end");
	KTAP_EQ(live, 0);
	for (unsigned int i = 0; i < STAGE2_PGD_ENTRIES; i++)
		KTAP_EQ(vm.stage2.pgd[i], 0);
	free(vm.stage2.pgd);
}

/* --- cases --- */

static void test_map(void)
{
	unsigned int level;

	start();
	install(5, 0x80005000, false, false, false);
	check_shadow();
	KTAP_TRUE(!lookup(page_ipa(6), &level));
	KTAP_TRUE(!lookup(STAGE2_IPA_SIZE, &level));
	KTAP_TRUE(!lookup(~0ULL, &level));
	/* A read-only page becomes writable; the TLBs must not keep the old permission. */
	flushes = 0;
	install(5, 0x80005000, false, true, false);
	KTAP_EQ(flushes, 1);
	check_shadow();
	/* A first mapping needs no flush. */
	flushes = 0;
	install(6, 0x80006000, false, true, false);
	KTAP_EQ(flushes, 0);
	finish();
}

static void test_blocks(void)
{
	start();
	install(512, 0x80200000, true, true, false);
	check_shadow();
	KTAP_EQ(live, 1);
	/* One page of it is mapped in another way: the block is split and the rest stays. */
	install(600, 0x80258000, false, true, true);
	check_shadow();
	check_tlb("split");
	KTAP_EQ(live, 2);
	/* The block again: the table goes. */
	install(700, 0x802bc000, true, false, false);
	check_shadow();
	check_tlb("joined");
	KTAP_EQ(live, 1);
	/* A part of a block cannot be unmapped alone. */
	armvmm_stage2_unmap(&vm, page_ipa(513), 4096);
	shadow_unmap(513, 1);
	check_shadow();
	check_tlb("unmapped");
	KTAP_EQ(live, 0);
	finish();
}

static void test_no_memory(void)
{
	struct stage2_cache cache = { };
	u64 leaf = stage2_leaf(0x80000000, 3, LPAE_S2_ATTR_WB, true, true);

	start();
	alloc_fails = true;
	KTAP_EQ(armvmm_stage2_cache_fill(&cache), -ENOMEM);
	spin_lock(&vm.stage2.lock);
	KTAP_EQ(armvmm_stage2_install(&vm.stage2, page_ipa(0), leaf, 3, &cache), -EAGAIN);
	spin_unlock(&vm.stage2.lock);
	KTAP_EQ(armvmm_stage2_map_device(&vm, page_ipa(0), 0x2c006000, 0x2000, true), -ENOMEM);
	alloc_fails = false;
	check_shadow();
	/* With one table where two are needed it does not begin. */
	KTAP_EQ(armvmm_stage2_cache_fill(&cache), 0);
	stage2_table_free(cache.tables[--cache.nr]);
	spin_lock(&vm.stage2.lock);
	KTAP_EQ(armvmm_stage2_install(&vm.stage2, page_ipa(0), leaf, 3, &cache), -EAGAIN);
	spin_unlock(&vm.stage2.lock);
	KTAP_EQ(cache.nr, 1);
	armvmm_stage2_cache_free(&cache);
	check_shadow();
	finish();
}

static void test_device(void)
{
	unsigned int level;

	start();
	KTAP_EQ(armvmm_stage2_map_device(&vm, 0x40000800, 0x2c006000, 0x2000, true), -EINVAL);
	KTAP_EQ(armvmm_stage2_map_device(&vm, 0x40000000, 0x2c006000, 0x1800, true), -EINVAL);
	KTAP_EQ(armvmm_stage2_map_device(&vm, STAGE2_IPA_SIZE, 0x2c006000, 0x1000, true), -EINVAL);
	KTAP_EQ(armvmm_stage2_map_device(&vm, ~0xfffULL, 0x2c006000, 0x2000, true), -EINVAL);
	KTAP_EQ(armvmm_stage2_map_device(&vm, page_ipa(0), 0x2c006000, 0x2000, true), 0);
	KTAP_EQ(lookup(page_ipa(1), &level),
		stage2_leaf(0x2c007000, 3, LPAE_S2_ATTR_DEVICE, true, false));
	KTAP_TRUE(!lookup(page_ipa(2), &level));
	/* Caches hold no lines of a device. */
	flushed_pages = 0;
	armvmm_stage2_flush_caches(&vm);
	KTAP_EQ(flushed_pages, 0);
	shadow_unmap(0, 2);
	armvmm_stage2_unmap(&vm, page_ipa(0), 0x2000);
	check_shadow();
	finish();
}

static void test_flush_caches(void)
{
	start();
	install(0, 0x80000000, false, true, false);
	install(1, 0x80001000, false, false, true);
	install(512, 0x80200000, true, true, false);
	flushed_pages = 0;
	armvmm_stage2_flush_caches(&vm);
	KTAP_EQ(flushed_pages, 514);
	finish();
}

static void unmap(unsigned int page, unsigned int n)
{
	flushes = flush_calls = flushed_pages = 0;
	armvmm_stage2_unmap(&vm, page_ipa(page), (u64)n * 4096);
	shadow_unmap(page, n);
	check_shadow();
	check_tlb("unmapped");
}

/*
 * Pages that are taken back are flushed, once and together; pages that the guest could not write
 * are not.
 */
static void test_flush_on_unmap(void)
{
	struct stage2_cache cache = { };
	unsigned int i;

	start();
	for (i = 0; i < 64; i++)
		install(i, 0x80000000 + i * 4096, false, true, false);
	unmap(0, 64);
	KTAP_EQ(flushed_pages, 64);
	KTAP_EQ(flush_calls, 1);
	KTAP_EQ(flushes, 1);
	/*
	 * Scattered pages, as in anonymous memory: the TLBs are flushed as often as there is room
	 * for runs.
	 */
	for (i = 0; i < 512; i++)
		install(i, 0x80000000 + (i ^ 1) * 4096, false, true, false);
	unmap(0, 512);
	KTAP_EQ(flushed_pages, 512);
	KTAP_EQ(flushes, 512 / 32);
	install(512, 0x80200000, true, true, false);
	unmap(600, 1);
	KTAP_EQ(flushed_pages, 512);
	install(0, 0x80000000, false, false, true);
	install(512, 0x80200000, true, false, false);
	unmap(0, 1024);
	KTAP_EQ(flushed_pages, 0);
	/* A page that is read-only now was writable before. */
	install(0, 0x80000000, false, true, false);
	armvmm_stage2_write_protect(&vm, page_ipa(0), 4096);
	want[0] &= ~LPAE_S2_HAP_WRITE;
	unmap(0, 1);
	KTAP_EQ(flushed_pages, 1);
	/* Memory that the host does not cache either needs no flush. */
	KTAP_EQ(armvmm_stage2_cache_fill(&cache), 0);
	want[0] = stage2_leaf(0x80000000, 3, LPAE_S2_ATTR_NC, true, false);
	spin_lock(&vm.stage2.lock);
	KTAP_EQ(armvmm_stage2_install(&vm.stage2, page_ipa(0), want[0], 3, &cache), 0);
	spin_unlock(&vm.stage2.lock);
	armvmm_stage2_cache_free(&cache);
	unmap(0, 1);
	KTAP_EQ(flushed_pages, 0);
	finish();
}

/* A dirty log is read while the guest runs: its pages are flushed if a vCPU is uncached. */
static void test_flush_on_protect(void)
{
	start();
	install(3, 0x80003000, false, true, false);
	install(4, 0x80004000, false, false, false);
	armvmm_stage2_write_protect(&vm, page_ipa(0), 16 * 4096);
	KTAP_EQ(flushed_pages, 0);
	install(3, 0x80003000, false, true, false);
	uncached = true;
	armvmm_stage2_write_protect(&vm, page_ipa(0), 16 * 4096);
	KTAP_EQ(flushed_pages, 1);
	KTAP_TRUE(!hidden[3]);
	want[3] &= ~LPAE_S2_HAP_WRITE;
	check_shadow();
	check_tlb("protected");
	/* Turned off since its last exit: then the range is flushed afterwards. */
	KTAP_EQ(asked, 1);
	uncached = false;
	uncached_since = true;
	install(3, 0x80003000, false, true, false);
	armvmm_stage2_write_protect(&vm, page_ipa(0), 16 * 4096);
	KTAP_EQ(asked, 2);
	KTAP_TRUE(!hidden[3]);
	/* Nothing changes: nothing to ask. */
	armvmm_stage2_write_protect(&vm, page_ipa(0), 16 * 4096);
	KTAP_EQ(asked, 2);
	want[3] &= ~LPAE_S2_HAP_WRITE;
	finish();
}

static void test_age(void)
{
	unsigned int level;

	start();
	install(3, 0x80003000, false, true, false);
	spin_lock(&vm.stage2.lock);
	KTAP_TRUE(armvmm_stage2_age(&vm.stage2, page_ipa(3), 4096, false));
	KTAP_TRUE(armvmm_stage2_age(&vm.stage2, page_ipa(0), 16 * 4096, true));
	KTAP_TRUE(!armvmm_stage2_age(&vm.stage2, page_ipa(3), 4096, true));
	KTAP_TRUE(!(armvmm_stage2_lookup(&vm.stage2, page_ipa(3), &level) & LPAE_AF));
	KTAP_TRUE(armvmm_stage2_make_young(&vm.stage2, page_ipa(3)));
	KTAP_TRUE(armvmm_stage2_age(&vm.stage2, page_ipa(3), 4096, false));
	KTAP_TRUE(!armvmm_stage2_make_young(&vm.stage2, page_ipa(4)));
	spin_unlock(&vm.stage2.lock);
	finish();
}

/* Of a page that is mapped already, as the fault that did it counts. */
static unsigned int count_more(unsigned int page, unsigned int most)
{
	u64 l2 = stage2_table(vm.stage2.pgd[stage2_index(page_ipa(page), 1)])
		 [stage2_index(page_ipa(page), 2)];

	return armvmm_stage2_count_more(&stage2_table(l2)[page % 512], most);
}

/* Maps those of @n pages that are not mapped yet. */
static void map_more(unsigned int page, unsigned int n)
{
	u64 leaves[16];

	for (unsigned int i = 0; i < n; i++)
		leaves[i] = stage2_share(stage2_leaf(0x80000000 + (page + i) * 4096, 3,
						     LPAE_S2_ATTR_WB, true, false), vm.stage2.sh);
	flushes = 0;
	spin_lock(&vm.stage2.lock);
	armvmm_stage2_map_more(&vm.stage2, page_ipa(page), leaves, n);
	spin_unlock(&vm.stage2.lock);
	check_tlb("more");
	/* Nothing that a TLB might have has changed. */
	KTAP_EQ(flushes, 0);
	for (unsigned int i = 0; i < n && page % 512 + i < 512; i++)
		if (!want[page + i])
			want[page + i] = leaves[i];
}

/* Pages that follow those that are mapped, in the same table. */
static void test_more(void)
{
	u64 none[16] = { };
	unsigned int i;

	start();
	spin_lock(&vm.stage2.lock);
	armvmm_stage2_map_more(&vm.stage2, page_ipa(10), none, 15);
	spin_unlock(&vm.stage2.lock);
	check_shadow();
	for (i = 10; i < 13; i++)
		install(i, 0x80000000 + i * 4096, false, true, false);
	KTAP_EQ(count_more(12, 15), 2);
	KTAP_EQ(count_more(12, 1), 1);
	KTAP_EQ(count_more(12, 0), 0);
	KTAP_EQ(count_more(11, 15), 0);
	install(15, 0x8000f000, false, false, true);
	KTAP_EQ(count_more(13, 15), 1);
	map_more(13, 6);
	check_shadow();
	KTAP_EQ(count_more(18, 15), 8);
	for (i = 507; i < 510; i++)
		install(i, 0x80000000 + i * 4096, false, true, false);
	KTAP_EQ(count_more(509, 15), 2);
	map_more(510, 6);
	check_shadow();
	KTAP_EQ(count_more(511, 15), 0);
	install(0, 0x80000000, false, true, false);
	KTAP_EQ(count_more(0, 15), 0);
	/* A block has no pages. */
	install(512, 0x80200000, true, true, false);
	map_more(600, 6);
	check_shadow();
	finish();
}

static void test_random(void)
{
	static bool was_writable[PAGES];
	unsigned int page, n, op;
	bool any, got;
	int i;

	start();
	srand(2);
	resched = true;
	for (i = 0; i < 4000 && !ktap_failed; i++) {
		page = rand() % PAGES;
		n = 1 + rand() % (rand() % 4 ? 8 : 700);
		/* Ranges stay in their region: there are others in between. */
		n = min(n, CHUNKS * 512 - page % (CHUNKS * 512));
		op = rand() % 10;
		any = false;
		for (unsigned int k = 0; k < PAGES; k++)
			was_writable[k] = want[k] & LPAE_S2_HAP_WRITE;
		if (op < 6) {
			/* The page moves between two places, as when the host migrates it. */
			u64 pa = 0x80000000ULL + (u64)page * 4096 + (rand() % 8 ? 0 : 0x10000000);

			install(page, pa, rand() % 8 == 0, rand() % 2, rand() % 4 == 0);
		} else if (op < 8) {
			armvmm_stage2_unmap(&vm, page_ipa(page), (u64)n * 4096);
			shadow_unmap(page, n);
		} else if (op == 8) {
			uncached = rand() % 2;
			uncached_since = rand() % 2;
			armvmm_stage2_write_protect(&vm, page_ipa(page), (u64)n * 4096);
			shadow_mask(page, n, LPAE_S2_HAP_WRITE, &any);
			any &= uncached || uncached_since;
			for (unsigned int k = page; any && k < page + n; k++)
				if (want[k] && hidden[stage2_addr(want[k]) / 4096 - FIRST_PFN] &&
				    (want[k] & LPAE_AF) && was_writable[k])
					KTAP_FAIL("page %u: its reader has old data", k);
		} else {
			spin_lock(&vm.stage2.lock);
			got = armvmm_stage2_age(&vm.stage2, page_ipa(page), (u64)n * 4096, true);
			spin_unlock(&vm.stage2.lock);
			stage2_write_barrier();
			shadow_mask(page, n, LPAE_AF, &any);
			KTAP_EQ(got, any);
		}
		check_tlb("after an operation");
		if (i % 8 == 0 || op >= 6)
			check_shadow();
	}
	resched = false;
	finish();
}

KTAP_MAIN(KTAP_CASE(test_map), KTAP_CASE(test_blocks), KTAP_CASE(test_no_memory),
	  KTAP_CASE(test_device), KTAP_CASE(test_flush_caches),
	  KTAP_CASE(test_flush_on_unmap), KTAP_CASE(test_flush_on_protect), KTAP_CASE(test_age),
	  KTAP_CASE(test_more),
	  KTAP_CASE(test_random))
