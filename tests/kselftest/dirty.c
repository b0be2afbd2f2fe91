// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_MEM_LOG_DIRTY_PAGES and KVM_GET_DIRTY_LOG: what the guest wrote is in the answer, once, and
 * nothing else is. A copy that follows the answers becomes equal to the memory: live migration
 * depends on it. The same holds if the client clears the log itself, by KVM_CLEAR_DIRTY_LOG.
 */
#include "vm.h"

#include <sys/eventfd.h>
#include <sys/uio.h>

#define AREA	0x80000000u
#define PAGES	160u		/* no multiple of 32: the last word is partly used */
#define SLOT	1u

/* Writes r3 at r2 (or reads there), then reports; and again when the client has set r2 anew. */
GUEST_CODE(poke, "ldr r1, =DEV_BASE\n1:\tstr r3, [r2]\n\tstr r3, [r1]\n\tb 1b");
GUEST_CODE(peek, "ldr r1, =DEV_BASE\n1:\tldr r0, [r2]\n\tstr r0, [r1]\n\tb 1b");
/*
 * Writes a count to one page of r6, in an order that jumps about, for ever; reports at each wrap.
 */
GUEST_CODE(stir, "ldr r1, =DEV_BASE\n\tmov r7, #0\n\tmov r4, #0\n"
	   "1:\tadd r7, r7, #1\n\tadd r4, r4, #37\n"
	   "2:\tcmp r4, r6\n\tsubhs r4, r4, r6\n\tbhs 2b\n\t"
	   "add r2, r5, r4, lsl #12\n\tstr r7, [r2]\n\tstr r7, [r2, #2044]\n\t"
	   "tst r7, #0x3f\n\tstreq r7, [r1]\n\tb 1b");

/*
 * Writes r7, which counts up, by one instruction to the device below r6 and to r6. Reports what it
 * wrote, and goes on when the device reads the same.
 */
GUEST_CODE(straddle, "ldr r9, =DEV_BASE\n\tmov r7, #0\n1:\tadd r7, r7, #1\n\tmov r8, r7\n\tsub r4, r6, #4\n\t"
	   "stm r4, {r7, r8}\n\tstr r7, [r9]\n2:\tldr r0, [r9, #8]\n\tcmp r0, r7\n\tbne 2b\n\t"
	   "b 1b");

/*
 * Turns its caches on, with the first GiB Strongly-ordered, and AREA's and its own write-back.
 * Then, again and again: reports r7, which counts up; turns its caches off, with no exit; writes r7
 * to r2; waits for a while, and turns them on again, as it should: r2's line is not in them.
 */
GUEST_CODE(unseen, "ldr r1, =DEV_BASE\n\tadr r0, 4f\n\tmov r3, #0\n\tmcrr p15, 0, r0, r3, c2\n\t"
	   "ldr r0, =0x80000000\n\tmcr p15, 0, r0, c2, c0, 2\n\tmov r0, #0xff00\n\t"
	   "mcr p15, 0, r0, c10, c2, 0\n\tisb\n\tmrc p15, 0, r4, c1, c0, 0\n\torr r4, r4, #5\n\t"
	   "mcr p15, 0, r4, c1, c0, 0\n\tisb\n\tmov r7, #0\n"
	   "1:\tadd r7, r7, #1\n\tstr r7, [r1]\n\tbic r0, r4, #4\n\tmcr p15, 0, r0, c1, c0, 0\n\t"
	   "isb\n\tstr r7, [r2]\n\tdsb\n\tmov r3, #10000\n2:\tsubs r3, r3, #1\n\tbne 2b\n\t"
	   "mcr p15, 0, r2, c7, c6, 1\n\tdsb\n\tmcr p15, 0, r4, c1, c0, 0\n\tisb\n\tb 1b\n\t"
	   ".balign 32\n4:\t.word 0x00000701, 0, RAM_BASE + 0x705, 0, 0x80000705, 0, 0, 0");

static uint32_t bitmap[(PAGES + 31) / 32];

static int get_log(struct vm *vm, uint32_t slot, void *to)
{
	struct kvm_dirty_log log = { .slot = slot, .dirty_bitmap = to };

	return ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log);
}

