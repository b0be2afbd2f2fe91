// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that goes through its memory gets some of the pages that follow by the same fault
 * (fault_around), if the client has them: clean, with the client's rights, and until the client's
 * memory changes. Each case does the same without.
 */
#include "binstats.h"
#include "touch.h"

#include <sys/wait.h>

#define PAGES	512u

/* Adds r3 to the first word of each page from r5 to r6, and reports the sum of what was there. */
GUEST_CODE(walk, "ldr r1, =DEV_BASE\n1:\tmov r2, r5\n\tmov r4, #0\n"
	   "2:\tldr r0, [r2]\n\tadd r4, r4, r0\n\tadd r0, r0, r3\n\tcmp r3, #0\n\tstrne r0, [r2]\n\t"
	   "add r2, r2, #4096\n\tcmp r2, r6\n\tblo 2b\n\tstr r4, [r1]\n\tb 1b");

static bool around;
static bool cached = true;	/* the guest's caches are on */

static uint32_t walk(struct vm *vm, unsigned int first, unsigned int end, uint32_t add)
{
	uint32_t v;

	VM_CODE(vm, 0, walk);
	reg32_set(vm->vcpu[0].fd, REG_R(5), AREA + first * PAGE);
	reg32_set(vm->vcpu[0].fd, REG_R(6), AREA + end * PAGE);
	reg32_set(vm->vcpu[0].fd, REG_R(3), add);
	MUST(vm_run(vm, 0) == KVM_EXIT_MMIO && vm->vcpu[0].run->mmio.phys_addr == DEV_BASE,
	     "the guest did not come to its report");
	memcpy(&v, vm->vcpu[0].run->mmio.data, 4);
	return v;
}

static uint32_t sum(unsigned int first, unsigned int end)
{
	return (end - first) * (first + end - 1) / 2;
}

/* Each page begins with its number. */
static volatile uint32_t *word(char *area, unsigned int page)
{
	return (volatile uint32_t *)(area + page * PAGE);
}

static char *start(struct vm *vm, unsigned int pages)
{
	char *area = map_pages(PAGES * PAGE);

	for (unsigned int i = 0; i < pages; i++)
		*word(area, i) = i;
	vm_make(vm, 1, 0);
	MUST_OK(mem_set(vm->fd, SLOT, 0, AREA, PAGES * PAGE, area));
	if (cached)
		vm_caches_on(vm);
	return area;
}

/* So often a fault of the guest's was about its memory. */
static unsigned int faults(struct vm *vm)
{
	int fd = stats_fd(vm->vcpu[0].fd);
	uint64_t n = stat_of(fd, "page_faults");

	close(fd);
	return (unsigned int)n;
}

static void sequence(void)
{
	struct vm vm;
	char *area = start(&vm, PAGES);
	unsigned int before, n;

	/* The code's own page. */
	walk(&vm, 0, 1, 0);
	before = faults(&vm);
	CHECK(walk(&vm, 1, PAGES, 1000) == sum(1, PAGES));
	n = faults(&vm) - before;
	/* At most 15 more each; the host may take something back meanwhile. */
	CHECK(around && cached ? n >= PAGES / 16 && n < PAGES / 8 : n >= PAGES - 1, "%u faults",
	      n);
	for (unsigned int i = 1; i < PAGES; i++)
		CHECK(*word(area, i) == i + 1000, "page %u has %u", i, *word(area, i));
	/* Backwards nothing follows, and the guest gets what it asks for. */
	CHECK_OK(mem_set(vm.fd, SLOT, 0, 0, 0, NULL));
	CHECK_OK(mem_set(vm.fd, SLOT, 0, AREA, PAGES * PAGE, area));
	before = faults(&vm);
	for (unsigned int i = 40; i-- > 20;)
		CHECK(peek(&vm, i) == i + 1000);
	CHECK(faults(&vm) - before >= 20);
}

/* With caches off, a page is flushed at the touch, and the client may write to it until then. */
static void uncached(void)
{
	cached = false;
	sequence();
	cached = true;
}

/* What the client does not have it does not get: a guest's fault brings in one page. */
static void absent(void)
{
	struct vm vm;
	char *area = start(&vm, 20);
	unsigned char in[PAGES];

	CHECK(walk(&vm, 0, 20, 0) == sum(0, 20));
	CHECK_OK(mincore(area, PAGES * PAGE, in));
	for (unsigned int i = 0; i < PAGES; i++)
		CHECK((in[i] & 1) == (i < 20), "page %u", i);
	CHECK(walk(&vm, 20, 24, 7) == 0);
	CHECK_OK(mincore(area, PAGES * PAGE, in));
	for (unsigned int i = 20; i < PAGES; i++)
		CHECK((in[i] & 1) == (i < 24), "page %u", i);
	CHECK(*word(area, 23) == 7);
}

