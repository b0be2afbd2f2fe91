// SPDX-License-Identifier: GPL-2.0-only
/*
 * A slot that is device memory: a page of /dev/mem, which has no struct page behind it (VM_PFNMAP).
 * The device is the board's fw_cfg, which no driver of the host claims. It has a register that
 * identifies it, and one that gives the next byte at each read, so that a read done twice is
 * noticed. (unit/test_stage2_host tests the memory type of such a page: the emulator has none.)
 */
#include "vm.h"

#define AREA	0x80000000u
#define SLOT	1u

#define SCTLR	ARM_CP15_REG32(0, 1, 0, 0)

/* The node's name ends with FWCFG_BASE. The registers: QEMU's docs/specs/fw_cfg. */
#define FWCFG_NODE	"/proc/device-tree/fw-cfg@9020000"
#define FWCFG_DATA	0
#define FWCFG_SELECT	8
#define FWCFG_DMA	16	/* reads as "QEMU CFG" */

/* Reads a word at r2 and reports it, again and again. */
GUEST_CODE(peek, "ldr r1, =DEV_BASE\n1:\tldr r0, [r2]\n\tstr r0, [r1]\n\tb 1b");
/* Selects item 0, the signature, and reads its four bytes one by one, as one word. */
GUEST_CODE(signature, "ldr r1, =DEV_BASE\n1:\tmov r0, #0\n\tstrh r0, [r2, #8]\n\tldrb r0, [r2]\n\t"
	   "ldrb r3, [r2]\n\torr r0, r0, r3, lsl #8\n\tldrb r3, [r2]\n\torr r0, r0, r3, lsl #16\n\t"
	   "ldrb r3, [r2]\n\torr r0, r0, r3, lsl #24\n\tstr r0, [r1]\n\tb 1b");
/* Writes a halfword to the register at r2. */
GUEST_CODE(poke, "mov r0, #0\n\tstrh r0, [r2]\n1:\tb 1b");
/* Jumps to r2; the vector of a prefetch abort reports the address that it came from. */
GUEST_CODE(jump, "adr r0, 2f\n\tmcr p15, 0, r0, c12, c0, 0\n\tisb\n\tbx r2\n\t"
	   ".balign 32\n2:\tb .\n\tb .\n\tb .\n\tb 3f\n\tb .\n\tb .\n\tb .\n\tb .\n"
	   "3:\tldr r1, =DEV_BASE\n\tsub lr, lr, #4\n\tstr lr, [r1]\n\tb .");
/*
 * Long descriptors: TTBR1 maps the guest's memory, TTBR0 the lowest GiB by tables at r2. Reads
 * there; the vector of a data abort reports DFSR, with the MMU off again.
 */
GUEST_CODE(walk, "adr r0, 2f\n\tmcr p15, 0, r0, c12, c0, 0\n\tmov r0, #0xff\n\t"
	   "mcr p15, 0, r0, c10, c2, 0\n\tmov r1, #0\n\tadr r0, 4f\n\t"
	   "mcrr p15, 1, r0, r1, c2\n\tmcrr p15, 0, r2, r1, c2\n\tldr r0, =0x80000002\n\t"
	   "mcr p15, 0, r0, c2, c0, 2\n\tisb\n\tmrc p15, 0, r0, c1, c0, 0\n\torr r0, r0, #1\n\t"
	   "mcr p15, 0, r0, c1, c0, 0\n\tisb\n\tldr r0, [r1]\n\tb .\n\t"
	   ".balign 32\n2:\tb .\n\tb .\n\tb .\n\tb .\n\tb 3f\n\tb .\n\tb .\n\tb .\n"
	   "4:\t.word 0, 0, RAM_BASE + 0x701, 0, 0, 0, 0, 0\n"
	   "3:\tmrc p15, 0, r0, c1, c0, 0\n\tbic r0, r0, #1\n\tmcr p15, 0, r0, c1, c0, 0\n\t"
	   "isb\n\tmrc p15, 0, r0, c5, c0, 0\n\tldr r1, =DEV_BASE\n\tstr r0, [r1]\n\tb .");