static int clear_log(struct vm *vm, uint32_t slot, uint64_t first, uint32_t num, void *from)
{
	struct kvm_clear_dirty_log log = {
		.slot = slot, .first_page = first, .num_pages = num, .dirty_bitmap = from,
	};

	return ioctl(vm->fd, KVM_CLEAR_DIRTY_LOG, &log);
}

static int manual(struct vm *vm, uint32_t flags, uint64_t on)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, .flags = flags, .args = { on },
	};

	return ioctl(vm->fd, KVM_ENABLE_CAP, &cap);
}

static bool is_dirty(unsigned int page)
{
	return bitmap[page / 32] >> page % 32 & 1;
}

static unsigned int count_dirty(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < PAGES; i++)
		n += is_dirty(i);
	return n;
}

/* Does one access of the guest by the code of VM_CODE(). */
static void access_page(struct vm *vm, unsigned int page, uint32_t value)
{
	reg32_set(vm->vcpu[0].fd, REG_R(2), AREA + page * PAGE);
	reg32_set(vm->vcpu[0].fd, REG_R(3), value);
	MUST(vm_run(vm, 0) == KVM_EXIT_MMIO && vm->vcpu[0].run->mmio.phys_addr == DEV_BASE,
	     "the guest did not come to its report");
}

static char *make(struct vm *vm, uint32_t flags)
{
	char *mem = map_pages(PAGES * PAGE);

	vm_make(vm, 1, 0);
	MUST_OK(mem_set(vm->fd, SLOT, flags, AREA, PAGES * PAGE, mem));
	return mem;
}

static void arguments(void)
{
	struct vm vm;
	char *mem = make(&vm, KVM_MEM_LOG_DIRTY_PAGES);

	CHECK_OK(get_log(&vm, SLOT, bitmap));
	CHECK_ERRNO(get_log(&vm, 2, bitmap), ENOENT);
	CHECK_ERRNO(get_log(&vm, 0, bitmap), ENOENT);	/* RAM, whose writes are not logged */
	CHECK_ERRNO(get_log(&vm, 512, bitmap), EINVAL);
	CHECK_ERRNO(get_log(&vm, 1 << 16 | SLOT, bitmap), EINVAL);
	CHECK_ERRNO(get_log(&vm, ~0u, bitmap), EINVAL);
	CHECK_ERRNO(get_log(&vm, SLOT, NULL), EFAULT);
	CHECK_ERRNO(get_log(&vm, SLOT, (void *)0xc0000000), EFAULT);
	/* Logging ends with the flag, and also with the slot. */
	CHECK_OK(mem_set(vm.fd, SLOT, 0, AREA, PAGES * PAGE, mem));
	CHECK_ERRNO(get_log(&vm, SLOT, bitmap), ENOENT);
	CHECK_OK(mem_set(vm.fd, SLOT, KVM_MEM_LOG_DIRTY_PAGES, AREA, PAGES * PAGE, mem));
	CHECK_OK(get_log(&vm, SLOT, bitmap));
	CHECK_OK(mem_set(vm.fd, SLOT, 0, 0, 0, NULL));
	CHECK_ERRNO(get_log(&vm, SLOT, bitmap), ENOENT);
}

static void exact(void)
{
	static const unsigned int pages[] = { 0, 3, 31, 32, 63, 64, 100, PAGES - 1 };
	const unsigned int n = sizeof(pages) / sizeof(pages[0]);
	struct vm vm;
	unsigned int i, round;
	uint32_t *mem;

	mem = (uint32_t *)make(&vm, KVM_MEM_LOG_DIRTY_PAGES);
	for (round = 0; round < 3; round++) {
		VM_CODE(&vm, 0, poke);
		for (i = 0; i < n; i++)
			access_page(&vm, pages[i], round + 1);
		CHECK_OK(get_log(&vm, SLOT, bitmap));
		/* What the guest wrote is there for the client, though its caches are off. */
		for (i = 0; i < n; i++)
			CHECK(is_dirty(pages[i]) && mem[pages[i] * PAGE / 4] == round + 1,
			      "page %u, round %u: %u", pages[i], round, mem[pages[i] * PAGE / 4]);
		CHECK(count_dirty() == n, "%u pages, not %u", count_dirty(), n);
		CHECK_OK(get_log(&vm, SLOT, bitmap));
		CHECK(!count_dirty(), "round %u: %u pages twice", round, count_dirty());
	}
	/* Reads do not count as writes, neither of pages that were written before nor of others. */
	VM_CODE(&vm, 0, peek);
	for (i = 0; i < PAGES; i += 3)
		access_page(&vm, i, 0);
	CHECK_OK(get_log(&vm, SLOT, bitmap));
	CHECK(!count_dirty(), "%u pages for reads", count_dirty());
}

