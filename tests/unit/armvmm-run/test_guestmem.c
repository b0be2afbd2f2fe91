// SPDX-License-Identifier: GPL-2.0-only
// sources: userspace/armvmm-run/core/guestmem.c
// cflags: -Iuserspace/armvmm-run -D_GNU_SOURCE
/*
 * Where guest memory lies in this process. A huge page of the host's can be one block of the
 * guest's only if both have it at the same address modulo 2 MiB, whatever the kernel chose.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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

/* ---- Memory that another process has as well ---- */

static uint8_t *shared(struct guestmem *mem, size_t size)
{
	uint8_t *other;

	mem->shared = true;
	KTAP_EQ(guestmem_alloc(mem, RAM_BASE + MIB, size), 0);
	KTAP_EQ(((uintptr_t)mem->region[0].host ^ MIB) & (2 * MIB - 1), 0);
	other = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, mem->region[0].fd, 0);
	KTAP_TRUE(other != MAP_FAILED);
	return other;
}

/* Both see the same, also when it is given back: page by page, and at a reset. */
static void test_shared(void)
{
	struct guestmem mem = { };
	uint8_t *other = shared(&mem, 4 * MIB), *host = mem.region[0].host;

	memset(host, 1, 4 * MIB);
	KTAP_EQ(other[0] + other[4 * MIB - 1], 2);
	other[PAGE] = 5;
	KTAP_EQ(host[PAGE], 5);
	guestmem_release(&mem, host + PAGE, 2 * PAGE);
	KTAP_EQ(host[PAGE - 1] + host[PAGE] + host[3 * PAGE - 1] + host[3 * PAGE], 2);
	KTAP_EQ(other[PAGE - 1] + other[PAGE] + other[3 * PAGE - 1] + other[3 * PAGE], 2);
	guestmem_discard(&mem);
	for (size_t i = 0; i < 4 * MIB; i += PAGE)
		if (host[i] || other[i])
			KTAP_FAIL("page %zu", i / PAGE);
	munmap(other, 4 * MIB);
	guestmem_destroy(&mem);
}

/* What is to be kept over a reset is kept, and what lies around it is not. */
static void test_kept(void)
{
	for (unsigned int i = 0; i < 3; i++) {
		struct guestmem mem = { .shared = i == 2 };
		uint8_t *host;

		KTAP_EQ(guestmem_alloc(&mem, RAM_BASE, 4 * MIB), 0);
		host = mem.region[0].host;
		memset(host, 1, 4 * MIB);
		mem.kept_size = 3 * PAGE;
		mem.kept_gpa = i ? RAM_BASE + 4 * MIB - 3 * PAGE : RAM_BASE + MIB;
		guestmem_discard(&mem);
		for (size_t at = 0; at < 4 * MIB; at++) {
			bool kept = RAM_BASE + at >= mem.kept_gpa &&
				    RAM_BASE + at < mem.kept_gpa + mem.kept_size;

			if (host[at] != kept)
				KTAP_FAIL("byte %zu is %u", at, host[at]);
		}
		guestmem_destroy(&mem);
	}
}

/* It cannot be cut, nor the seals be broken; and nobody has it when it is gone. */
static void test_sealed(void)
{
	struct guestmem mem = { };
	uint8_t *other = shared(&mem, 4 * MIB);
	int fd = mem.region[0].fd;

	KTAP_TRUE(ftruncate(fd, 0) && errno == EPERM);
	KTAP_TRUE(ftruncate(fd, 8 * MIB) && errno == EPERM);
	KTAP_TRUE(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) && errno == EPERM);
	KTAP_TRUE(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	munmap(other, 4 * MIB);
	guestmem_destroy(&mem);
	KTAP_TRUE(fcntl(fd, F_GETFD) < 0 && errno == EBADF);
}

