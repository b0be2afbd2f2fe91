// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/core/guestmem.c
// cflags: -Iuserspace/armvmm-run -D_GNU_SOURCE
/*
 * Where guest memory lies in this process. A huge page of the host's can be one block of the
 * guest's only if both have it at the same address modulo 2 MiB, whatever the kernel chose.
 */
#include <string.h>
#include <sys/mman.h>

#include "ktap.h"

#include "../guest/lib/board.h"
#include "core/guestmem.h"

#define MIB	(1u << 20)
#define PAGE	GUESTMEM_PAGE

/* Is any of the page mapped? */
static bool is_mapped(void *page)
{
	unsigned char vec;

	return !mincore(page, PAGE, &vec);
}

/* Memory at @gpa, so often that the kernel chooses different addresses; then all is unmapped. */
static void check_at(uint64_t gpa, size_t size)
{
	struct guestmem mem = { };
	uint8_t *host;

	for (unsigned int i = 0; i < 8; i++) {
		KTAP_EQ(guestmem_alloc(&mem, gpa, size), 0);
		host = mem.region[0].host;
		KTAP_EQ(((uintptr_t)host ^ gpa) & (2 * MIB - 1), 0);
		memset(host, 1, size);
		KTAP_TRUE(is_mapped(host) && is_mapped(host + size - PAGE));
		guestmem_destroy(&mem);
		KTAP_TRUE(!is_mapped(host) && !is_mapped(host + size - PAGE));
		/* So that the next place is another one. */
		mmap(NULL, 3 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	}
}

static void test_aligned(void)
{
	check_at(RAM_BASE, 64 * MIB);
	check_at(RAM_BASE, 2 * MIB);
	check_at(RAM_BASE + MIB, 5 * MIB);
	check_at(RAM_BASE + 2 * MIB - PAGE, 3 * MIB + 5 * PAGE);
}

/* Pages of this process's address space. */
static long mapped(void)
{
	long pages = -1;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f && fscanf(f, "%ld", &pages) != 1)
		pages = -1;
	if (f)
		fclose(f);
	return pages;
}

/* What was mapped for the sake of the address does not stay, in front of it or behind. */
static void test_nothing_else(void)
{
	struct guestmem mem = { };
	long before = mapped();

	KTAP_EQ(guestmem_alloc(&mem, RAM_BASE + 3 * PAGE, 8 * MIB), 0);
	KTAP_EQ(mapped() - before, 8l * MIB / PAGE);
	guestmem_destroy(&mem);
	KTAP_EQ(mapped(), before);
}

/* Too small for a huge page. */
static void test_small(void)
{
	struct guestmem mem = { };

	KTAP_EQ(guestmem_alloc(&mem, RAM_BASE, MIB), 0);
	memset(mem.region[0].host, 1, MIB);
	guestmem_destroy(&mem);
}

KTAP_MAIN(KTAP_CASE(test_aligned), KTAP_CASE(test_nothing_else), KTAP_CASE(test_small))
