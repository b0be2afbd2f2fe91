// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/run/abort.c driver/mem/stage2.c driver/arch/exception.c
// cflags: -include tests/unit/stage2_fake.h -include tests/unit/run_fake.h -Itests/unit/fake -Iinclude/uapi -fno-strict-aliasing -Idriver
/*
 * Which caches a stage-2 fault maintains, on the driver's own tables. A page that the guest gets is
 * cleaned and invalidated to the point of coherency, once; the instruction caches are invalidated
 * when the guest may first execute from it (DDI 0406C A3.5.7, B3.11.2). A permission fault on a
 * page that the guest has already cleans nothing, as in KVM/arm: each first write after the dirty
 * log write-protected a page would pay for that.
 */
#include "ktap.h"
#include "vcpu_fake.h"

#include "arch/archregs.h"
#include "core/inject.h"
#include "host/cache.h"
#include "mem/memslot.h"
#include "mem/stage2.h"
#include "mem/stage2_host.h"
#include "mmio/mmio.h"
#include "run/abort.h"

#define RAM		0x40000000ULL
#define HVA		0xb0000000UL
#define BLOCK_PAGES	512
#define NR_PAGES	(2 * BLOCK_PAGES)

/* --- the host --- */

static unsigned long dirty_bitmap[BITS_TO_LONGS(NR_PAGES)];
static struct armvmm_memslot slot;
static struct stage2_host_page host;	/* behind the slot's first address; others follow */

static unsigned long cleaned;		/* pages */
static unsigned long invalidated;	/* pages whose instructions may have been in a cache */
static unsigned long last_cleaned;	/* first pfn */
static unsigned long next_cleaned;	/* a flush that goes on there is a part of the last one */
static unsigned int marked;

struct armvmm_memslot *armvmm_memslot_find(struct armvmm_vm *of, u64 gfn)
{
	return gfn - slot.base_gfn < slot.npages ? &slot : NULL;
}

int armvmm_stage2_host_get(struct armvmm_vm *of, struct stage2_host_seen *seen,
			   struct armvmm_memslot *in, unsigned long hva, bool write,
			   struct stage2_host_page *page)
{
	*page = host;
	page->pfn += (hva - HVA) >> PAGE_SHIFT;
	page->writable |= write;
	return 0;
}

/* Of the slot's pages the client may write to so many, and other CPUs may be quicker. */
static unsigned long writable_pages;
static bool moves_meanwhile, takes_meanwhile;
static unsigned int maps_meanwhile;	/* another vCPU that page, for reading */

static void install_page(unsigned int page);

unsigned int armvmm_stage2_host_more(const struct stage2_host_seen *seen,
				     const struct stage2_host_page *page, unsigned long hva,
				     unsigned int n, unsigned long *pfns, int *hva_cpu)
{
	unsigned long at = (hva - HVA) >> PAGE_SHIFT;
	unsigned int i;

	KTAP_TRUE(n && page->hva_cpu >= 0 && at + n <= slot.npages);
	for (i = 0; i < min(n, (unsigned int)STAGE2_HOST_MORE) && at + i < writable_pages; i++)
		pfns[i] = host.pfn + at + i;
	*hva_cpu = fake_cpu + moves_meanwhile;
	if (takes_meanwhile)
		vm.stage2.invalidate_seq++;
	if (maps_meanwhile)
		install_page(maps_meanwhile);
	return i;
}

void armvmm_dirty_mark(struct armvmm_vm *of, struct armvmm_memslot *in, u64 gfn)
{
	marked++;
}

/* A vCPU has its caches off, or turns them off while a fault cleans its page. */
static bool uncached, uncached_meanwhile;

void armvmm_cache_flush_pfn(unsigned long pfn, size_t size)
{
	uncached |= uncached_meanwhile;
	cleaned += size >> PAGE_SHIFT;
	if (pfn != next_cleaned)
		last_cleaned = pfn;
	next_cleaned = pfn + (size >> PAGE_SHIFT);
	/* A fault flushes without a lock, so that a block need not keep the CPU all the while. */
	KTAP_TRUE(vm.stage2.lock.held || (size <= 65536 && !fake_preempt_off) ||
		  size == PAGE_SIZE);
}

/* The CPU that handles the fault, and where the scheduler moves it. */
int fake_cpu;
bool fake_preempt_off;