/* The pages are mapped, writable, when logging begins. */
static void switched(void)
{
	struct vm vm;
	char *mem = make(&vm, 0);
	unsigned int i;

	VM_CODE(&vm, 0, poke);
	for (i = 0; i < PAGES; i++)
		access_page(&vm, i, 1);
	CHECK_OK(mem_set(vm.fd, SLOT, KVM_MEM_LOG_DIRTY_PAGES, AREA, PAGES * PAGE, mem));
	CHECK_OK(get_log(&vm, SLOT, bitmap));
	CHECK(!count_dirty(), "%u pages of before", count_dirty());
	for (i = 0; i < PAGES; i++)
		CHECK(*(uint32_t *)(mem + i * PAGE) == 1, "page %u", i);
	access_page(&vm, 77, 2);
	CHECK_OK(get_log(&vm, SLOT, bitmap));
	CHECK(count_dirty() == 1 && is_dirty(77), "%u pages", count_dirty());
	access_page(&vm, 0, 2);
	access_page(&vm, PAGES - 1, 2);
	CHECK_OK(get_log(&vm, SLOT, bitmap));
	CHECK(count_dirty() == 2 && is_dirty(0) && is_dirty(PAGES - 1), "%u pages", count_dirty());
	/* Then off again: the guest's writes go on. */
	CHECK_OK(mem_set(vm.fd, SLOT, 0, AREA, PAGES * PAGE, mem));
	access_page(&vm, 78, 3);
	vm_sync(mem + 78 * PAGE, PAGE);
	CHECK(*(uint32_t *)(mem + 78 * PAGE) == 3);
	/* A slot that moves keeps its log. */
	CHECK_OK(mem_set(vm.fd, SLOT, KVM_MEM_LOG_DIRTY_PAGES, AREA, PAGES * PAGE, mem));
	access_page(&vm, 5, 4);
	CHECK_OK(mem_set(vm.fd, SLOT, KVM_MEM_LOG_DIRTY_PAGES, AREA + PAGES * PAGE, PAGES * PAGE,
			 mem));
	access_page(&vm, PAGES + 6, 4);
	CHECK_OK(get_log(&vm, SLOT, bitmap));
	CHECK(is_dirty(5), "written before the move");
	CHECK(is_dirty(6), "written after the move");
}