/* Reads a word of each of four pages from r2 on, and reports the last. */
GUEST_CODE(sweep, "ldr r1, =DEV_BASE\n\tmov r3, #4\n1:\tldr r0, [r2]\n\tadd r2, r2, #4096\n\t"
	   "subs r3, r3, #1\n\tbne 1b\n\tstr r0, [r1]\n\tb .");

static void *device(int prot)
{
	int fd = open("/dev/mem", (prot & PROT_WRITE ? O_RDWR : O_RDONLY) | O_SYNC | O_CLOEXEC);
	void *p;

	if (access(FWCFG_NODE, F_OK))
		ktap_skip("this board has no fw_cfg");
	if (fd < 0)
		ktap_skip("/dev/mem: %s", strerror(errno));
	p = mmap(NULL, PAGE, prot, MAP_SHARED, fd, FWCFG_BASE);
	if (p == MAP_FAILED)
		ktap_skip("the kernel keeps the device to itself: %s", strerror(errno));
	close(fd);
	return p;
}

static uint32_t word(const char *bytes)
{
	uint32_t v;

	memcpy(&v, bytes, 4);
	return v;
}

/* Returns what the guest reported. */
static uint32_t told(struct vm *vm)
{
	struct kvm_run *run = vm->vcpu[0].run;
	uint32_t said;

	CHECK_OK(ioctl(vm->vcpu[0].fd, KVM_RUN, 0));
	CHECK(run->exit_reason == KVM_EXIT_MMIO && run->mmio.is_write &&
	      run->mmio.phys_addr == DEV_BASE, "exit %u, %llx", run->exit_reason,
	      (unsigned long long)run->mmio.phys_addr);
	said = word((const char *)run->mmio.data);
	/* What the guest does next may be other code. */
	vm_complete(vm, 0);
	return said;
}

/* The guest's next code, and where it accesses the device. */
#define AIM(vm, name, offset)							\
	do {									\
		VM_CODE(vm, 0, name);						\
		reg32_set((vm)->vcpu[0].fd, REG_R(2), AREA + (offset));		\
	} while (0)

static uint32_t peek(struct vm *vm, uint32_t offset)
{
	AIM(vm, peek, offset);
	return told(vm);
}

static void make(struct vm *vm, uint32_t flags, void *mem)
{
	vm_make(vm, 1, 0);
	MUST_OK(mem_set(vm->fd, SLOT, flags, AREA, PAGE, mem));
}

static void guest_reads(void)
{
	volatile uint32_t *mem = device(PROT_READ | PROT_WRITE);
	struct vm vm;

	/* The client itself sees the right device. */
	MUST(mem[FWCFG_DMA / 4] == word("QEMU"), "%x", mem[FWCFG_DMA / 4]);
	make(&vm, 0, (void *)mem);
	if (host_pins()) {
		/*
		 * The page cannot be pinned, and nobody would tell the module when it goes: it does
		 * not count as memory.
		 */
		AIM(&vm, peek, FWCFG_DMA);
		CHECK_ERRNO(ioctl(vm.vcpu[0].fd, KVM_RUN, 0), EFAULT);
		return;
	}
	CHECK(peek(&vm, FWCFG_DMA) == word("QEMU"));
	CHECK(peek(&vm, FWCFG_DMA + 4) == word(" CFG"));
}

static void once_each(void)
{
	void *mem = device(PROT_READ | PROT_WRITE);
	struct vm vm;

	needs_sync_mmu();
	make(&vm, 0, mem);
	AIM(&vm, signature, 0);
	/* The first access maps the page for writing; the second round finds it mapped. */
	for (int i = 0; i < 3; i++)
		CHECK(told(&vm) == word("QEMU"), "round %d", i);
}

/*
 * Writes to a device cannot be logged, neither by a new slot, nor by an old one, nor by one that
 * also has RAM.
 */
