// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/host/cache.c
// cflags: -include tests/unit/cache_fake.h -Itests/unit/fake -Iinclude/uapi -Idriver
/*
 * What caches are told to do, on CPUs that no emulator has: instruction caches that are VIPT, and
 * lines of other sizes (DDI 0406C B2.2.6, B3.11.2).
 */
#include "ktap.h"

#include "host/cache.h"

#define A15	0x8444c004u	/* PIPT, lines of 64 bytes */
#define A7	0x84448003u	/* VIPT, instruction lines of 32 bytes */
#define SMALL	0x8443c003u	/* PIPT, all lines of 32 bytes */
#define LARGE	0x8448c008u	/* PIPT, all lines of 1 KiB */

static struct {
	enum cache_did what;
	unsigned long addr;
} ops[16384];
static unsigned int nr_ops, at;
static void *mapped;

void fake_cache_op(enum cache_did what, unsigned long addr)
{
	/* An operation by address is for memory that is mapped at that time. */
	if ((what == DID_DCCIMVAC || what == DID_ICIMVAU) && addr >= FAKE_MAP &&
	    (addr - addr % PAGE_SIZE) != (unsigned long)mapped)
		KTAP_FAIL("%lx is not mapped", addr);
	if (nr_ops == ARRAY_SIZE(ops)) {
		KTAP_FAIL("there is no end of operations");
		exit(1);
	}
	ops[nr_ops].what = what;
	ops[nr_ops++].addr = addr;
}

void *kmap_local_page(struct page *page)
{
	KTAP_TRUE(!mapped);
	mapped = (void *)(FAKE_MAP + ((unsigned long)page << PAGE_SHIFT));
	return mapped;
}

void kunmap_local(const void *va)
{
	KTAP_TRUE(va == mapped);
	mapped = NULL;
}

static int user_no_faults, user_access;

void fake_user(int no_faults, int access)
{
	user_no_faults += no_faults;
	user_access += access;
}

bool cache_dccimvac_user(unsigned long a, int n, unsigned long line)
{
	KTAP_TRUE(user_no_faults == 1 && user_access == 1);
	for (int i = 0; i < n * 16; i++, a += line) {
		if (a >= FAKE_USER_END)
			return false;
		fake_cache_op(DID_DCCIMVAC, a);
	}
	return true;
}

static void begin(void)
{
	nr_ops = at = 0;
}

static void next_is(enum cache_did what)
{
	KTAP_EQ(at < nr_ops ? ops[at].what : DID_NOTHING, what);
	at++;
}

/* Next: @what for each line of [addr, addr + size), once, in order. */
static void next_lines(enum cache_did what, unsigned long addr, unsigned long size,
		       unsigned long line)
{
	for (unsigned long a = addr / line * line; a < addr + size; a += line, at++)
		if (at >= nr_ops || ops[at].what != what || ops[at].addr != a) {
			KTAP_FAIL("operation %u is %d of %lx, not %d of %lx", at, ops[at].what,
				  ops[at].addr, what, a);
			return;
		}
}

static void end(void)
{
	KTAP_EQ(at, nr_ops);
	KTAP_TRUE(!mapped);
}

static unsigned long page_at(unsigned long pfn)
{
	return FAKE_MAP + (pfn << PAGE_SHIFT);
}

/* The whole instruction cache of every CPU, after the stores, and before what comes next. */
static void next_icache_all(void)
{
	next_is(DID_DSB_ISHST);
	next_is(DID_ICIALLUIS);
	next_is(DID_BPIALLIS);
	next_is(DID_DSB_ISH);
	next_is(DID_ISB);
}

static void check_data(unsigned long line)
{
	/* Kernel memory: each line of which a byte is in it. */
	begin();
	armvmm_cache_flush((void *)0xc0001020ul, 0x80);
	next_lines(DID_DCCIMVAC, 0xc0001020, 0x80, line);
	next_is(DID_DSB_SY);
	end();
	/* Pages, those left out of which the kernel has no mapping; one DSB at the end. */
	begin();
	armvmm_cache_flush_pfn(FAKE_PFNS - 2, 4 * PAGE_SIZE);
	next_lines(DID_DCCIMVAC, page_at(FAKE_PFNS - 2), PAGE_SIZE, line);
	next_lines(DID_DCCIMVAC, page_at(FAKE_PFNS - 1), PAGE_SIZE, line);
	next_is(DID_DSB_SY);
	end();
}

/* Where every instruction cache is PIPT: lines by any address, unless all is less work. */
static void check_pipt(unsigned long line)
{
	begin();
	armvmm_cache_invalidate_icache_pfn(3, 2 * PAGE_SIZE);
	next_is(DID_DSB_ISHST);
	next_lines(DID_ICIMVAU, page_at(3), PAGE_SIZE, line);
	next_lines(DID_ICIMVAU, page_at(4), PAGE_SIZE, line);
	next_is(DID_BPIALLIS);
	next_is(DID_DSB_ISH);
	next_is(DID_ISB);
	armvmm_cache_invalidate_icache_pfn(0, 32 * PAGE_SIZE);
	next_icache_all();
	/* What has no struct page has no address here. */
	armvmm_cache_invalidate_icache_pfn(FAKE_PFNS, PAGE_SIZE);
	next_icache_all();
	/* The client has done it, by its own addresses. */
	armvmm_cache_sync_client_code();
	end();
}

/* Where one is VIPT: the guest's addresses are not known, so nothing is done by address. */
static void check_vipt(void)
{
	begin();
	armvmm_cache_invalidate_icache_pfn(3, PAGE_SIZE);
	next_icache_all();
	armvmm_cache_invalidate_icache_pfn(0, 32 * PAGE_SIZE);
	next_icache_all();
	armvmm_cache_sync_client_code();
	next_icache_all();
	end();
}

/*
 * One host, whose CPUs come one by one. The cases build on each other: what a CPU once brought
 * stays so.
 */
/* A page by the client's own address: all of its lines, once each, then the barrier. */
static void check_client(unsigned int line)
{
	begin();
	KTAP_TRUE(armvmm_cache_flush_client(0x1f123));
	for (unsigned int i = 0; i < PAGE_SIZE / line; i++) {
		KTAP_EQ(ops[at].addr, 0x1f000 + i * line);
		next_is(DID_DCCIMVAC);
	}
	next_is(DID_DSB_SY);
	KTAP_EQ(nr_ops, at);
	/* Nothing is mapped there any more: it says so, and lets go of user space. */
	KTAP_TRUE(!armvmm_cache_flush_client(FAKE_USER_END));
	KTAP_TRUE(!user_no_faults && !user_access);
}

static void test_large(void)
{
	armvmm_cache_add_cpu(LARGE);
	check_data(1024);
}

static void test_a15(void)
{
	armvmm_cache_add_cpu(A15);
	check_data(64);
	check_client(64);
	check_pipt(64);
}

static void test_small(void)
{
	armvmm_cache_add_cpu(SMALL);
	check_data(32);
	check_client(32);
	check_pipt(32);
	armvmm_cache_add_cpu(A15);
	check_data(32);
	check_pipt(32);
}

static void test_a7(void)
{
	armvmm_cache_add_cpu(A7);
	check_data(32);
	check_vipt();
	armvmm_cache_add_cpu(A15);
	check_vipt();
}

static void test_all(void)
{
	begin();
	armvmm_cache_invalidate_icache_all();
	next_icache_all();
	end();
}

KTAP_MAIN(KTAP_CASE(test_large), KTAP_CASE(test_a15), KTAP_CASE(test_small), KTAP_CASE(test_a7),
	  KTAP_CASE(test_all))