static void clear_arguments(void)
{
	static uint32_t ones[(PAGES + 31) / 32];
	struct vm vm;

	memset(ones, 0xff, sizeof(ones));
	make(&vm, KVM_MEM_LOG_DIRTY_PAGES);
	CHECK(ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2) == 1);
	CHECK_ERRNO(manual(&vm, 1, 1), EINVAL);
	CHECK_ERRNO(manual(&vm, 0, 2), EINVAL);
	CHECK_ERRNO(manual(&vm, 0, 1ull << 32), EINVAL);
	CHECK_OK(manual(&vm, 0, 1));
	CHECK_OK(manual(&vm, 0, 0));
	CHECK_OK(manual(&vm, 0, 1));
	/*
	 * Ranges start at a multiple of 64, and have a multiple of 64 pages or end with the slot.
	 */
	CHECK_OK(clear_log(&vm, SLOT, 0, PAGES, ones));
	CHECK_OK(clear_log(&vm, SLOT, 0, 64, ones));
	CHECK_OK(clear_log(&vm, SLOT, 64, 64, ones));
	CHECK_OK(clear_log(&vm, SLOT, 64, PAGES - 64, ones));
	CHECK_OK(clear_log(&vm, SLOT, 128, PAGES - 128, ones));
	CHECK_OK(clear_log(&vm, SLOT, 0, 0, NULL));
	CHECK_ERRNO(clear_log(&vm, SLOT, 32, 64, ones), EINVAL);
	CHECK_ERRNO(clear_log(&vm, SLOT, 1, PAGES - 1, ones), EINVAL);
	CHECK_ERRNO(clear_log(&vm, SLOT, 0, 32, ones), EINVAL);
	CHECK_ERRNO(clear_log(&vm, SLOT, 0, PAGES - 1, ones), EINVAL);
	CHECK_ERRNO(clear_log(&vm, SLOT, 0, PAGES + 1, ones), EINVAL);
	CHECK_ERRNO(clear_log(&vm, SLOT, 64, PAGES, ones), EINVAL);
	CHECK_ERRNO(clear_log(&vm, SLOT, 192, 0, ones), EINVAL);
	CHECK_ERRNO(clear_log(&vm, SLOT, ~63ull, 64, ones), EINVAL);
	CHECK_ERRNO(clear_log(&vm, SLOT, 1ull << 32, 64, ones), EINVAL);
	CHECK_ERRNO(clear_log(&vm, SLOT, 0, ~0u, ones), EINVAL);
	CHECK_ERRNO(clear_log(&vm, 2, 0, 64, ones), ENOENT);
	CHECK_ERRNO(clear_log(&vm, 0, 0, 64, ones), ENOENT);	/* not logged */
	CHECK_ERRNO(clear_log(&vm, 512, 0, 64, ones), EINVAL);
	CHECK_ERRNO(clear_log(&vm, 1 << 16 | SLOT, 0, 64, ones), EINVAL);
	CHECK_ERRNO(clear_log(&vm, SLOT, 0, PAGES, NULL), EFAULT);
	CHECK_ERRNO(clear_log(&vm, SLOT, 0, PAGES, (void *)0xc0000000), EFAULT);
	CHECK_ERRNO(ioctl(vm.fd, KVM_CLEAR_DIRTY_LOG, NULL), EFAULT);
}

/* Bits stay until they are cleared. Only cleared pages are protected, and can get dirty again. */
static void clear(void)
{
	static const unsigned int pages[] = { 0, 31, 32, 63, 64, 127, 128, PAGES - 1 };
	const unsigned int n = sizeof(pages) / sizeof(pages[0]);
	uint32_t mask[(PAGES + 31) / 32] = { };
	struct vm vm;
	unsigned int i;

	make(&vm, KVM_MEM_LOG_DIRTY_PAGES);
	CHECK_OK(manual(&vm, 0, 1));
	VM_CODE(&vm, 0, poke);
	for (i = 0; i < n; i++)
		access_page(&vm, pages[i], 1);
	for (i = 0; i < 3; i++) {
		CHECK_OK(get_log(&vm, SLOT, bitmap));
		CHECK(count_dirty() == n, "%u pages, not %u", count_dirty(), n);
	}
	/* One bit of a word: its neighbours stay. */
	mask[0] = 1;
	CHECK_OK(clear_log(&vm, SLOT, 0, 64, mask));
	CHECK_OK(get_log(&vm, SLOT, bitmap));
	CHECK(count_dirty() == n - 1 && !is_dirty(0) && is_dirty(31), "%u", count_dirty());
	access_page(&vm, 0, 1);
	mask[0] = 0;
	/* Some of them. Bits that are not set, and those past the slot's end, have no effect. */
	mask[2] = ~0u;
	mask[3] = 1u << 31;
	CHECK_OK(clear_log(&vm, SLOT, 64, 64, mask + 2));
	CHECK_OK(get_log(&vm, SLOT, bitmap));
	CHECK(count_dirty() == n - 2 && !is_dirty(64) && !is_dirty(127), "%u", count_dirty());
	memset(mask, 0, sizeof(mask));
	CHECK_OK(clear_log(&vm, SLOT, 0, PAGES, mask));
	CHECK_OK(get_log(&vm, SLOT, bitmap));
	CHECK(count_dirty() == n - 2, "%u", count_dirty());
	/* A write to a page that was cleared shows. All others are still writable and set. */
	for (i = 0; i < n; i++)
		if (pages[i] != 127)
			access_page(&vm, pages[i], 2);
	CHECK_OK(get_log(&vm, SLOT, bitmap));
	CHECK(count_dirty() == n - 1 && is_dirty(64) && !is_dirty(127), "%u", count_dirty());
	memset(mask, 0xff, sizeof(mask));
	CHECK_OK(clear_log(&vm, SLOT, 0, PAGES, mask));
	CHECK_OK(get_log(&vm, SLOT, bitmap));
	CHECK(!count_dirty(), "%u pages are left", count_dirty());
	access_page(&vm, 31, 3);
	/* Without the capability the log works as usual; to clear it is allowed. */
	CHECK_OK(manual(&vm, 0, 0));
	CHECK_OK(get_log(&vm, SLOT, bitmap));
	CHECK(count_dirty() == 1 && is_dirty(31), "%u", count_dirty());
	access_page(&vm, 33, 3);
	CHECK_OK(clear_log(&vm, SLOT, 0, 64, mask));
	CHECK_OK(get_log(&vm, SLOT, bitmap));
	CHECK(!count_dirty(), "%u", count_dirty());
}