/* By the client's address, where that works: on the CPU whose TLB is known. */
static unsigned int client_cleaned;
static bool client_faults;

bool armvmm_cache_flush_client(unsigned long hva)
{
	client_cleaned++;
	KTAP_TRUE(fake_preempt_off);
	KTAP_EQ(fake_cpu, host.hva_cpu);
	if (!client_faults)
		armvmm_cache_flush_pfn(host.pfn + ((hva - HVA) >> PAGE_SHIFT), PAGE_SIZE);
	return !client_faults;
}

/*
 * Takes all pages while a fault maintains the caches, as ARM_VCPU_INIT of another vCPU does; a
 * third vCPU may then get one page of a block, if writes have come to be logged.
 */
static bool init_meanwhile, page_meanwhile;
static bool maps_nothing;	/* so that the guest has to try again */

void armvmm_cache_invalidate_icache_pfn(unsigned long pfn, size_t size)
{
	invalidated += size >> PAGE_SHIFT;
	if (init_meanwhile)
		armvmm_stage2_unmap(&vm, 0, STAGE2_IPA_SIZE);
	if (page_meanwhile)
		install_page(0);
}

void armvmm_stage2_flush_tlb(struct stage2 *s2)
{
}

bool armvmm_stage2_uncached(struct armvmm_vm *of)
{
	return uncached;
}

bool armvmm_stage2_uncached_since(struct armvmm_vm *of)
{
	return uncached;
}

/* Carveouts, which the kernel cannot flush: one page with a struct page, the others without. */
#define CARVEOUT	0xc0000u

bool fake_pfn_valid(unsigned long pfn)
{
	return pfn <= CARVEOUT;
}

bool fake_reserved(unsigned long pfn)
{
	return pfn == CARVEOUT;
}

/* --- what a fault on RAM does not call --- */

static unsigned int refused;		/* fetches */

void armvmm_inject_pabt(struct armvmm_vcpu *v, u32 far)
{
	refused++;
}

void armvmm_inject_dabt(struct armvmm_vcpu *v, u32 far)
{
	KTAP_FAIL("a data abort for the guest");
}

int armvmm_mmio_fault(struct armvmm_vcpu *v, u64 ipa)
{
	KTAP_FAIL("RAM is taken for a device");
	return -EINVAL;
}

/* --- tables --- */

#define MAX_TABLES	8
#define TABLE_PA	0x1000000000ULL

static struct {
	_Alignas(4096) u64 entries[LPAE_TABLE_ENTRIES];
	long count;
	bool in_use;
} tables[MAX_TABLES];
static u64 pgd[STAGE2_PGD_ENTRIES];

static unsigned int table_nr(const u64 *table)
{
	unsigned int n = 0;

	while (tables[n].entries != table)
		assert(++n < MAX_TABLES);
	return n;
}

u64 *stage2_table_alloc(void)
{
	unsigned int n = 0;

	while (tables[n].in_use)
		assert(++n < MAX_TABLES);
	memset(&tables[n], 0, sizeof(tables[n]));
	tables[n].in_use = true;
	return tables[n].entries;
}

void stage2_table_free(u64 *table)
{
	tables[table_nr(table)].in_use = false;
}

u64 *stage2_table(u64 desc)
{
	return tables[(stage2_addr(desc) - TABLE_PA) / 4096].entries;
}

u64 stage2_table_pa(const u64 *table)
{
	return TABLE_PA + table_nr(table) * 4096;
}

void stage2_count(u64 *table, long n)
{
	tables[table_nr(table)].count += n;
}

bool stage2_is_empty(u64 *table)
{
	return !tables[table_nr(table)].count;
}

void stage2_write(u64 *p, u64 desc)
{
	*p = desc;
}

void stage2_write_barrier(void)
{
}

bool fake_need_resched(void)
{
	return false;
}

void fake_cond_resched_lock(void)
{
}

/* --- the guest --- */

enum access { READ, WRITE, FETCH };

static u64 lookup(unsigned int page, unsigned int *level)
{
	u64 leaf;

	spin_lock(&vm.stage2.lock);
	leaf = armvmm_stage2_lookup(&vm.stage2, RAM + page * PAGE_SIZE, level);
	spin_unlock(&vm.stage2.lock);
	return leaf;
}