/* Who did not ask is given no file; and none stays open of a region that overlaps another. */
static void test_private(void)
{
	struct guestmem mem = { };
	int fd;

	KTAP_EQ(guestmem_alloc(&mem, RAM_BASE, MIB), 0);
	KTAP_EQ(mem.region[0].fd, -1);
	guestmem_destroy(&mem);
	mem.shared = true;
	KTAP_EQ(guestmem_alloc(&mem, RAM_BASE, MIB), 0);
	fd = dup(0);
	close(fd);
	KTAP_EQ(guestmem_alloc(&mem, RAM_BASE, MIB), -EEXIST);
	KTAP_EQ(dup(0), fd);
	close(fd);
	guestmem_destroy(&mem);
}

/* ---- Two regions that are neighbours here, and not in the guest ---- */

#define PAGES	3u
#define FAR	(RAM_BASE + 64 * MIB)

static struct {
	uint64_t gpa, size;
} unpinned[4];
static unsigned int nr_unpinned;

static void note_unpin(void *opaque, uint64_t gpa, uint64_t size)
{
	(void)opaque;
	if (nr_unpinned < 4) {
		unpinned[nr_unpinned].gpa = gpa;
		unpinned[nr_unpinned].size = size;
	}
	nr_unpinned++;
}

static uint8_t *touching(struct guestmem *mem)
{
	uint8_t *all = mmap(NULL, 2 * PAGES * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	KTAP_TRUE(all != MAP_FAILED);
	KTAP_EQ(guestmem_add(mem, FAR, PAGES * PAGE, all + PAGES * PAGE), 0);
	KTAP_EQ(guestmem_add(mem, RAM_BASE, PAGES * PAGE, all), 0);
	memset(all, 1, 2 * PAGES * PAGE);
	nr_unpinned = 0;
	return all;
}

/* Bytes of both are noted as each one's, and none beside them. */
static void test_log_touching(void)
{
	struct guestmem mem = { };
	uint8_t *all = touching(&mem);
	uint32_t bits[2];

	KTAP_EQ(guestmem_log_start(&mem), 0);
	for (size_t first = 0; first < 2 * PAGES * PAGE; first += PAGE / 2)
		for (size_t len = PAGE / 2; first + len <= 2 * PAGES * PAGE; len += PAGE / 2) {
			size_t end = (first + len + PAGE - 1) / PAGE;
			uint32_t want = (1u << end) - (1u << first / PAGE);

			memset(bits, 0, sizeof(bits));
			guestmem_wrote(&mem, all + first, len);
			guestmem_log_take(&mem, 1, &bits[0]);
			guestmem_log_take(&mem, 0, &bits[1]);
			KTAP_EQ(bits[0] | bits[1] << PAGES, want);
		}
	memset(bits, 0, sizeof(bits));
	guestmem_wrote(&mem, all + 2 * PAGES * PAGE, PAGE);
	guestmem_wrote(&mem, all - PAGE, PAGE);
	guestmem_log_take(&mem, 1, &bits[0]);
	guestmem_log_take(&mem, 0, &bits[1]);
	KTAP_EQ(bits[0] | bits[1], 0);
	guestmem_destroy(&mem);
}

/* Pages of both go, and each is unpinned where the guest has it. */
static void test_release_touching(void)
{
	struct guestmem mem = { .pinned = true, .unpin = note_unpin };
	uint8_t *all = touching(&mem);

	guestmem_release(&mem, all + (PAGES - 1) * PAGE, 3 * PAGE);
	KTAP_EQ(nr_unpinned, 2);
	KTAP_EQ(unpinned[0].gpa, FAR);
	KTAP_EQ(unpinned[0].size, 2 * PAGE);
	KTAP_EQ(unpinned[1].gpa, RAM_BASE + (PAGES - 1) * PAGE);
	KTAP_EQ(unpinned[1].size, PAGE);
	for (size_t page = 0; page < 2 * PAGES; page++)
		KTAP_EQ(all[page * PAGE], page < PAGES - 1 || page > PAGES + 1);
	guestmem_destroy(&mem);
}

KTAP_MAIN(KTAP_CASE(test_aligned), KTAP_CASE(test_nothing_else), KTAP_CASE(test_small),
	  KTAP_CASE(test_shared), KTAP_CASE(test_kept), KTAP_CASE(test_sealed),
	  KTAP_CASE(test_private),
	  KTAP_CASE(test_log_touching), KTAP_CASE(test_release_touching))
