// SPDX-License-Identifier: GPL-2.0-only
/*
 * A slot that is a page with nothing behind it, as a broken device would be: the guest's accesses
 * end in external aborts, which have to reach the guest, and neither HYP mode nor the host (DDI
 * 0406C B1.8.1, B3.13.3; docs/hazards.md 10). On silicon those of stores are asynchronous, and may
 * come when the guest runs no longer; the emulator has none but synchronous ones.
 *
 * ARMVMM_BUS_ERROR is the page's physical address. The emulated board has one.
 */
#include "vm.h"

#define AREA		0x80000000u
#define SLOT		1u
#define EMULATED	"/proc/device-tree/fw-cfg@9020000"
#define NOTHING		"0x0e000000"

#define ABORTED		0x80000000u	/* what the vector reports: DFSR, with this bit */
#define DFSR_FS		0x40fu
#define FS_EXTERNAL	0x008u
#define FS_ASYNC	0x406u

/*
 * Stores to r2, or loads, with CPSR.A clear; then reports 1, for ever. The vector of a data abort
 * reports it, and goes on with the report after that. An asynchronous abort's place is not known.
 */
#define VECTORS									\
	"b 5f\n\t.balign 32\n2:\tb .\n\tb .\n\tb .\n\tb .\n\tb 3f\n\tb .\n\tb .\n\tb .\n"	\
	"3:\tmrc p15, 0, r0, c5, c0, 0\n\torr r0, r0, #0x80000000\n\tldr r1, =DEV_BASE\n\t"	\
	"str r0, [r1]\n\tadr lr, 4f\n\tmovs pc, lr\n"				\
	"4:\tldr r1, =DEV_BASE\n\tmov r0, #1\n6:\tstr r0, [r1]\n\tb 6b\n"	\
	"5:\tadr r0, 2b\n\tmcr p15, 0, r0, c12, c0, 0\n\tisb\n\tmov r0, #0\n\t"
GUEST_CODE(store, VECTORS "cpsie a\n\tstr r0, [r2]\n\tdsb\n\tisb\n\tb 4b");
GUEST_CODE(load, VECTORS "cpsie a\n\tldr r0, [r2]\n\tdsb\n\tisb\n\tb 4b");
/* The same with CPSR.A set: it leaves by an access to a device, while the abort is due. */
GUEST_CODE(masked, VECTORS "str r0, [r2]\n\tdsb\n\tldr r1, =DEV_BASE\n\tmov r0, #2\n\t"
	   "str r0, [r1]\n\tcpsie a\n\tisb\n\tb 4b");
/* Leaves with the abort on its way: with no barrier. */
GUEST_CODE(late, VECTORS "ldr r1, =DEV_BASE\n\tmov r3, #2\n\tcpsie a\n\tstr r0, [r2]\n\t"
	   "str r3, [r1]\n\tdsb\n\tisb\n\tb 4b");
/*
 * Long descriptors: TTBR1 maps the guest's memory, and TTBR0 the lowest GiB, by tables at r2. Reads
 * there. The vector turns the MMU off.
 */
GUEST_CODE(walk, "b 5f\n\t.balign 32\n2:\tb .\n\tb .\n\tb .\n\tb .\n\tb 3f\n\tb .\n\tb .\n\tb .\n"
	   "4:\t.word 0, 0, RAM_BASE + 0x701, 0, 0, 0, 0, 0\n"
	   "3:\tmrc p15, 0, r0, c1, c0, 0\n\tbic r0, r0, #1\n\tmcr p15, 0, r0, c1, c0, 0\n\tisb\n\t"
	   "mrc p15, 0, r0, c5, c0, 0\n\torr r0, r0, #0x80000000\n\tldr r1, =DEV_BASE\n\t"
	   "str r0, [r1]\n\tb .\n"
	   "5:\tadr r0, 2b\n\tmcr p15, 0, r0, c12, c0, 0\n\tmov r0, #0xff\n\t"
	   "mcr p15, 0, r0, c10, c2, 0\n\tmov r1, #0\n\tadr r0, 4b\n\tmcrr p15, 1, r0, r1, c2\n\t"
	   "mcrr p15, 0, r2, r1, c2\n\tldr r0, =0x80000002\n\tmcr p15, 0, r0, c2, c0, 2\n\tisb\n\t"
	   "mrc p15, 0, r0, c1, c0, 0\n\torr r0, r0, #1\n\tmcr p15, 0, r0, c1, c0, 0\n\tisb\n\t"
	   "ldr r0, [r1]\n\tb .");