static void install_page(unsigned int page)
{
	u64 leaf = stage2_leaf((host.pfn + page) * PAGE_SIZE, 3, host.attr, false, false);
	struct stage2_cache cache = { };

	KTAP_EQ(armvmm_stage2_cache_fill(&cache), 0);
	spin_lock(&vm.stage2.lock);
	KTAP_EQ(armvmm_stage2_install(&vm.stage2, RAM + page * PAGE_SIZE,
				      stage2_share(leaf, vm.stage2.sh), 3, &cache), 0);
	spin_unlock(&vm.stage2.lock);
	armvmm_stage2_cache_free(&cache);
}

static bool is_allowed(u64 leaf, enum access access)
{
	if (access == FETCH)
		return leaf && !(leaf & LPAE_XN);
	return leaf & (access == WRITE ? LPAE_S2_HAP_WRITE : LPAE_S2_HAP_READ);
}

/* The fault is handled, and the guest's next try succeeds. */
static void fault(unsigned int page, enum access access, u32 fsc)
{
	u32 ec = access == FETCH ? HSR_EC_IABT : HSR_EC_DABT;
	unsigned int level;

	hyp.hsr = ec << 26 | HSR_IL | (access == WRITE ? HSR_DABT_WNR : 0) | fsc | 3;
	hyp.hpfar = (RAM >> 12 | page) << 4;
	hyp.hxfar = 0x123;
	hyp.fault_ipa_valid = true;
	cleaned = invalidated = marked = 0;
	next_cleaned = 0;
	KTAP_EQ(armvmm_abort_handle(&vcpu), 1);
	KTAP_EQ(refused, 0);
	KTAP_TRUE(maps_nothing || is_allowed(lookup(page, &level), access));
}

/* An access that the tables do not allow. */
static void guest(unsigned int page, enum access access)
{
	unsigned int level;
	u64 leaf = lookup(page, &level);

	KTAP_TRUE(!is_allowed(leaf, access));
	fault(page, access, leaf ? HSR_FSC_PERMISSION : HSR_FSC_TRANSLATION);
}

/* A TLB entry has fewer permissions than the table, or is of a page that the table has no more. */
static void guest_with_old_tlb(unsigned int page, enum access access)
{
	fault(page, access, HSR_FSC_PERMISSION);
}

static void log_writes(bool on)
{
	slot.dirty_bitmap = on ? dirty_bitmap : NULL;
	if (on)
		armvmm_stage2_write_protect(&vm, RAM, NR_PAGES * PAGE_SIZE);
}

#define EXPECT(clean, icache)							\
	do {									\
		KTAP_EQ(cleaned, clean);					\
		KTAP_EQ(invalidated, icache);					\
	} while (0)

static void start(u64 sh)
{
	memset(&vcpu, 0, sizeof(vcpu));
	memset(&hyp, 0, sizeof(hyp));
	memset(&vm, 0, sizeof(vm));
	memset(&slot, 0, sizeof(slot));
	vcpu.vm = &vm;
	vcpu.hyp = &hyp;
	vm.stage2.pgd = pgd;
	vm.stage2.sh = sh;
	slot.base_gfn = RAM >> PAGE_SHIFT;
	slot.npages = NR_PAGES;
	slot.userspace_addr = HVA;
	host = (struct stage2_host_page){
		.pfn = 0x80000, .writable = true, .attr = LPAE_S2_ATTR_WB,
		.hva_cpu = -1,
	};
}

static void finish(void)
{
	armvmm_stage2_unmap(&vm, 0, STAGE2_IPA_SIZE);
	for (unsigned int i = 0; i < MAX_TABLES; i++)
		KTAP_TRUE(!tables[i].in_use);
}

/* The same on a kernel for several CPUs, whose memory is shareable, and on one for a single CPU. */
#define ON_BOTH(name)								\
	static void test_##name(void)						\
	{									\
		start(LPAE_SH_INNER);						\
		name();								\
		finish();							\
		start(0);							\
		name();								\
		finish();							\
	}

/* --- cases --- */

