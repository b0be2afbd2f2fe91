// SPDX-License-Identifier: GPL-2.0-only
/*
 * Huge pages of the host (THP, hugetlb) are 2 MiB blocks of the guest. This shows in the number and
 * cost of a guest's first touches, and when a block must be split, joined or taken back. For hosts
 * that have huge pages: with LPAE. swap.c lets the host take blocks from a guest that uses them.
 */
#include "binstats.h"

#include <sys/wait.h>

#define HUGE	(2u << 20)
#define AREA	0x80000000u
#define SLOT	1u

/* Reads a word of each page from r5 to r6; reports how many ticks that took. */
GUEST_CODE(touch, "ldr r1, =DEV_BASE\n1:\tmov r2, r5\n\tisb\n\tmrrc p15, 1, r8, r9, c14\n"
	   "2:\tldr r0, [r2]\n\tadd r2, r2, #4096\n\tcmp r2, r6\n\tblo 2b\n\t"
	   "dsb\n\tisb\n\tmrrc p15, 1, r10, r11, c14\n\tsub r0, r10, r8\n\tstr r0, [r1]\n\tb 1b");
/* Writes r3 at r2, then tells. */
GUEST_CODE(poke, "ldr r1, =DEV_BASE\n1:\tstr r3, [r2]\n\tstr r3, [r1]\n\tb 1b");
GUEST_CODE(peek, "ldr r1, =DEV_BASE\n1:\tldr r0, [r2]\n\tstr r0, [r1]\n\tb 1b");

static uint32_t report(struct vm *vm)
{
	uint32_t v;

	MUST(vm_run(vm, 0) == KVM_EXIT_MMIO && vm->vcpu[0].run->mmio.phys_addr == DEV_BASE,
	     "the guest did not come to its report");
	memcpy(&v, vm->vcpu[0].run->mmio.data, 4);
	return v;
}

static void poke(struct vm *vm, uint32_t at, uint32_t value)
{
	reg32_set(vm->vcpu[0].fd, REG_R(2), at);
	reg32_set(vm->vcpu[0].fd, REG_R(3), value);
	CHECK(report(vm) == value);
}

static void peek(struct vm *vm, uint32_t at, uint32_t want)
{
	uint32_t v;

	reg32_set(vm->vcpu[0].fd, REG_R(2), at);
	v = report(vm);
	CHECK(v == want, "%x at %x, not %x", v, at, want);
}

/* Blocks that the guest has. */
static unsigned int blocks(struct vm *vm)
{
	int fd = stats_fd(vm->fd);
	uint64_t n = stat_of(fd, "pages_2m");

	close(fd);
	return (unsigned int)n;
}

static long smaps_kb(const char *what)
{
	char line[256];
	long sum = 0;
	FILE *f = fopen("/proc/self/smaps", "r");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, what, strlen(what)))
			sum += atol(line + strlen(what));
	if (f)
		fclose(f);
	return sum;
}

/* Memory at a multiple of 2 MiB. */
static char *aligned(unsigned int n)
{
	char *mem = map_pages((n + 1) * HUGE);

	return (char *)(((uintptr_t)mem + HUGE - 1) & ~(uintptr_t)(HUGE - 1));
}

/* Such memory, with small or huge pages, written to. */
static char *backing(unsigned int n, bool huge)
{
	char *mem = aligned(n);

	if (madvise(mem, n * HUGE, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) < 0)
		ktap_skip("this kernel has no huge pages");
	memset(mem, 0x5a, n * HUGE);
	if (huge)
		MUST(smaps_kb("AnonHugePages:") >= (long)(n * HUGE / 1024),
		     "the host gave no huge pages: %ld kB", smaps_kb("AnonHugePages:"));
	return mem;
}

/*
 * The fewest ticks for a first touch of 2 MiB in @mem, which the guest has at @at. It takes @faults
 * and makes that many blocks.
 */
static uint32_t touch(struct vm *vm, char *mem, uint32_t at, int rounds, uint64_t faults,
		      unsigned int made)
{
	int fd = stats_fd(vm->vcpu[0].fd);
	uint64_t fewest = ~0ull;
	uint32_t best = ~0u;

	while (rounds--) {
		uint64_t before = stat_of(fd, "page_faults"), n;
		uint32_t ticks;

		MUST_OK(mem_set(vm->fd, SLOT, 0, at, HUGE, mem));
		VM_CODE(vm, 0, touch);
		reg32_set(vm->vcpu[0].fd, REG_R(5), at);
		reg32_set(vm->vcpu[0].fd, REG_R(6), at + HUGE);
		ticks = report(vm);
		if (ticks < best)
			best = ticks;
		/* Without that of the code's page, which vm_sync() took back. */
		n = stat_of(fd, "page_faults") - before - 1;
		if (n < fewest)
			fewest = n;
		CHECK(blocks(vm) == made, "%u blocks", blocks(vm));
		MUST_OK(mem_set(vm->fd, SLOT, 0, 0, 0, NULL));
		CHECK(blocks(vm) == 0, "%u blocks", blocks(vm));
	}
	CHECK(fewest == faults, "%llu faults", (unsigned long long)fewest);
	close(fd);
	return best;
}