/* Another mapping begins in the middle, which may not be written; then one that is not there. */
static void rights(void)
{
	struct vm vm;
	char *area = start(&vm, PAGES);

	MUST_OK(mprotect(area + 12 * PAGE, 4 * PAGE, PROT_READ));
	MUST_OK(munmap(area + 28 * PAGE, PAGE));
	CHECK(walk(&vm, 0, 10, 1000) == sum(0, 10));
	CHECK(peek(&vm, 12) == 12);
	VM_CODE(&vm, 0, poke);
	CHECK_ERRNO(run(&vm, 13, 1), EFAULT);
	CHECK(*word(area, 13) == 13);
	CHECK(walk(&vm, 16, 26, 1000) == sum(16, 26));
	VM_CODE(&vm, 0, poke);
	CHECK_ERRNO(run(&vm, 28, 1), EFAULT);
	CHECK(walk(&vm, 29, 40, 1000) == sum(29, 40));
	for (unsigned int i = 0; i < 40; i++)
		if (i != 28)
			CHECK(*word(area, i) == (i < 10 || (i >= 16 && i < 26) || i >= 29 ?
						 i + 1000 : i), "page %u", i);
	MUST_OK(mprotect(area + 12 * PAGE, 4 * PAGE, PROT_READ | PROT_WRITE));
	poke(&vm, 13, 9);
	CHECK(*word(area, 13) == 9 && *word(area, 14) == 14);
}

/* A page that the guest got besides goes as any other does. */
static void taken(void)
{
	struct vm vm;
	char *area = start(&vm, PAGES);

	needs_sync_mmu();
	for (unsigned int at = 0; at < 320; at += 32) {
		/* The guest now has some of the pages up to 31, perhaps. */
		CHECK(walk(&vm, at, at + 16, 0) == sum(at, at + 16));
		CHECK_OK(madvise(area + (at + 20) * PAGE, PAGE, MADV_DONTNEED));
		CHECK(mmap(area + (at + 25) * PAGE, PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED);
		*word(area, at + 25) = 5;
		CHECK(peek(&vm, at + 20) == 0);
		CHECK(peek(&vm, at + 25) == 5);
		CHECK(peek(&vm, at + 24) == at + 24);
	}
}

/* The log has what the guest wrote, whether or not it had the page before it was asked for. */
static void logged(void)
{
	static uint32_t bitmap[PAGES / 32];
	struct kvm_dirty_log log = { .slot = SLOT, .dirty_bitmap = bitmap };
	struct vm vm;
	char *area = start(&vm, PAGES);

	CHECK(walk(&vm, 0, 16, 1) == sum(0, 16));
	CHECK_OK(mem_set(vm.fd, SLOT, KVM_MEM_LOG_DIRTY_PAGES, AREA, PAGES * PAGE, area));
	CHECK(walk(&vm, 17, 19, 1) == sum(17, 19));
	CHECK(walk(&vm, 64, 90, 0) == sum(64, 90));
	CHECK(walk(&vm, 96, 128, 1) == sum(96, 128));
	CHECK_OK(ioctl(vm.fd, KVM_GET_DIRTY_LOG, &log));
	for (unsigned int i = 0; i < PAGES / 32; i++)
		CHECK(bitmap[i] == (i == 0 ? 3u << 17 : i == 3 ? ~0u : 0), "%u: %x", i, bitmap[i]);
}

/* Pages that are shared with a child are in the same mapping: they are copied before a write. */
static void copied(void)
{
	char *area;
	struct vm vm;
	int fds[2], status;
	pid_t pid;
	char c;

	needs_sync_mmu();
	area = start(&vm, PAGES);
	MUST_OK(pipe(fds));
	pid = fork();
	if (!pid) {
		close(fds[1]);
		(void)!read(fds[0], &c, 1);
		for (unsigned int i = 0; i < 60; i++)
			if (*word(area, i) != i)
				_exit(1);
		_exit(0);
	}
	/* These are the client's alone again. */
	for (unsigned int i = 0; i < 20; i++)
		*word(area, i) = i;
	for (unsigned int at = 0; at < 40; at += 10)
		CHECK(walk(&vm, at, at + 10, 1000) == sum(at, at + 10));
	close(fds[1]);
	waitpid(pid, &status, 0);
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status), "the child saw the guest's writes");
	for (unsigned int i = 0; i < 60; i++)
		CHECK(*word(area, i) == i + (i < 40 ? 1000 : 0), "page %u", i);
}

static void both(void (*test)(void))
{
	for (unsigned int i = 0; i < 2; i++) {
		around = i;
		param_put("fault_around", around ? "15" : "0");
		test();
	}
}

#define BOTH(name)	static void both_##name(void) { both(name); }
BOTH(sequence)
BOTH(uncached)
BOTH(absent)
BOTH(rights)
BOTH(taken)
BOTH(logged)
BOTH(copied)

static const struct ktap_case cases[] = {
	{ "sequence", both_sequence, 0 },
	{ "uncached", both_uncached, 0 },
	{ "absent", both_absent, 0 },
	{ "rights", both_rights, 0 },
	{ "taken", both_taken, 0 },
	{ "logged", both_logged, 0 },
	{ "copied", both_copied, 0 },
};
KTAP_MAIN(cases)
