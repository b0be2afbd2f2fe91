// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guests whose caches are off, and who turns to their memory then: the client after the guest has
 * turned its caches on, with another guest for the vCPU, or with a debugger, and the kernel in the
 * guest's name (DDI 0406C A3.5.7). Each finds what the other wrote last. No case can fail on an
 * emulated host, except on 6.1-shadow, whose module keeps both apart as silicon does
 * (docs/coherency.md). The host takes pages back in swap.c, and dirty.c reads what the guest writes
 * meanwhile.
 */
#include "vm.h"

#define AREA	0x80000000u
#define SLOT	1u

/*
 * Writes r4 to r2 and reports it; turns the caches on, with the lowest GiB Strongly-ordered and
 * that of AREA write-back; reports r4; then, again and again, reports the word at r2 + 4, and
 * writes one more than that to r2 + 8.
 */
GUEST_CODE(turn_on, "ldr r6, =DEV_BASE\n\tstr r4, [r2]\n\tstr r4, [r6]\n\t"
	   "adr r0, 4f\n\tmov r1, #0\n\tmcrr p15, 0, r0, r1, c2\n\t"
	   "ldr r0, =0x80000000\n\tmcr p15, 0, r0, c2, c0, 2\n\tmov r0, #0xff00\n\t"
	   "mcr p15, 0, r0, c10, c2, 0\n\tisb\n\tmrc p15, 0, r0, c1, c0, 0\n\torr r0, r0, #5\n\t"
	   "mcr p15, 0, r0, c1, c0, 0\n\tisb\n\tstr r4, [r6]\n"
	   "1:\tldr r0, [r2, #4]\n\tadd r3, r0, #1\n\tstr r3, [r2, #8]\n\tdsb\n\tstr r0, [r6]\n\t"
	   "b 1b\n\t.balign 32\n4:\t.word 0x00000701, 0, 0, 0, 0x80000705, 0, 0, 0");

/*
 * Writes r3 to r6, and reads it back by an instruction that begins at the device below r6, so that
 * the kernel completes it; reports. Then writes r3 + 1 by such an instruction, reads it back
 * itself, and reports.
 */
GUEST_CODE(across, "ldr r1, =DEV_BASE\n\tsub r4, r6, #4\n1:\tstr r3, [r6]\n\tldm r4, {r7, r8}\n\t"
	   "str r8, [r1]\n\tadd r8, r3, #1\n\tstm r4, {r7, r8}\n\tldr r0, [r6]\n\t"
	   "str r0, [r1]\n\tb 1b");

/*
 * Writes r4 to r2, executes a NOP, which a debugger may replace, and reports what is at r2 + 4; r4
 * counts up.
 */
GUEST_CODE(debugged, "ldr r1, =DEV_BASE\n1:\tstr r4, [r2]\n\tnop\n\tldr r0, [r2, #4]\n\t"
	   "str r0, [r1]\n\tadd r4, r4, #1\n\tb 1b");
#define DEBUGGED_NOP	2u	/* where that is, in words */
#define BKPT		0xe1200070u

GUEST_CODE(first, "ldr r1, =DEV_BASE\n1:\tmov r0, #1\n\tstr r0, [r1]\n\tb 1b");
GUEST_CODE(second, "ldr r1, =DEV_BASE\n1:\tmov r0, #2\n\tstr r0, [r1]\n\tb 1b");

/* A VM with @pages at AREA, where vCPU 0 begins with that code. */
static volatile uint32_t *make(struct vm *vm, unsigned int pages, const char *code,
			       const char *end)
{
	char *mem = map_pages(pages * PAGE);

	vm_make(vm, 1, 0);
	memcpy(mem, code, (size_t)(end - code));
	MUST_OK(mem_set(vm->fd, SLOT, 0, AREA, pages * PAGE, mem));
	reg32_set(vm->vcpu[0].fd, REG_PC, AREA);
	return (volatile uint32_t *)mem;
}

/* Runs to an access at @where, and returns what was written there. */
static uint32_t runs_to(struct vm *vm, uint32_t where)
{
	struct kvm_run *run = vm->vcpu[0].run;
	uint32_t v;

	MUST(vm_run(vm, 0) == KVM_EXIT_MMIO && run->mmio.phys_addr == where, "exit %u at %llx",
	     run->exit_reason, (unsigned long long)run->mmio.phys_addr);
	memcpy(&v, run->mmio.data, 4);
	return v;
}

static void turned_on(void)
{
	const unsigned int pages = 8;

	for (unsigned int i = 1; i < pages; i++) {
		volatile uint32_t *mem, *word;
		struct vm vm;

		mem = make(&vm, pages, code_turn_on, code_turn_on_end);
		word = mem + i * PAGE / 4;
		*word = 0x11;
		reg32_set(vm.vcpu[0].fd, REG_R(2), AREA + i * PAGE);
		reg32_set(vm.vcpu[0].fd, REG_R(4), 0x22 + i);
		CHECK(runs_to(&vm, DEV_BASE) == 0x22 + i);
		/* Which is old or new, and either way in the host's cache from now on. */
		CHECK(*word == 0x11 || *word == 0x22 + i, "%x", *word);
		CHECK(runs_to(&vm, DEV_BASE) == 0x22 + i);
		CHECK(*word == 0x22 + i, "page %u: %x, written before they were on", i, *word);
		for (uint32_t n = 0x100; n < 0x110; n++) {
			word[1] = n;
			CHECK(runs_to(&vm, DEV_BASE) == n);
			CHECK(word[2] == n + 1, "%x, not %x", word[2], n + 1);
		}
		vm_close(&vm);
		munmap((void *)mem, pages * PAGE);
	}
}