/* One fault instead of 512 if the addresses agree modulo 2 MiB; else not. */
static void cost(void)
{
	uint32_t small, huge, askew;
	struct vm vm;

	vm_make(&vm, 1, 0);
	vm_caches_on(&vm);
	small = touch(&vm, backing(1, false), AREA, 8, 512, 0);
	huge = touch(&vm, backing(1, true), AREA, 8, 1, 1);
	askew = touch(&vm, backing(1, true), AREA + PAGE, 8, 512, 0);
	ktap_note("ticks for the first touch of 2 MiB: %u by small pages, %u by a huge one, %u by a huge one askew",
		  small, huge, askew);
	CHECK(small > 3 * huge, "%u and %u ticks", small, huge);
	CHECK(askew > 3 * huge, "%u and %u ticks", askew, huge);
}

/* Logging reports single pages of a block, and the block's other pages keep their contents. */
static void logged(void)
{
	struct kvm_enable_cap manual = {
		.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, .args = { 1 },
	};
	struct kvm_clear_dirty_log clear = { .slot = SLOT, .first_page = 64, .num_pages = 64 };
	struct kvm_dirty_log log = { .slot = SLOT };
	static uint32_t bitmap[2 * HUGE / PAGE / 32];
	struct vm vm;
	char *mem;
	unsigned int i, n = 0;

	vm_make(&vm, 1, 0);
	vm_caches_on(&vm);
	mem = backing(2, true);
	MUST_OK(mem_set(vm.fd, SLOT, 0, AREA, 2 * HUGE, mem));
	VM_CODE(&vm, 0, poke);
	poke(&vm, AREA, 1);
	poke(&vm, AREA + HUGE, 1);
	CHECK(blocks(&vm) == 2);
	CHECK_OK(mem_set(vm.fd, SLOT, KVM_MEM_LOG_DIRTY_PAGES, AREA, 2 * HUGE, mem));
	/* Each is split by the first write. */
	poke(&vm, AREA + 7 * PAGE, 2);
	CHECK(blocks(&vm) == 1);
	poke(&vm, AREA + HUGE + 511 * PAGE, 3);
	CHECK(blocks(&vm) == 0);
	log.dirty_bitmap = bitmap;
	CHECK_OK(ioctl(vm.fd, KVM_GET_DIRTY_LOG, &log));
	for (i = 0; i < sizeof(bitmap) / 4; i++)
		n += (unsigned int)__builtin_popcount(bitmap[i]);
	CHECK(n == 2 && bitmap[0] == 1 << 7 && bitmap[31] == 1u << 31, "%u pages", n);
	CHECK(*(uint32_t *)(mem + 7 * PAGE) == 2 && *(uint32_t *)(mem + HUGE + 511 * PAGE) == 3);
	/* The same if the client clears the log, a part of a block at a time. */
	CHECK_OK(ioctl(vm.fd, KVM_ENABLE_CAP, &manual));
	for (n = 0; n < 2; n++) {
		poke(&vm, AREA + 64 * PAGE, 4);
		poke(&vm, AREA + 130 * PAGE, 5);
		CHECK_OK(ioctl(vm.fd, KVM_GET_DIRTY_LOG, &log));
		CHECK(bitmap[2] == 1 && bitmap[4] == 1 << 2 && !bitmap[0] && !bitmap[31],
		      "%x %x, round %u", bitmap[2], bitmap[4], n);
		clear.dirty_bitmap = bitmap + 2;
		CHECK_OK(ioctl(vm.fd, KVM_CLEAR_DIRTY_LOG, &clear));
		CHECK_OK(ioctl(vm.fd, KVM_GET_DIRTY_LOG, &log));
		CHECK(!bitmap[2] && bitmap[4] == 1 << 2, "%x %x", bitmap[2], bitmap[4]);
	}
	CHECK(*(uint32_t *)(mem + 64 * PAGE) == 4 && *(uint32_t *)(mem + 130 * PAGE) == 5);
	for (n = 64; n < 131; n += 66)
		memset(mem + n * PAGE, 0x5a, 4);
	VM_CODE(&vm, 0, peek);
	for (i = 1; i < 1024; i += 3)
		peek(&vm, AREA + i * PAGE + 8, 0x5a5a5a5a);
	CHECK(blocks(&vm) == 0);
	/* Logging off: blocks again replace the tables of pages. */
	CHECK_OK(mem_set(vm.fd, SLOT, 0, AREA, 2 * HUGE, mem));
	VM_CODE(&vm, 0, poke);
	for (i = 0; i < 1024; i += 5)
		poke(&vm, AREA + i * PAGE, i);
	CHECK(blocks(&vm) == 2);
	for (i = 0; i < 1024; i += 5)
		CHECK(*(uint32_t *)(mem + i * PAGE) == i, "page %u", i);
}