/* Copies the pages that the log reports as changed since the last time. */
static unsigned int copy_dirty(struct vm *vm, char *copy, const char *mem, bool by_hand)
{
	unsigned int i, n = 0;

	CHECK_OK(get_log(vm, SLOT, bitmap));
	if (by_hand) {
		/* In two parts, as by a client that copies in between. */
		CHECK_OK(clear_log(vm, SLOT, 64, PAGES - 64, bitmap + 2));
		CHECK_OK(clear_log(vm, SLOT, 0, 64, bitmap));
	}
	for (i = 0; i < PAGES; i++) {
		if (!is_dirty(i))
			continue;
		memcpy(copy + i * PAGE, mem + i * PAGE, PAGE);
		n++;
	}
	return n;
}

/* Four vCPUs write without end, and a copy follows. */
static void follow_by(bool by_hand)
{
	enum { VCPUS = 4 };
	struct runner r[VCPUS];
	struct vm vm;
	char *mem = map_pages(PAGES * PAGE), *copy = map_pages(PAGES * PAGE);
	unsigned int i, round, copied = 0;
	uint64_t end;

	vm_make(&vm, VCPUS, 0);
	CHECK_OK(manual(&vm, 0, by_hand));
	MUST_OK(mem_set(vm.fd, SLOT, 0, AREA, PAGES * PAGE, mem));
	for (i = 0; i < VCPUS; i++) {
		vm_vcpu_on(&vm, i);
		VM_CODE(&vm, i, stir);
		reg32_set(vm.vcpu[i].fd, REG_R(5), AREA + i * (PAGES / VCPUS) * PAGE);
		reg32_set(vm.vcpu[i].fd, REG_R(6), PAGES / VCPUS);
		runner_start(&r[i], &vm, i);
		MUST(runner_wait(&r[i], 3, 20000), "vCPU %u does not run", i);
	}
	CHECK_OK(mem_set(vm.fd, SLOT, KVM_MEM_LOG_DIRTY_PAGES, AREA, PAGES * PAGE, mem));
	memcpy(copy, mem, PAGES * PAGE);
	end = now_ns() + PATIENCE_MS * 1000000ull;
	/* Go on longer if the guest's CPUs stood still meanwhile. */
	for (round = 0; round < 200 || (copied <= 200 && now_ns() < end); round++) {
		copied += copy_dirty(&vm, copy, mem, by_hand);
		if (round % 4 == 0)
			usleep(3000);
	}
	for (i = 0; i < VCPUS; i++) {
		CHECK(!r[i].error, "vCPU %u: %d", i, r[i].error);
		runner_stop(&r[i]);
	}
	copied += copy_dirty(&vm, copy, mem, by_hand);
	ktap_note("%u pages were copied", copied);
	CHECK(copied > 200, "only %u pages were ever dirty", copied);
	/* What the guest itself had in the end. */
	CHECK_OK(mem_set(vm.fd, SLOT, 0, 0, 0, NULL));
	for (i = 0; i < PAGES; i++)
		CHECK(!memcmp(copy + i * PAGE, mem + i * PAGE, PAGE), "page %u was missed", i);
}