static void *nothing(void)
{
	const char *at = getenv("ARMVMM_BUS_ERROR");
	int fd = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
	void *p;

	if (!at && !access(EMULATED, F_OK))
		at = NOTHING;
	if (!at)
		ktap_skip("no address that gives bus errors is known: armvmm-report --bus-error");
	if (fd < 0)
		ktap_skip("/dev/mem: %s", strerror(errno));
	p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		 (off_t)(strtoull(at, NULL, 0) & ~(PAGE - 1ull)));
	if (p == MAP_FAILED)
		ktap_skip("%s: %s", at, strerror(errno));
	close(fd);
	return p;
}

/* Runs until the guest reports something. */
static uint32_t told(struct vm *vm)
{
	struct kvm_run *run = vm->vcpu[0].run;
	uint32_t v = 0;

	CHECK_OK(ioctl(vm->vcpu[0].fd, KVM_RUN, 0));
	CHECK(run->exit_reason == KVM_EXIT_MMIO && run->mmio.is_write &&
	      run->mmio.phys_addr == DEV_BASE, "exit %u, %llx", run->exit_reason,
	      (unsigned long long)run->mmio.phys_addr);
	memcpy(&v, run->mmio.data, 4);
	return v;
}

static void make(struct vm *vm)
{
	void *page = nothing();

	needs_sync_mmu();
	vm_make(vm, 1, 0);
	MUST_OK(mem_set(vm->fd, SLOT, 0, AREA, PAGE, page));
}

static void aim(struct vm *vm, const void *start, const void *end)
{
	vm_code(vm, 0, start, end);
	reg32_set(vm->vcpu[0].fd, REG_R(2), AREA);
}

static bool external(uint32_t v)
{
	return v & ABORTED && ((v & DFSR_FS) == FS_EXTERNAL || (v & DFSR_FS) == FS_ASYNC);
}

/*
 * The guest runs until it has reported 1; what it told before that is an abort, one, and 2 once
 * where it leaves in between. Then another guest of the host's finds nothing of it.
 */
static void once(const void *start, const void *end, bool leaves)
{
	unsigned int aborts = 0, left = 0, n;
	struct vm vm;
	uint32_t v;

	make(&vm);
	aim(&vm, start, end);
	for (n = 0; n < 8; n++) {
		v = told(&vm);
		if (v == 1 && (aborts || n > 4))
			break;
		aborts += external(v);
		left += v == 2;
		CHECK(v == 1 || v == 2 || external(v), "the guest reports %x", v);
	}
	if (!aborts)
		ktap_skip("nothing came of it: there is no bus error at this address");
	CHECK(aborts == 1 && n < 8, "%u aborts", aborts);
	/* A synchronous abort comes before the guest leaves. */
	CHECK(left <= leaves, "left %u times", left);
	vm_close(&vm);

	vm_make(&vm, 1, 0);
	aim(&vm, code_masked, code_masked_end);
	reg32_set(vm.vcpu[0].fd, REG_R(2), RAM_BASE + 0x100);
	CHECK(told(&vm) == 2);
	for (n = 0; n < 3; n++)
		CHECK((v = told(&vm)) == 1, "another guest has %x", v);
	vm_close(&vm);
}

static void by_store(void)
{
	once(code_store, code_store_end, false);
}

static void by_load(void)
{
	once(code_load, code_load_end, false);
}

static void while_masked(void)
{
	once(code_masked, code_masked_end, true);
}

static void on_its_way(void)
{
	once(code_late, code_late_end, true);
}

/* HCR.PTW: tables are not walked in device memory, whatever is there. */
static void by_walk(void)
{
	struct vm vm;
	uint32_t v;

	make(&vm);
	/* It is mapped already when the walk comes. */
	aim(&vm, code_load, code_load_end);
	told(&vm);
	vm_complete(&vm, 0);
	aim(&vm, code_walk, code_walk_end);
	v = told(&vm);
	/* Long descriptors: an external abort on a walk, of level 1. */
	CHECK((v & (ABORTED | 0x23f)) == (ABORTED | 0x215) ||
	      (v & (ABORTED | 0x23f)) == (ABORTED | 0x210), "%x", v);
}

static const struct ktap_case cases[] = {
	{ "by_store", by_store, 20 },
	{ "by_load", by_load, 20 },
	{ "while_masked", while_masked, 20 },
	{ "on_its_way", on_its_way, 20 },
	{ "by_walk", by_walk, 20 },
};
KTAP_MAIN(cases)