/* The host takes a page out of the middle, copies on write, and splits the huge page. */
static void taken_back(void)
{
	struct vm vm;
	char *mem;
	pid_t pid;
	int status;

	vm_make(&vm, 1, 0);
	vm_caches_on(&vm);
	mem = backing(1, true);
	MUST_OK(mem_set(vm.fd, SLOT, 0, AREA, HUGE, mem));
	VM_CODE(&vm, 0, poke);
	poke(&vm, AREA + 100 * PAGE, 5);
	CHECK(blocks(&vm) == 1);
	CHECK_OK(madvise(mem + 100 * PAGE, PAGE, MADV_DONTNEED));
	CHECK(blocks(&vm) == 0);
	VM_CODE(&vm, 0, peek);
	peek(&vm, AREA + 100 * PAGE, 0);
	peek(&vm, AREA + 101 * PAGE, 0x5a5a5a5a);
	CHECK(blocks(&vm) == 0);

	mem = backing(1, true);
	MUST_OK(mem_set(vm.fd, SLOT, 0, 0, 0, NULL));
	MUST_OK(mem_set(vm.fd, SLOT, 0, AREA, HUGE, mem));
	VM_CODE(&vm, 0, poke);
	poke(&vm, AREA + 9 * PAGE, 6);
	pid = fork();
	if (!pid) {
		/* The child must not see what the guest writes from here on. */
		sleep(1);
		_exit(*(volatile uint32_t *)(mem + 9 * PAGE) != 6);
	}
	poke(&vm, AREA + 9 * PAGE, 7);
	CHECK(*(uint32_t *)(mem + 9 * PAGE) == 7);
	waitpid(pid, &status, 0);
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status), "the guest wrote into the child's copy");
}

/* A part of the client's memory goes, or may be written no longer. */
static void parts(void)
{
	struct vm vm;
	char *mem;

	vm_make(&vm, 1, 0);
	vm_caches_on(&vm);
	mem = backing(2, true);
	MUST_OK(mem_set(vm.fd, SLOT, 0, AREA, 2 * HUGE, mem));
	VM_CODE(&vm, 0, poke);
	poke(&vm, AREA + 5 * PAGE, 1);
	poke(&vm, AREA + HUGE + 5 * PAGE, 2);
	CHECK(blocks(&vm) == 2);
	MUST_OK(munmap(mem + 40 * PAGE, 2 * PAGE));
	CHECK(blocks(&vm) == 1);
	reg32_set(vm.vcpu[0].fd, REG_R(2), AREA + 41 * PAGE);
	CHECK_ERRNO(ioctl(vm.vcpu[0].fd, KVM_RUN, 0), EFAULT);
	poke(&vm, AREA + 42 * PAGE, 3);
	poke(&vm, AREA + 39 * PAGE, 4);
	CHECK(*(uint32_t *)(mem + 42 * PAGE) == 3 && *(uint32_t *)(mem + 39 * PAGE) == 4);
	CHECK(blocks(&vm) == 1);

	MUST_OK(mprotect(mem + HUGE + 60 * PAGE, PAGE, PROT_READ));
	CHECK(blocks(&vm) == 0);
	reg32_set(vm.vcpu[0].fd, REG_R(2), AREA + HUGE + 60 * PAGE);
	CHECK_ERRNO(ioctl(vm.vcpu[0].fd, KVM_RUN, 0), EFAULT);
	poke(&vm, AREA + HUGE + 61 * PAGE, 5);
	VM_CODE(&vm, 0, peek);
	peek(&vm, AREA + HUGE + 60 * PAGE, 0x5a5a5a5a);
	peek(&vm, AREA + HUGE + 5 * PAGE, 2);
	peek(&vm, AREA + 5 * PAGE, 1);
	MUST_OK(mprotect(mem + HUGE + 60 * PAGE, PAGE, PROT_READ | PROT_WRITE));
	VM_CODE(&vm, 0, poke);
	poke(&vm, AREA + HUGE + 60 * PAGE, 6);
	CHECK(*(uint32_t *)(mem + HUGE + 60 * PAGE) == 6);
	/* All of a block, whose huge page stays. */
	mem = backing(1, true);
	MUST_OK(mem_set(vm.fd, SLOT, 0, 0, 0, NULL));
	MUST_OK(mem_set(vm.fd, SLOT, 0, AREA, HUGE, mem));
	poke(&vm, AREA, 7);
	CHECK(blocks(&vm) == 1);
	MUST_OK(mprotect(mem, HUGE, PROT_READ));
	CHECK(blocks(&vm) == 0);
	CHECK_ERRNO(ioctl(vm.vcpu[0].fd, KVM_RUN, 0), EFAULT);
	VM_CODE(&vm, 0, peek);
	peek(&vm, AREA, 7);
	CHECK(blocks(&vm) == 1);
	/* It becomes writable by a fault of the client's, which takes nothing back. */
	MUST_OK(mprotect(mem, HUGE, PROT_READ | PROT_WRITE));
	peek(&vm, AREA + 9 * PAGE, 0x5a5a5a5a);
	VM_CODE(&vm, 0, poke);
	poke(&vm, AREA + 9 * PAGE, 8);
	CHECK(blocks(&vm) == 1);
	CHECK(*(uint32_t *)mem == 7 && *(uint32_t *)(mem + 9 * PAGE) == 8);
}