static void first_touch(void)
{
	unsigned int level;

	guest(0, READ);
	EXPECT(1, 0);
	KTAP_EQ(last_cleaned, 0x80000);
	KTAP_EQ(lookup(0, &level), stage2_leaf(0x80000000, 3, LPAE_S2_ATTR_WB, true, false) |
				   vm.stage2.sh);
	guest(1, WRITE);
	EXPECT(1, 0);
	guest(2, FETCH);
	EXPECT(1, 1);
	KTAP_EQ(last_cleaned, 0x80002);
	/* The page went, and is mapped again. */
	armvmm_stage2_unmap(&vm, RAM, PAGE_SIZE);
	guest(0, READ);
	EXPECT(1, 0);
	armvmm_stage2_unmap(&vm, RAM, PAGE_SIZE);
	guest_with_old_tlb(0, WRITE);
	EXPECT(1, 0);
}
ON_BOTH(first_touch)

/* By the client's address where the CPU found the page by it; where that fails, by the kernel's. */
static void by_client(void)
{
	client_cleaned = 0;
	guest(0, READ);
	KTAP_EQ(client_cleaned, 0);
	host.hva_cpu = fake_cpu;
	guest(1, WRITE);
	EXPECT(1, 0);
	KTAP_EQ(client_cleaned, 1);
	KTAP_EQ(last_cleaned, 0x80001);
	client_faults = true;
	guest(2, WRITE);
	EXPECT(1, 0);
	KTAP_EQ(client_cleaned, 2);
	KTAP_EQ(last_cleaned, 0x80002);
	client_faults = false;
	/* The guest has it already. */
	guest(2, FETCH);
	EXPECT(0, 1);
	KTAP_EQ(client_cleaned, 2);
}
ON_BOTH(by_client)

/* The thread moves between the look and the flush: the other CPU's TLB may have the old page. */
static void by_client_elsewhere(void)
{
	client_cleaned = 0;
	for (fake_cpu = 0; fake_cpu < 3; fake_cpu++) {
		host.hva_cpu = 1;
		guest(fake_cpu, WRITE);
		EXPECT(1, 0);
		KTAP_EQ(client_cleaned, fake_cpu >= 1);
		KTAP_EQ(last_cleaned, 0x80000 + fake_cpu);
		KTAP_TRUE(!fake_preempt_off);
	}
	fake_cpu = 0;
}
ON_BOTH(by_client_elsewhere)

static void write_protected(void)
{
	unsigned int level;

	guest(0, WRITE);
	guest(1, FETCH);
	log_writes(true);
	guest(0, WRITE);
	EXPECT(0, 0);
	KTAP_EQ(marked, 1);
	guest(1, WRITE);
	EXPECT(0, 0);
	KTAP_TRUE(is_allowed(lookup(1, &level), FETCH));
	/* Mapped, without the right to write, while writes are logged. */
	guest(2, READ);
	EXPECT(1, 0);
	KTAP_EQ(marked, 0);
	guest(2, WRITE);
	EXPECT(0, 0);
	KTAP_EQ(marked, 1);
	guest_with_old_tlb(2, WRITE);
	EXPECT(0, 0);
}
ON_BOTH(write_protected)

/* What the guest stored past the caches is not to be fetched from a clean line of the host's. */
static void fetch_uncached(void)
{
	uncached = true;
	guest(0, WRITE);
	EXPECT(1, 0);
	guest(0, FETCH);
	EXPECT(1, 1);
	uncached = false;
}
ON_BOTH(fetch_uncached)

/* Nothing was cleaned, as the guest had the page; when it has it no more, it is not mapped so. */
static void fetch_and_init(void)
{
	unsigned int level;

	guest(0, WRITE);
	init_meanwhile = maps_nothing = true;
	guest(0, FETCH);
	/* That is the page which went. */
	EXPECT(1, 1);
	init_meanwhile = maps_nothing = false;
	KTAP_EQ(lookup(0, &level), 0);
	guest(0, FETCH);
	EXPECT(1, 1);
}
ON_BOTH(fetch_and_init)

/* The guest had a block, which was not cleaned for that; of its pages it now has one. */
static void fetch_and_init_block(void)
{
	unsigned int level;

	host.huge = true;
	guest(0, WRITE);
	init_meanwhile = page_meanwhile = maps_nothing = true;
	guest(0, FETCH);
	init_meanwhile = page_meanwhile = maps_nothing = false;
	KTAP_TRUE(lookup(0, &level));
	KTAP_EQ(level, 3);
	KTAP_EQ(lookup(1, &level), 0);
	guest(1, READ);
	EXPECT(BLOCK_PAGES, 0);
	KTAP_TRUE(lookup(1, &level));
	KTAP_EQ(level, 2);
}
ON_BOTH(fetch_and_init_block)