static void no_dirty_log(void)
{
	void *mem = device(PROT_READ | PROT_WRITE);
	char *both = map_pages(4 * PAGE);
	int fd = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
	struct vm vm;

	needs_sync_mmu();
	vm_make(&vm, 1, 0);
	CHECK_ERRNO(mem_set(vm.fd, SLOT, KVM_MEM_LOG_DIRTY_PAGES, AREA, PAGE, mem), EINVAL);
	MUST_OK(mem_set(vm.fd, SLOT, 0, AREA, PAGE, mem));
	CHECK_ERRNO(mem_set(vm.fd, SLOT, KVM_MEM_LOG_DIRTY_PAGES, AREA, PAGE, mem), EINVAL);
	CHECK(peek(&vm, FWCFG_DMA) == word("QEMU"));
	MUST(mmap(both + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
		  FWCFG_BASE) != MAP_FAILED, "%s", strerror(errno));
	CHECK_ERRNO(mem_set(vm.fd, SLOT + 1, KVM_MEM_LOG_DIRTY_PAGES, AREA + (1u << 20), 4 * PAGE,
			    both), EINVAL);
	CHECK_OK(mem_set(vm.fd, SLOT + 1, KVM_MEM_LOG_DIRTY_PAGES, AREA + (1u << 20), 2 * PAGE,
			 both));
}

/* The guest may write only if the client may. */
static void read_only(void)
{
	void *mem = device(PROT_READ);
	struct kvm_run *run;
	struct vm vm;

	needs_sync_mmu();
	vm_make(&vm, 1, 0);
	CHECK_ERRNO(mem_set(vm.fd, SLOT, 0, AREA, PAGE, mem), EPERM);
	MUST_OK(mem_set(vm.fd, SLOT, KVM_MEM_READONLY, AREA, PAGE, mem));
	CHECK(peek(&vm, FWCFG_DMA) == word("QEMU"));
	AIM(&vm, poke, FWCFG_SELECT);
	run = vm.vcpu[0].run;
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO, "exit %u", run->exit_reason);
	CHECK(run->mmio.is_write && run->mmio.len == 2 &&
	      run->mmio.phys_addr == AREA + FWCFG_SELECT, "%llx",
	      (unsigned long long)run->mmio.phys_addr);
}

/* Nothing is pinned: the guest loses what the client unmaps. */
static void unmapped(void)
{
	void *mem = device(PROT_READ | PROT_WRITE);
	struct vm vm;
	int fd;

	needs_sync_mmu();
	make(&vm, 0, mem);
	CHECK(peek(&vm, FWCFG_DMA) == word("QEMU"));
	MUST_OK(munmap(mem, PAGE));
	CHECK_ERRNO(ioctl(vm.vcpu[0].fd, KVM_RUN, 0), EFAULT);
	CHECK_ERRNO(ioctl(vm.vcpu[0].fd, KVM_RUN, 0), EFAULT);
	/* When it is mapped again, the guest goes on where it stood. */
	fd = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
	MUST(mmap(mem, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, FWCFG_BASE) == mem,
	     "%s", strerror(errno));
	CHECK(told(&vm) == word("QEMU"));
	/* If RAM takes its place, the guest sees that. */
	MUST(mmap(mem, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		  0) == mem, "%s", strerror(errno));
	((uint32_t *)mem)[FWCFG_DMA / 4] = 0x12345678;
	CHECK(told(&vm) == 0x12345678);
}

/*
 * A device where RAM was, and beside RAM: a fault that knows of the RAM does not take the device
 * for it. That shows in what is fetched from it.
 */
static void beside_ram(void)
{
	char *mem = map_pages(3 * PAGE);
	int fd = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
	struct vm vm;

	needs_sync_mmu();
	munmap(device(PROT_READ | PROT_WRITE), PAGE);
	memset(mem, 0, 3 * PAGE);
	vm_make(&vm, 1, 0);
	MUST_OK(mem_set(vm.fd, SLOT, 0, AREA, 3 * PAGE, mem));
	CHECK(peek(&vm, 0) == 0);
	CHECK(peek(&vm, PAGE) == 0);
	MUST(mmap(mem + PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
		  FWCFG_BASE) != MAP_FAILED, "%s", strerror(errno));
	AIM(&vm, jump, PAGE);
	CHECK(told(&vm) == AREA + PAGE);
	/* The last that a fault looked at is RAM again, and nothing has changed since. */
	CHECK(peek(&vm, 2 * PAGE) == 0);
	AIM(&vm, jump, PAGE);
	CHECK(told(&vm) == AREA + PAGE);
}