/* A client that initializes the vCPU again loads another guest, at the same place. */
static void loaded_again(void)
{
	struct vm vm;
	volatile uint32_t *mem = make(&vm, 1, code_first, code_first_end);

	for (int i = 0; i < 10; i++) {
		const char *code = i & 1 ? code_first : code_second;
		const char *end = i & 1 ? code_first_end : code_second_end;

		CHECK(runs_to(&vm, DEV_BASE) == 1u + (i & 1));
		vm_vcpu_init(&vm, 0);
		memcpy((void *)mem, code, (size_t)(end - code));
		__builtin___clear_cache((char *)mem, (char *)mem + PAGE);
		reg32_set(vm.vcpu[0].fd, REG_PC, AREA);
	}
}

static void write_code(volatile uint32_t *at, uint32_t insn)
{
	*at = insn;
	__builtin___clear_cache((char *)at, (char *)(at + 1));
}

/*
 * A client that debugs rewrites code that the guest executes, and reads and writes its data, while
 * it is stopped.
 */
static void debugged(void)
{
	struct kvm_guest_debug dbg = { .control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP };
	volatile uint32_t *mem, *word;
	struct kvm_run *run;
	struct vm vm;

	mem = make(&vm, 2, code_debugged, code_debugged_end);
	word = mem + PAGE / 4;
	run = vm.vcpu[0].run;
	MUST(mem[DEBUGGED_NOP] != BKPT, "a BKPT");
	reg32_set(vm.vcpu[0].fd, REG_R(2), AREA + PAGE);
	reg32_set(vm.vcpu[0].fd, REG_R(4), 0x100);
	MUST_OK(ioctl(vm.vcpu[0].fd, KVM_SET_GUEST_DEBUG, &dbg));
	CHECK(runs_to(&vm, DEV_BASE) == 0);
	for (uint32_t n = 0x101; n < 0x108; n++) {
		uint32_t nop = mem[DEBUGGED_NOP];

		write_code(mem + DEBUGGED_NOP, BKPT);
		MUST(vm_run(&vm, 0) == KVM_EXIT_DEBUG, "%x: exit %u, the BKPT is not seen", n,
		     run->exit_reason);
		CHECK(reg32(vm.vcpu[0].fd, REG_PC) == AREA + 4 * DEBUGGED_NOP);
		CHECK(word[0] == n, "%x, not %x, which the guest wrote", word[0], n);
		word[1] = ~n;
		write_code(mem + DEBUGGED_NOP, nop);
		CHECK(runs_to(&vm, DEV_BASE) == ~n, "%x is not what the client wrote", n);
	}
	/* A vCPU that has stopped for another reason */
	for (uint32_t n = 0x108; n < 0x110; n++) {
		runs_to(&vm, DEV_BASE);
		run->immediate_exit = 1;
		CHECK_ERRNO(ioctl(vm.vcpu[0].fd, KVM_RUN, 0), EINTR);
		run->immediate_exit = 0;
		CHECK(word[0] == n, "%x, not %x, which the guest wrote", word[0], n);
	}
	/* The last one stays, and a client that uses no BKPTs any more takes it away. */
	write_code(mem + DEBUGGED_NOP, BKPT);
	MUST(vm_run(&vm, 0) == KVM_EXIT_DEBUG, "exit %u", run->exit_reason);
	write_code(mem + DEBUGGED_NOP, 0xe1a00000);
	dbg.control = 0;
	MUST_OK(ioctl(vm.vcpu[0].fd, KVM_SET_GUEST_DEBUG, &dbg));
	runs_to(&vm, DEV_BASE);
	runs_to(&vm, DEV_BASE);
}

static void by_kernel(void)
{
	struct vm vm;

	make(&vm, 1, code_across, code_across_end);
	/* A slot with the device below it. */
	MUST_OK(mem_set(vm.fd, SLOT + 1, 0, AREA + (1u << 20), PAGE, map_pages(PAGE)));
	reg32_set(vm.vcpu[0].fd, REG_R(6), AREA + (1u << 20));
	for (uint32_t n = 0x1000; n < 0x1020; n += 2) {
		uint32_t below = AREA + (1u << 20) - 4, got;

		reg32_set(vm.vcpu[0].fd, REG_R(3), n);
		runs_to(&vm, below);
		got = runs_to(&vm, DEV_BASE);
		CHECK(got == n, "the kernel reads %x, not %x", got, n);
		runs_to(&vm, below);
		got = runs_to(&vm, DEV_BASE);
		CHECK(got == n + 1, "the kernel's write reads as %x, not %x", got, n + 1);
	}
}

static const struct ktap_case cases[] = {
	{ "turned_on", turned_on, 0 },
	{ "loaded_again", loaded_again, 0 },
	{ "debugged", debugged, 0 },
	{ "by_kernel", by_kernel, 0 },
};
KTAP_MAIN(cases)