static void fetch(void)
{
	unsigned int level;

	guest(0, WRITE);
	guest(0, FETCH);
	EXPECT(0, 1);
	KTAP_TRUE(is_allowed(lookup(0, &level), WRITE));
	/* Another vCPU fetched from it before. */
	guest_with_old_tlb(0, FETCH);
	EXPECT(0, 0);
}
ON_BOTH(fetch)

/* The host has put another page there, or the same one with another memory type. */
static void other_page(void)
{
	host.writable = false;
	guest(0, READ);
	host.pfn = 0x90000;
	guest(0, WRITE);
	EXPECT(1, 0);
	KTAP_EQ(last_cleaned, 0x90000);

	guest(1, FETCH);
	host.pfn = 0xa0000;
	guest(1, WRITE);
	EXPECT(1, 0);
	guest(1, FETCH);
	EXPECT(0, 1);

	guest(2, READ);
	host.pfn = 0xb0000;
	guest(2, FETCH);
	EXPECT(1, 1);
	KTAP_EQ(last_cleaned, 0xb0002);

	/* Memory that the host does not cache: instruction caches may hold it nevertheless. */
	host.attr = LPAE_S2_ATTR_NC;
	guest(3, READ);
	EXPECT(0, 0);
	guest(3, FETCH);
	EXPECT(0, 1);
	host.attr = LPAE_S2_ATTR_WB;
	guest(3, WRITE);
	EXPECT(1, 0);
}
ON_BOTH(other_page)

/* Of what the kernel cannot flush the guest caches nothing (KVM's rule). */
static void carveout(void)
{
	unsigned int level;

	host.pfn = CARVEOUT - 1;
	guest(0, WRITE);
	EXPECT(1, 0);
	KTAP_EQ(lookup(0, &level) & LPAE_S2_ATTR_MASK, LPAE_S2_ATTR_WB);
	guest(1, WRITE);
	EXPECT(0, 0);
	KTAP_EQ(lookup(1, &level) & LPAE_S2_ATTR_MASK, LPAE_S2_ATTR_DEVICE);
	/* No instructions, whose caches could not be maintained either. */
	hyp.hsr = (u32)HSR_EC_IABT << 26 | HSR_IL | HSR_FSC_TRANSLATION | 3;
	hyp.hpfar = (RAM >> 12 | 2) << 4;
	KTAP_EQ(armvmm_abort_handle(&vcpu), 1);
	KTAP_EQ(refused, 1);
	refused = 0;
	KTAP_EQ(lookup(2, &level), 0);
	/* Nor a block; and memory that the client does not cache either stays as it is. */
	host.pfn = CARVEOUT;
	host.huge = true;
	guest(2, READ);
	EXPECT(0, 0);
	KTAP_TRUE(lookup(2, &level) && level == 3);
	host.huge = false;
	host.attr = LPAE_S2_ATTR_NC;
	guest(3, READ);
	KTAP_EQ(lookup(3, &level) & LPAE_S2_ATTR_MASK, LPAE_S2_ATTR_NC);
}
ON_BOTH(carveout)

static void block(void)
{
	unsigned int level;

	host.huge = true;
	host.writable = false;
	guest(3, READ);
	EXPECT(BLOCK_PAGES, 0);
	KTAP_EQ(last_cleaned, 0x80000);
	KTAP_EQ(next_cleaned, 0x80000 + BLOCK_PAGES);
	host.writable = true;
	guest(4, WRITE);
	EXPECT(0, 0);
	guest(5, FETCH);
	EXPECT(0, BLOCK_PAGES);
	KTAP_TRUE(lookup(6, &level));
	KTAP_EQ(level, 2);
	/* The block is split; its pages were flushed with it. */
	log_writes(true);
	guest(6, WRITE);
	EXPECT(0, 0);
	KTAP_TRUE(lookup(7, &level));
	KTAP_EQ(level, 3);
	guest(7, WRITE);
	EXPECT(0, 0);
	/* Nobody looks whether the guest has all pages of a block that takes a table's place. */
	log_writes(false);
	guest(8, WRITE);
	EXPECT(BLOCK_PAGES, 0);
	KTAP_TRUE(lookup(8, &level));
	KTAP_EQ(level, 2);
	/* One page comes from elsewhere now: it is flushed, and then the one that is taken back. */
	log_writes(true);
	host.pfn = 0x90000;
	guest(9, WRITE);
	EXPECT(2, 0);
	KTAP_EQ(last_cleaned, 0x80009);
}
ON_BOTH(block)

