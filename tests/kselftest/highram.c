// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory above 4 GiB: a slot may be anywhere in the 40 bits of an IPA, and a guest reaches it
 * by long descriptors. armvmm-run gives its guests none there. qemu-system-arm cuts the address of
 * a stage-2 walk to 32 bits, which qemu-system-aarch64 does not (testhost --wide).
 */
#include "vm.h"

#define VA	0x80000000u
#define PAGES	16u
#define SLOT	1u
#define TABLE	0x2000u			/* from RAM_BASE on, where the code is not */

/*
 * Turns the MMU on: VA then shows what the table's third entry has. Each round stores r3 at r2,
 * loads it again and reports it; with r5, that is where the guest goes on then.
 */
GUEST_CODE(store, "ldr r0, =RAM_BASE + 0x2000\n\tmov r1, #0\n\tmcrr p15, 0, r0, r1, c2\n\t"
	   "ldr r0, =0x80000000\n\tmcr p15, 0, r0, c2, c0, 2\n\tmov r0, #0xff00\n\t"
	   "mcr p15, 0, r0, c10, c2, 0\n\tisb\n\tmrc p15, 0, r0, c1, c0, 0\n\torr r0, r0, #5\n\t"
	   "mcr p15, 0, r0, c1, c0, 0\n\tisb\n\tldr r1, =DEV_BASE\n1:\tstr r3, [r2]\n\t"
	   "ldr r4, [r2]\n\tstr r4, [r1]\n\tcmp r5, #0\n\tbeq 1b\n\tbx r5");

/* A store that the syndrome does not describe: the driver reads the instruction by itself. */
GUEST_CODE(pair, "1:\tstrd r2, r3, [r1]\n\tb 1b");

static const uint64_t where[] = { 1ull << 32, 0x8040000000ull, 0xffc0000000ull };

/* A VM with @mem at @at, which its guest has at VA. The lowest GiB has the devices. */
static void make(struct vm *vm, uint64_t at, char *mem)
{
	const uint64_t table[4] = { 0x701, RAM_BASE | 0x705, at | 0x705, 0 };

	vm_make(vm, 1, 0);
	MUST_OK(mem_set(vm->fd, SLOT, 0, at, PAGES * PAGE, mem));
	memcpy(vm->ram + TABLE, table, sizeof(table));
	VM_CODE(vm, 0, store);
	reg32_set(vm->vcpu[0].fd, REG_R(5), 0);
}

/* The guest stores @value in page @i, and reads it again. */
static void stored(struct vm *vm, unsigned int i, uint32_t value)
{
	const struct kvm_run *run = vm->vcpu[0].run;
	uint32_t got;

	reg32_set(vm->vcpu[0].fd, REG_R(2), VA + i * PAGE);
	reg32_set(vm->vcpu[0].fd, REG_R(3), value);
	MUST_OK(ioctl(vm->vcpu[0].fd, KVM_RUN, 0));
	MUST(run->exit_reason == KVM_EXIT_MMIO && run->mmio.phys_addr == DEV_BASE,
	     "page %u: exit %u at %llx", i, run->exit_reason, (unsigned long long)run->mmio.phys_addr);
	memcpy(&got, run->mmio.data, sizeof(got));
	CHECK(got == value, "page %u: %x, not %x", i, got, value);
}

static void data(void)
{
	for (unsigned int n = 0; n < sizeof(where) / sizeof(where[0]); n++) {
		uint32_t *mem = (uint32_t *)map_pages(PAGES * PAGE), log = 0;
		struct kvm_dirty_log dirty = { .slot = SLOT, .dirty_bitmap = &log };
		struct vm vm;

		make(&vm, where[n], (char *)mem);
		for (unsigned int i = 0; i < PAGES; i++)
			stored(&vm, i, 0x100 + i);
		for (unsigned int i = 0; i < PAGES; i++)
			CHECK(mem[i * PAGE / 4] == 0x100 + i, "%llx, page %u: %x",
			      (unsigned long long)where[n], i, mem[i * PAGE / 4]);
		CHECK_OK(mem_set(vm.fd, SLOT, KVM_MEM_LOG_DIRTY_PAGES, where[n], PAGES * PAGE,
				 mem));
		stored(&vm, 7, 1);
		stored(&vm, 9, 1);
		CHECK_OK(ioctl(vm.fd, KVM_GET_DIRTY_LOG, &dirty));
		CHECK(log == (1u << 7 | 1u << 9), "%x", log);
		vm_close(&vm);
	}
}

/* Without its slot, the same address is a device of the client's. */
static void no_data(void)
{
	char *mem = map_pages(PAGES * PAGE);
	struct kvm_run *run;
	struct vm vm;

	make(&vm, where[0], mem);
	run = vm.vcpu[0].run;
	stored(&vm, 3, 5);
	CHECK_OK(mem_set(vm.fd, SLOT, 0, 0, 0, NULL));
	MUST_OK(ioctl(vm.vcpu[0].fd, KVM_RUN, 0));
	CHECK(run->exit_reason == KVM_EXIT_MMIO && run->mmio.is_write &&
	      run->mmio.phys_addr == where[0] + 3 * PAGE, "exit %u at %llx", run->exit_reason,
	      (unsigned long long)run->mmio.phys_addr);
}

static void code(void)
{
	for (unsigned int n = 0; n < sizeof(where) / sizeof(where[0]); n++) {
		char *mem = map_pages(PAGES * PAGE);
		const struct kvm_run *run;
		uint32_t got;
		struct vm vm;

		memcpy(mem, code_pair, (size_t)(code_pair_end - code_pair));
		make(&vm, where[n], mem);
		run = vm.vcpu[0].run;
		reg32_set(vm.vcpu[0].fd, REG_R(5), VA);
		stored(&vm, 1, 0x1234);
		for (unsigned int i = 0; i < 4; i++) {
			MUST_OK(ioctl(vm.vcpu[0].fd, KVM_RUN, 0));
			memcpy(&got, run->mmio.data, sizeof(got));
			CHECK(run->exit_reason == KVM_EXIT_MMIO && run->mmio.is_write &&
			      run->mmio.phys_addr == DEV_BASE + i % 2 * 4 &&
			      got == (i % 2 ? 0x1234 : VA + PAGE), "%llx: exit %u at %llx, %x",
			      (unsigned long long)where[n], run->exit_reason,
			      (unsigned long long)run->mmio.phys_addr, got);
		}
		CHECK(reg32(vm.vcpu[0].fd, REG_PC) - VA < PAGE, "%x", reg32(vm.vcpu[0].fd, REG_PC));
		vm_close(&vm);
	}
}

static const struct ktap_case cases[] = {
	{ "data", data, 0 },
	{ "no_data", no_data, 0 },
	{ "code", code, 0 },
};
KTAP_MAIN(cases)