/* What is read before anything was written is the host's huge page of zeroes, for reading only. */
static void zeroes(void)
{
	struct vm vm;
	char *mem;

	vm_make(&vm, 1, 0);
	vm_caches_on(&vm);
	mem = aligned(2);
	if (madvise(mem, 2 * HUGE, MADV_HUGEPAGE) < 0)
		ktap_skip("this kernel has no huge pages");
	MUST_OK(mem_set(vm.fd, SLOT, 0, AREA, 2 * HUGE, mem));
	VM_CODE(&vm, 0, peek);
	peek(&vm, AREA + 3 * PAGE, 0);
	peek(&vm, AREA + HUGE + 3 * PAGE, 0);
	CHECK(blocks(&vm) == 2);
	VM_CODE(&vm, 0, poke);
	poke(&vm, AREA + 3 * PAGE, 9);
	CHECK(blocks(&vm) >= 1);
	CHECK(*(uint32_t *)(mem + 3 * PAGE) == 9);
	VM_CODE(&vm, 0, peek);
	peek(&vm, AREA + 3 * PAGE, 9);
	peek(&vm, AREA + 4 * PAGE, 0);
	peek(&vm, AREA + HUGE + 3 * PAGE, 0);
}

static char *huge_page(void)
{
	/* If the kernel of 7.2-lpae chooses the address, it dies at munmap(). */
	char *mem = mmap(aligned(1), HUGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_FIXED, -1, 0);

	MUST(mem != MAP_FAILED, "no huge page: %s", strerror(errno));
	return mem;
}

static void hugetlb(void)
{
	uint32_t small, huge;
	struct vm vm;
	FILE *f = fopen("/proc/sys/vm/nr_hugepages", "w");
	char *mem;

	if (!f)
		ktap_skip("this kernel has no hugetlbfs");
	fprintf(f, "4\n");
	fclose(f);
	mem = huge_page();
	vm_make(&vm, 1, 0);
	vm_caches_on(&vm);
	memset(mem, 1, HUGE);
	small = touch(&vm, backing(1, false), AREA, 8, 512, 0);
	huge = touch(&vm, mem, AREA, 8, 1, 1);
	ktap_note("ticks for the first touch of 2 MiB: %u by small pages, %u by hugetlb", small, huge);
	CHECK(small > 3 * huge, "%u and %u ticks", small, huge);
	/* The guest's fault brings in a huge page that was never touched. */
	mem = huge_page();
	MUST_OK(mem_set(vm.fd, SLOT, 0, AREA, HUGE, mem));
	VM_CODE(&vm, 0, poke);
	poke(&vm, AREA + 300 * PAGE, 8);
	CHECK(*(uint32_t *)(mem + 300 * PAGE) == 8 && mem[0] == 0);
	CHECK(blocks(&vm) == 1);
	MUST_OK(munmap(mem, HUGE));
	CHECK(blocks(&vm) == 0);
	CHECK_ERRNO(ioctl(vm.vcpu[0].fd, KVM_RUN, 0), EFAULT);
}

static const struct ktap_case cases[] = {
	{ "cost", cost, 0 },
	{ "logged", logged, 0 },
	{ "taken_back", taken_back, 0 },
	{ "parts", parts, 0 },
	{ "zeroes", zeroes, 0 },
	{ "hugetlb", hugetlb, 0 },
};
KTAP_MAIN(cases)