/* A guest with its caches off gets what it touches; with them on, the block in its pages' place. */
static void block_uncached(void)
{
	unsigned int level;

	host.huge = true;
	uncached = true;
	guest(3, WRITE);
	EXPECT(1, 0);
	KTAP_TRUE(lookup(3, &level) && level == 3 && !lookup(4, &level));
	uncached = false;
	guest(4, WRITE);
	KTAP_TRUE(lookup(5, &level) && level == 2);
	/* It turns them off while the block is looked for. */
	armvmm_stage2_unmap(&vm, RAM, BLOCK_PAGES * PAGE_SIZE);
	uncached_meanwhile = maps_nothing = true;
	fault(6, WRITE, HSR_FSC_TRANSLATION);
	KTAP_TRUE(!lookup(6, &level));
	uncached_meanwhile = uncached = maps_nothing = false;
}
ON_BOTH(block_uncached)

/* The host takes back a part of what would be a block, and not the page that the guest wants. */
static void block_being_taken(void)
{
	struct stage2 *s2 = &vm.stage2;
	unsigned int level;

	host.huge = true;
	s2->invalidate_count = 1;
	s2->invalidate_start = HVA + 511 * PAGE_SIZE;
	s2->invalidate_end = HVA + 512 * PAGE_SIZE;
	maps_nothing = true;
	fault(3, WRITE, HSR_FSC_TRANSLATION);
	KTAP_EQ(lookup(3, &level), 0);
	KTAP_EQ(lookup(511, &level), 0);
	maps_nothing = false;
	/* A page on its own is none of that part; and the next block is another one. */
	host.huge = false;
	guest(3, WRITE);
	host.huge = true;
	guest(512, WRITE);
	KTAP_TRUE(lookup(513, &level));
	KTAP_EQ(level, 2);
	s2->invalidate_count = 0;
	guest(4, WRITE);
	KTAP_TRUE(lookup(511, &level));
}
ON_BOTH(block_being_taken)

/* The guest has the pages [first, end), and not those beside them. */
static void has(unsigned int first, unsigned int end)
{
	unsigned int level;

	for (unsigned int i = first; i < end; i++)
		KTAP_EQ(lookup(i, &level), (stage2_leaf((host.pfn + i) * PAGE_SIZE, 3, host.attr,
							true, false) | vm.stage2.sh));
	KTAP_TRUE(end == NR_PAGES || !lookup(end, &level));
	KTAP_TRUE(!first || !lookup(first - 1, &level));
}

static void client_has(unsigned long pages)
{
	host.hva_cpu = fake_cpu;
	host.was_there = true;
	writable_pages = pages;
}

/* A guest that goes through its memory gets more and more at once, each page clean. */
static void more(void)
{
	unsigned int page, n;

	client_has(NR_PAGES);
	for (page = 0, n = 0; page < 100; page += 1 + n, n = min(page, 15u)) {
		guest(page, page & 1 ? READ : WRITE);
		EXPECT(1 + n, 0);
		KTAP_EQ(last_cleaned, host.pfn + page);
		KTAP_EQ(next_cleaned, host.pfn + page + 1 + n);
		has(0, page + 1 + n);
	}
	/* One that does not gets no more than it touches; nor is anything cleaned for nothing. */
	guest(300, WRITE);
	guest(302, WRITE);
	EXPECT(1, 0);
	guest(301, WRITE);
	EXPECT(1, 0);
	has(300, 303);
	guest(306, WRITE);
	guest(303, WRITE);
	EXPECT(3, 0);
	guest(299, WRITE);
	EXPECT(1, 0);
	has(299, 307);
}
ON_BOTH(more)

/* Where the slot ends, the table, and what the client has. */
static void more_ends(void)
{
	unsigned int level;

	client_has(NR_PAGES);
	guest(508, WRITE);
	guest(509, WRITE);
	guest(511, WRITE);
	EXPECT(1, 0);
	guest(512, WRITE);
	EXPECT(1, 0);
	has(508, 513);
	slot.npages = 600;
	for (unsigned int page = 590; page < 599; page++)
		fault(page, WRITE, HSR_FSC_TRANSLATION);
	has(590, 600);
	slot.npages = NR_PAGES;
	client_has(27);
	guest(20, WRITE);
	guest(21, WRITE);
	EXPECT(2, 0);
	guest(23, WRITE);
	EXPECT(4, 0);
	has(20, 27);
	KTAP_TRUE(!lookup(27, &level));
}
ON_BOTH(more_ends)