/* The kernel's writes for the guest are in the log, while bits of other pages are cleared. */
static void by_kernel(void)
{
	struct kvm_ioeventfd bell = { .addr = AREA - 4, .len = 4 };
	char *mem = map_pages(PAGES * PAGE);
	uint32_t others[(PAGES + 31) / 32];
	uint64_t end = now_ns() + 1000000000;
	struct runner r;
	struct vm vm;
	uint32_t n;

	if (!host_has_eventfd())
		ktap_skip("the kernel has no eventfd");
	vm_make(&vm, 1, 0);
	CHECK_OK(manual(&vm, 0, 1));
	bell.fd = eventfd(0, EFD_NONBLOCK);
	MUST_OK(ioctl(vm.fd, KVM_IOEVENTFD, &bell));
	MUST_OK(mem_set(vm.fd, SLOT, KVM_MEM_LOG_DIRTY_PAGES, AREA, PAGES * PAGE, mem));
	memset(others, 0xff, sizeof(others));
	others[0] &= ~1u;
	VM_CODE(&vm, 0, straddle);
	reg32_set(vm.vcpu[0].fd, REG_R(6), AREA);
	runner_start(&r, &vm, 0);
	for (n = 1; n < 4 || now_ns() < end; n++) {
		uint64_t late = now_ns() + 20000000000ull;

		while (r.last != n) {
			CHECK_OK(clear_log(&vm, SLOT, 0, PAGES, others));
			MUST(!r.error && now_ns() < late, "write %u does not come: %d", n, r.error);
		}
		CHECK_OK(get_log(&vm, SLOT, bitmap));
		CHECK(is_dirty(0), "write %u is not in the log", n);
		CHECK(*(volatile uint32_t *)mem == n, "%u", *(volatile uint32_t *)mem);
		memset(bitmap, 0xff, sizeof(bitmap));
		CHECK_OK(clear_log(&vm, SLOT, 0, PAGES, bitmap));
		r.answer = n;
	}
	runner_stop(&r);
}

/*
 * The kernel copies what the log reports, by its own mapping, from a guest that turns its caches
 * off and on with no exit. (On a watched host R2 tells of old lines.)
 */
static void unseen(void)
{
	struct vm vm;
	char *mem = make(&vm, KVM_MEM_LOG_DIRTY_PAGES);
	uint32_t copy = 0, before = 0, seen = 0;
	struct iovec to = { &copy, 4 }, from = { mem + 9 * PAGE, 4 };
	struct runner r;

	VM_CODE(&vm, 0, unseen);
	reg32_set(vm.vcpu[0].fd, REG_R(2), AREA + 9 * PAGE);
	runner_start(&r, &vm, 0);
	for (unsigned int round = 0; round < 100; round++) {
		uint32_t last;

		/* It has written since the page was protected, and reported once more. */
		MUST(runner_wait(&r, r.mmio + 2, PATIENCE_MS), "the guest stands still");
		last = r.last;
		while (last == r.last && !r.error)
			;
		for (volatile unsigned int delay = round * 50; delay; delay--)
			;
		CHECK_OK(get_log(&vm, SLOT, bitmap));
		MUST(process_vm_readv(getpid(), &to, 1, &from, 1, 0) == 4, "%s", strerror(errno));
		CHECK(copy >= last && copy <= r.last, "%u, not %u to %u", copy, last, r.last);
		seen += is_dirty(9) && copy > before;
		before = copy;
	}
	runner_stop(&r);
	CHECK(seen > 50, "the log has %u of 100 writes", seen);
}

static void follow(void)
{
	follow_by(false);
}

static void follow_by_hand(void)
{
	follow_by(true);
}

static const struct ktap_case cases[] = {
	{ "arguments", arguments, 0 },
	{ "exact", exact, 0 },
	{ "switched", switched, 0 },
	{ "clear_arguments", clear_arguments, 0 },
	{ "clear", clear, 0 },
	{ "unseen", unseen, 60 },
	{ "by_kernel", by_kernel, 0 },
	{ "follow", follow, 0 },
	{ "follow_by_hand", follow_by_hand, 0 },
};
KTAP_MAIN(cases)