/* Instructions are not fetched from devices: the guest takes an abort, and does not loop. */
static void no_fetch(void)
{
	void *mem = device(PROT_READ | PROT_WRITE);
	struct vm vm;

	needs_sync_mmu();
	make(&vm, 0, mem);
	AIM(&vm, jump, 0);
	CHECK(told(&vm) == AREA);
}

/*
 * Nor are tables walked there (HCR.PTW): the guest takes an external abort. If a walk ended in a
 * bus error instead, HYP mode would take it when it asks the guest's tables for the address of a
 * fault.
 */
static void no_walk(void)
{
	void *mem = device(PROT_READ | PROT_WRITE);
	struct vm vm;
	uint32_t dfsr;

	needs_sync_mmu();
	make(&vm, 0, mem);
	/* It is mapped for loads already: nothing but HCR.PTW keeps a walk out. */
	CHECK(peek(&vm, FWCFG_DMA) == word("QEMU"));
	AIM(&vm, walk, 0);
	dfsr = told(&vm);
	CHECK((dfsr & 0x23f) == 0x210, "DFSR %x", dfsr);
}

/*
 * A device behind RAM: a guest that goes through the RAM does not get the device as more of it. Of
 * what is mapped with its fourth page the device is the first, or the second, behind RAM.
 */
static void behind_ram(uint32_t ram)
{
	char *mem = map_pages((ram + 1) * PAGE);
	int fd = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
	uint32_t dfsr, sctlr;
	struct vm vm;

	needs_sync_mmu();
	munmap(device(PROT_READ | PROT_WRITE), PAGE);
	memset(mem, 0, ram * PAGE);
	MUST(mmap(mem + ram * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
		  FWCFG_BASE) != MAP_FAILED, "%s", strerror(errno));
	/* So that the client's own table has it, and for writing. */
	MUST(*(volatile uint32_t *)(mem + ram * PAGE + FWCFG_DMA) == word("QEMU"), "no fw_cfg");
	*(volatile uint16_t *)(mem + ram * PAGE + FWCFG_SELECT) = 0;
	vm_make(&vm, 1, 0);
	MUST_OK(mem_set(vm.fd, SLOT, 0, AREA, (ram + 1) * PAGE, mem));
	sctlr = reg32(vm.vcpu[0].fd, SCTLR);
	/* With them off it gets each page by itself. */
	vm_caches_on(&vm);
	AIM(&vm, sweep, 0);
	CHECK(told(&vm) == 0);
	reg32_set(vm.vcpu[0].fd, SCTLR, sctlr);
	AIM(&vm, walk, ram * PAGE);
	dfsr = told(&vm);
	CHECK((dfsr & 0x23f) == 0x210, "DFSR %x", dfsr);
	vm_close(&vm);
}

static void right_behind_ram(void)
{
	behind_ram(4);
}

static void a_page_behind_ram(void)
{
	behind_ram(5);
}

static const struct ktap_case cases[] = {
	{ "guest_reads", guest_reads, 0 },
	{ "once_each", once_each, 0 },
	{ "no_dirty_log", no_dirty_log, 0 },
	{ "read_only", read_only, 0 },
	{ "unmapped", unmapped, 0 },
	{ "beside_ram", beside_ram, 20 },
	{ "no_fetch", no_fetch, 20 },
	{ "no_walk", no_walk, 20 },
	{ "right_behind_ram", right_behind_ram, 20 },
	{ "a_page_behind_ram", a_page_behind_ram, 20 },
};
KTAP_MAIN(cases)