extern unsigned int *const fake_param_fault_around;

/* What is wanted comes alone if it is not just what follows, or if it has to be noted. */
static void no_more(void)
{
	client_has(NR_PAGES);
	guest(0, WRITE);
	host.was_there = false;
	guest(1, WRITE);
	EXPECT(1, 0);
	host.was_there = true;
	guest(2, FETCH);
	EXPECT(1, 1);
	armvmm_stage2_unmap(&vm, RAM + 2 * PAGE_SIZE, PAGE_SIZE);
	guest_with_old_tlb(2, WRITE);
	EXPECT(1, 0);
	host.hva_cpu = -1;
	host.was_there = false;
	guest(3, WRITE);
	EXPECT(1, 0);
	client_has(NR_PAGES);
	host.writable = false;
	guest(4, READ);
	EXPECT(1, 0);
	host.writable = true;
	guest(4, WRITE);
	has(0, 5);
	log_writes(true);
	guest(5, WRITE);
	EXPECT(1, 0);
	KTAP_EQ(marked, 1);
	log_writes(false);
	/* Nor while caches are off: what the client writes is flushed at the guest's touch. */
	uncached = true;
	guest(6, WRITE);
	EXPECT(1, 0);
	uncached = false;
	armvmm_stage2_unmap(&vm, RAM + 6 * PAGE_SIZE, PAGE_SIZE);
	*fake_param_fault_around = 0;
	guest(6, WRITE);
	EXPECT(1, 0);
	*fake_param_fault_around = 2;
	guest(7, WRITE);
	EXPECT(3, 0);
	*fake_param_fault_around = ~0u;
	guest(10, WRITE);
	EXPECT(11, 0);
	guest(21, WRITE);
	EXPECT(16, 0);
}
ON_BOTH(no_more)

/* What changes meanwhile: the thread's CPU, the client's pages. */
static void more_meanwhile(void)
{
	struct stage2 *s2 = &vm.stage2;
	unsigned int level;

	client_has(NR_PAGES);
	guest(0, WRITE);
	guest(1, WRITE);
	has(0, 3);
	moves_meanwhile = true;
	guest(3, WRITE);
	EXPECT(1, 0);
	moves_meanwhile = false;
	takes_meanwhile = true;
	guest(4, WRITE);
	takes_meanwhile = false;
	host.seq = s2->invalidate_seq;
	has(0, 5);
	/* The last of them is being taken. */
	s2->invalidate_count = 1;
	s2->invalidate_start = HVA + 10 * PAGE_SIZE;
	s2->invalidate_end = HVA + 11 * PAGE_SIZE;
	guest(5, WRITE);
	has(0, 6);
	s2->invalidate_start = HVA + 13 * PAGE_SIZE;
	s2->invalidate_end = HVA + 14 * PAGE_SIZE;
	guest(6, WRITE);
	s2->invalidate_count = 0;
	has(0, 13);
	maps_meanwhile = 16;
	guest(13, WRITE);
	maps_meanwhile = 0;
	KTAP_TRUE(!is_allowed(lookup(16, &level), WRITE));
	KTAP_TRUE(is_allowed(lookup(17, &level), WRITE));
	guest(16, WRITE);
	EXPECT(0, 0);
	has(0, 27);
}
ON_BOTH(more_meanwhile)

KTAP_MAIN(KTAP_CASE(test_first_touch), KTAP_CASE(test_by_client),
	  KTAP_CASE(test_by_client_elsewhere), KTAP_CASE(test_write_protected),
	  KTAP_CASE(test_fetch), KTAP_CASE(test_fetch_uncached), KTAP_CASE(test_fetch_and_init),
	  KTAP_CASE(test_fetch_and_init_block),
	  KTAP_CASE(test_other_page), KTAP_CASE(test_carveout), KTAP_CASE(test_block),
	  KTAP_CASE(test_block_uncached),
	  KTAP_CASE(test_more), KTAP_CASE(test_more_ends), KTAP_CASE(test_no_more),
	  KTAP_CASE(test_more_meanwhile),
	  KTAP_CASE(test_block_being_taken))
