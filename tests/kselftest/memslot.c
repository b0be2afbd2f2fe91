// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_SET_USER_MEMORY_REGION with all mistakes that a client can make, and what a guest sees of
 * each change (docs/hazards.md 7, 13 and 21).
 */
#include "vm.h"

#define IPA_END	(1ull << 40)

/* Reads the word at r2 and writes it to DEV_BASE; then again with the next r2. */
GUEST_CODE(peek, "ldr r1, =DEV_BASE\n1:\tldr r0, [r2]\n\tstr r0, [r1]\n\tb 1b");
GUEST_CODE(poke, "ldr r1, =DEV_BASE\n1:\tstr r3, [r2]\n\tstr r3, [r1]\n\tb 1b");
GUEST_CODE(walk, "ldr r1, =DEV_BASE\n\tldr r2, =0x80000000\n1:\tldr r0, [r2]\n\t"
	   "add r2, r2, #0x200000\n\tcmp r2, #0x90000000\n\tblo 1b\n\tstr r2, [r1]\n\tb .");

static uint32_t written(struct vm *vm, uint64_t at)
{
	struct kvm_run *run = vm->vcpu[0].run;
	unsigned int reason = vm_run(vm, 0);
	uint32_t v;

	MUST(reason == KVM_EXIT_MMIO && run->mmio.is_write && run->mmio.phys_addr == at,
	     "exit %u at %llx", reason, (unsigned long long)run->mmio.phys_addr);
	memcpy(&v, run->mmio.data, 4);
	return v;
}

static void arguments(void)
{
	struct vm vm;
	char *mem = map_pages(16 * PAGE);
	int fd;

	vm_make(&vm, 0, VM_NO_GIC);
	fd = vm.fd;
	CHECK_ERRNO(mem_set(fd, 1, 0, 0x80000000 + 1, PAGE, mem), EINVAL);
	CHECK_ERRNO(mem_set(fd, 1, 0, 0x80000000 + 2048, PAGE, mem), EINVAL);
	CHECK_ERRNO(mem_set(fd, 1, 0, 0x80000000, PAGE + 1, mem), EINVAL);
	CHECK_ERRNO(mem_set(fd, 1, 0, 0x80000000, 100, mem), EINVAL);
	CHECK_ERRNO(mem_set(fd, 1, 0, 0x80000000, PAGE, mem + 1), EINVAL);
	CHECK_ERRNO(mem_set(fd, 1, 0, 0x80000000, PAGE, (void *)0xc0000000), EINVAL);
	CHECK_ERRNO(mem_set(fd, 1, 0, 0x80000000, 1u << 30, (void *)0xb0000000), EINVAL);
	CHECK_ERRNO(mem_set(fd, 1, 4, 0x80000000, PAGE, mem), EINVAL);
	CHECK_ERRNO(mem_set(fd, 1, 0x80000000, 0x80000000, PAGE, mem), EINVAL);
	CHECK_ERRNO(mem_set(fd, 0x10001, 0, 0x80000000, PAGE, mem), EINVAL);
	CHECK_ERRNO(mem_set(fd, 0xffff, 0, 0x80000000, PAGE, mem), EINVAL);
	CHECK_ERRNO(mem_set(fd, 0xffffffff, 0, 0x80000000, PAGE, mem), EINVAL);
	/* To delete a slot that does not exist. */
	CHECK_ERRNO(mem_set(fd, 1, 0, 0x80000000, 0, mem), EINVAL);
	CHECK_ERRNO(mem_set(fd, 31, 0, 0, 0, NULL), EINVAL);
	/* Ranges that wrap, or lie beyond 40 bits. */
	CHECK_ERRNO(mem_set(fd, 1, 0, ~0ull & ~0xfffull, PAGE * 2, mem), EINVAL);
	CHECK_ERRNO(mem_set(fd, 1, 0, -(16ull * PAGE), 16 * PAGE + PAGE, mem), EINVAL);
	CHECK_ERRNO(mem_set(fd, 1, 0, IPA_END, PAGE, mem), EFAULT);
	CHECK_ERRNO(mem_set(fd, 1, 0, IPA_END - PAGE, 2 * PAGE, mem), EFAULT);
	CHECK_ERRNO(mem_set(fd, 1, 0, 1ull << 44, PAGE, mem), EFAULT);
	CHECK_OK(mem_set(fd, 1, 0, IPA_END - 4 * PAGE, PAGE, mem));
}

static void overlaps(void)
{
	struct vm vm;
	char *mem = map_pages(64 * PAGE);
	int fd;

	vm_make(&vm, 0, VM_NO_GIC);
	fd = vm.fd;
	CHECK_OK(mem_set(fd, 1, 0, 0x80010000, 16 * PAGE, mem));
	CHECK_ERRNO(mem_set(fd, 2, 0, 0x80010000, 16 * PAGE, mem), EEXIST);
	CHECK_ERRNO(mem_set(fd, 2, 0, 0x8001f000, PAGE, mem), EEXIST);
	CHECK_ERRNO(mem_set(fd, 2, 0, 0x8000f000, 2 * PAGE, mem), EEXIST);
	CHECK_ERRNO(mem_set(fd, 2, 0, 0x80000000, 64 * PAGE, mem), EEXIST);
	CHECK_ERRNO(mem_set(fd, 2, 0, 0x80014000, PAGE, mem), EEXIST);
	CHECK_OK(mem_set(fd, 2, 0, 0x80020000, PAGE, mem));
	CHECK_OK(mem_set(fd, 3, 0, 0x8000f000, PAGE, mem));
	/* A slot that moves onto another. */
	CHECK_ERRNO(mem_set(fd, 2, 0, 0x80010000, PAGE, mem), EEXIST);
	CHECK_OK(mem_set(fd, 2, 0, 0x80030000, PAGE, mem));
	CHECK_OK(mem_set(fd, 4, 0, 0x80020000, PAGE, mem));
	/* After a slot is deleted, its place is free. */
	CHECK_OK(mem_set(fd, 1, 0, 0, 0, NULL));
	CHECK_OK(mem_set(fd, 5, 0, 0x80010000, 16 * PAGE, mem));
	CHECK_ERRNO(mem_set(fd, 1, 0, 0, 0, NULL), EINVAL);
}

static void changes(void)
{
	struct vm vm;
	char *mem = map_pages(64 * PAGE);
	int fd;

	vm_make(&vm, 0, VM_NO_GIC);
	fd = vm.fd;
	CHECK_OK(mem_set(fd, 1, 0, 0x80000000, 16 * PAGE, mem));
	CHECK_OK(mem_set(fd, 1, 0, 0x80000000, 16 * PAGE, mem));
	/* Size, memory and READONLY of a slot do not change in place. */
	CHECK_ERRNO(mem_set(fd, 1, 0, 0x80000000, 8 * PAGE, mem), EINVAL);
	CHECK_ERRNO(mem_set(fd, 1, 0, 0x80000000, 32 * PAGE, mem), EINVAL);
	CHECK_ERRNO(mem_set(fd, 1, 0, 0x80000000, 16 * PAGE, mem + PAGE), EINVAL);
	CHECK_ERRNO(mem_set(fd, 1, KVM_MEM_READONLY, 0x80000000, 16 * PAGE, mem), EINVAL);
	CHECK_OK(mem_set(fd, 1, 0, 0x90000000, 16 * PAGE, mem));
}

static void all_slots(void)
{
	struct vm vm;
	int n, i;

	vm_make(&vm, 1, 0);
	n = ioctl(vm.sys, KVM_CHECK_EXTENSION, KVM_CAP_NR_MEMSLOTS);
	MUST(n >= 32, "%d slots", n);
	for (i = 1; i < n; i++)
		CHECK_OK(mem_set(vm.fd, (uint32_t)i, 0, 0x80000000ull + (uint64_t)i * 0x100000,
				 PAGE, vm.ram + i % 512 * PAGE));
	CHECK_ERRNO(mem_set(vm.fd, (uint32_t)n, 0, 0xf0000000, PAGE, vm.ram), EINVAL);
	for (i = 1; i < n; i += n / 8) {
		uint32_t want = 0xabcd0000u + (uint32_t)i;

		memcpy(vm.ram + i % 512 * PAGE + 8, &want, 4);
		VM_CODE(&vm, 0, peek);
		memcpy(vm.ram + i % 512 * PAGE + 8, &want, 4);
		reg32_set(vm.vcpu[0].fd, REG_R(2), 0x80000008u + (uint32_t)i * 0x100000);
		CHECK(written(&vm, DEV_BASE) == want, "slot %d", i);
	}
}

static void deleted(void)
{
	struct vm vm;
	char *mem = map_pages(PAGE);
	struct kvm_run *run;

	vm_make(&vm, 1, 0);
	run = vm.vcpu[0].run;
	mem[0] = 0x5a;
	CHECK_OK(mem_set(vm.fd, 1, 0, 0x80000000, PAGE, mem));
	VM_CODE(&vm, 0, peek);
	reg32_set(vm.vcpu[0].fd, REG_R(2), 0x80000000);
	CHECK(written(&vm, DEV_BASE) == 0x5a);
	CHECK_OK(mem_set(vm.fd, 1, 0, 0x80000000, 0, NULL));
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
	CHECK(run->mmio.phys_addr == 0x80000000 && !run->mmio.is_write && run->mmio.len == 4,
	      "deleted memory is a device: %llx", (unsigned long long)run->mmio.phys_addr);
	*(uint32_t *)run->mmio.data = 0x77;
	CHECK(written(&vm, DEV_BASE) == 0x77);
	/* And back as memory. */
	CHECK_OK(mem_set(vm.fd, 1, 0, 0x80000000, PAGE, mem));
	CHECK(written(&vm, DEV_BASE) == 0x5a);
}

static void moved(void)
{
	struct vm vm;
	char *mem = map_pages(PAGE);

	vm_make(&vm, 1, 0);
	mem[0] = 0x11;
	CHECK_OK(mem_set(vm.fd, 1, 0, 0x80000000, PAGE, mem));
	VM_CODE(&vm, 0, peek);
	reg32_set(vm.vcpu[0].fd, REG_R(2), 0x80000000);
	CHECK(written(&vm, DEV_BASE) == 0x11);
	CHECK_OK(mem_set(vm.fd, 1, 0, 0x80002000, PAGE, mem));
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO && vm.vcpu[0].run->mmio.phys_addr == 0x80000000);
	memset(vm.vcpu[0].run->mmio.data, 0, 8);
	CHECK(written(&vm, DEV_BASE) == 0);
	reg32_set(vm.vcpu[0].fd, REG_R(2), 0x80002000);
	CHECK(written(&vm, DEV_BASE) == 0x11);
}

static void readonly(void)
{
	struct vm vm;
	char *mem = map_pages(2 * PAGE);
	struct kvm_run *run;

	vm_make(&vm, 1, 0);
	run = vm.vcpu[0].run;
	mem[0] = 0x22;
	CHECK_OK(mem_set(vm.fd, 1, KVM_MEM_READONLY, 0x80000000, 2 * PAGE, mem));
	VM_CODE(&vm, 0, peek);
	reg32_set(vm.vcpu[0].fd, REG_R(2), 0x80000000);
	CHECK(written(&vm, DEV_BASE) == 0x22);
	/* The client gets a write, to a page mapped before and to one never touched. */
	for (uint32_t a = 0x80000000; a <= 0x80001000; a += PAGE) {
		VM_CODE(&vm, 0, poke);
		reg32_set(vm.vcpu[0].fd, REG_R(2), a);
		reg32_set(vm.vcpu[0].fd, REG_R(3), 0x33);
		CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
		CHECK(run->mmio.phys_addr == a && run->mmio.is_write &&
		      *(uint32_t *)run->mmio.data == 0x33, "%llx",
		      (unsigned long long)run->mmio.phys_addr);
		CHECK(written(&vm, DEV_BASE) == 0x33);
		CHECK(mem[a & PAGE] == (a & PAGE ? 0 : 0x22), "the write went through");
	}
}

static void readonly_vma(void)
{
	struct vm vm;
	char *mem = map_pages(3 * PAGE);

	vm_make(&vm, 0, VM_NO_GIC);
	mprotect(mem, PAGE, PROT_READ);
	CHECK_ERRNO(mem_set(vm.fd, 1, 0, 0x80000000, PAGE, mem), EPERM);
	CHECK_OK(mem_set(vm.fd, 1, KVM_MEM_READONLY, 0x80000000, PAGE, mem));
	/* All mappings behind a slot count, also those after a hole, but none beyond the slot. */
	CHECK_OK(mem_set(vm.fd, 2, 0, 0x90000000, 2 * PAGE, mem + PAGE));
	CHECK_OK(mem_set(vm.fd, 2, 0, 0, 0, NULL));
	mprotect(mem, PAGE, PROT_READ | PROT_WRITE);
	mprotect(mem + 2 * PAGE, PAGE, PROT_READ);
	CHECK_OK(mem_set(vm.fd, 2, 0, 0x90000000, 2 * PAGE, mem));
	CHECK_OK(mem_set(vm.fd, 2, 0, 0, 0, NULL));
	CHECK_ERRNO(mem_set(vm.fd, 2, 0, 0x90000000, 3 * PAGE, mem), EPERM);
	munmap(mem + PAGE, PAGE);
	CHECK_ERRNO(mem_set(vm.fd, 2, 0, 0x90000000, 3 * PAGE, mem), EPERM);
}

/* A slot without memory behind it: RUN reports that to the client, not to the guest. */
static void no_backing(void)
{
	struct vm vm;
	char *mem = map_pages(PAGE);

	vm_make(&vm, 1, 0);
	CHECK_OK(mem_set(vm.fd, 1, 0, 0x80000000, PAGE, mem));
	munmap(mem, PAGE);
	VM_CODE(&vm, 0, peek);
	reg32_set(vm.vcpu[0].fd, REG_R(2), 0x80000000);
	CHECK_ERRNO(ioctl(vm.vcpu[0].fd, KVM_RUN, 0), EFAULT);
	CHECK_ERRNO(ioctl(vm.vcpu[0].fd, KVM_RUN, 0), EFAULT);
	/* The client maps memory, and the guest goes on. */
	mem = mmap(mem, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		   0);
	mem[0] = 0x44;
	CHECK(written(&vm, DEV_BASE) == 0x44);
}

/* The protection of the client's mapping applies to its guest. */
static void protected_later(void)
{
	struct vm vm;
	char *mem = map_pages(PAGE);

	needs_sync_mmu();
	vm_make(&vm, 1, 0);
	CHECK_OK(mem_set(vm.fd, 1, 0, 0x80000000, PAGE, mem));
	VM_CODE(&vm, 0, poke);
	reg32_set(vm.vcpu[0].fd, REG_R(2), 0x80000000);
	reg32_set(vm.vcpu[0].fd, REG_R(3), 1);
	CHECK(written(&vm, DEV_BASE) == 1);
	mprotect(mem, PAGE, PROT_READ);
	reg32_set(vm.vcpu[0].fd, REG_R(3), 2);
	CHECK_ERRNO(ioctl(vm.vcpu[0].fd, KVM_RUN, 0), EFAULT);
	CHECK(mem[0] == 1, "written to while read-only");
	mprotect(mem, PAGE, PROT_READ | PROT_WRITE);
	CHECK(written(&vm, DEV_BASE) == 2);
	vm_sync(mem, PAGE);
	CHECK(mem[0] == 2);
}

/* RAM over the GIC's windows must neither give access to the GIC nor break it (item 21). */
static void over_gic(void)
{
	struct vm vm;
	char *mem = map_pages(0x20000);
	uint32_t iidr;

	vm_make(&vm, 1, VM_NO_GIC_INIT);
	if (mem_set(vm.fd, 1, 0, GICD_BASE, 0x20000, mem) < 0) {
		CHECK(errno == EINVAL || errno == EEXIST, "%s", strerror(errno));
		return;
	}
	CHECK_OK(attr_set(vm.gic, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL));
	VM_CODE(&vm, 0, peek);
	memset(mem, 0, 0x20000);
	reg32_set(vm.vcpu[0].fd, REG_R(2), (uint32_t)GICD_BASE + 8);
	if (ioctl(vm.vcpu[0].fd, KVM_RUN, 0) < 0) {
		ktap_note("RUN refuses: %s", strerror(errno));
		return;
	}
	/* Both views are consistent; the client's memory is not a distributor. */
	memcpy(&iidr, vm.vcpu[0].run->mmio.data, 4);
	CHECK(iidr == 0 || (iidr & 0xfff) == 0x43b, "%x", iidr);
	reg32_set(vm.vcpu[0].fd, REG_R(2), (uint32_t)GICC_BASE + 0x0c);
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
	CHECK_OK(mem_set(vm.fd, 1, 0, 0, 0, NULL));
	CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
}

static uint32_t peeked(struct vm *vm)
{
	uint32_t v;

	MUST(vm_run(vm, 0) == KVM_EXIT_MMIO, "exit reason %u", vm->vcpu[0].run->exit_reason);
	memcpy(&v, vm->vcpu[0].run->mmio.data, 4);
	return v;
}

/* A slot over the distributor's page hides it, from HYP mode too, for as long as it is there. */
static void over_gicd(void)
{
	struct vm vm;
	char *mem = map_pages(PAGE);
	uint32_t iidr;

	vm_make(&vm, 1, 0);
	VM_CODE(&vm, 0, peek);
	reg32_set(vm.vcpu[0].fd, REG_R(2), (uint32_t)GICD_BASE + 8);
	iidr = peeked(&vm);
	CHECK((iidr & 0xfff) == 0x43b, "%x", iidr);
	memset(mem, 0x5a, PAGE);
	CHECK_OK(mem_set(vm.fd, 1, 0, GICD_BASE, PAGE, mem));
	CHECK(peeked(&vm) == 0x5a5a5a5a);
	CHECK_OK(mem_set(vm.fd, 1, 0, GICD_BASE, 0, mem));
	CHECK(peeked(&vm) == iidr);
	/* One that is there before the distributor is. */
	vm_make(&vm, 1, 0);
	VM_CODE(&vm, 0, peek);
	CHECK_OK(mem_set(vm.fd, 1, 0, GICD_BASE, PAGE, mem));
	reg32_set(vm.vcpu[0].fd, REG_R(2), (uint32_t)GICD_BASE + 8);
	CHECK(peeked(&vm) == 0x5a5a5a5a);
}

/* Slots change all the time while two vCPUs run in them (item 7). */
static void change_running(void)
{
	struct runner r[2];
	struct vm vm;
	char *mem = map_pages(16 * PAGE);

	vm_make(&vm, 2, 0);
	for (unsigned int i = 0; i < 2; i++) {
		vm_vcpu_on(&vm, i);
		VM_CODE(&vm, i, peek);
		reg32_set(vm.vcpu[i].fd, REG_R(2), 0x80000000 + i * PAGE);
		runner_start(&r[i], &vm, i);
	}
	for (int i = 0; i < 300; i++) {
		CHECK_OK(mem_set(vm.fd, 1, 0, 0x80000000, 16 * PAGE, mem));
		usleep(i % 7 * 200);
		CHECK_OK(mem_set(vm.fd, 1, 0, 0x80000000, 0, NULL));
		if (i % 3 == 0)
			usleep(300);
	}
	for (unsigned int i = 0; i < 2; i++) {
		CHECK(runner_wait(&r[i], r[i].mmio + 1, PATIENCE_MS), "vCPU %u stands still", i);
		CHECK(!r[i].error, "vCPU %u: %d", i, r[i].error);
		runner_stop(&r[i]);
	}
}

/* Touches 128 MiB sparsely: each touch costs at most a page of tables, which is freed again. */
static void sparse(void)
{
	struct vm vm;
	char *mem = mmap(NULL, 256 << 20, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	MUST(mem != MAP_FAILED, "no address space");
	vm_make(&vm, 1, 0);
	CHECK_OK(mem_set(vm.fd, 1, 0, 0x80000000, 256 << 20, mem));
	for (int round = 0; round < 4; round++) {
		VM_CODE(&vm, 0, walk);
		CHECK(written(&vm, DEV_BASE) == 0x90000000);
		CHECK_OK(madvise(mem, 256 << 20, MADV_DONTNEED));
	}
}

/*
 * Slots may show one mapping many times, but not without bound: each needs tables. The guest's RAM
 * counts too.
 */
static void sum(void)
{
	const uint32_t size = 256u << 20, nr = 31;
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct vm vm;

	MUST(mem != MAP_FAILED, "%s", strerror(errno));
	vm_make(&vm, 1, 0);
	for (uint64_t i = 0; i < nr; i++)
		MUST_OK(mem_set(vm.fd, 1 + i, 0, (4 + i) << 30, size, mem));
	CHECK_ERRNO(mem_set(vm.fd, nr + 1, 0, 100ull << 30, size, mem), ENOSPC);
	CHECK_OK(mem_set(vm.fd, nr + 1, 0, 100ull << 30, size - RAM_SIZE, mem));
	CHECK_ERRNO(mem_set(vm.fd, nr + 2, 0, 200ull << 30, PAGE, mem), ENOSPC);
	/* What is there may change. */
	CHECK_OK(mem_set(vm.fd, nr + 1, 0, 101ull << 30, size - RAM_SIZE, mem));
	CHECK_OK(mem_set(vm.fd, nr + 1, KVM_MEM_LOG_DIRTY_PAGES, 101ull << 30, size - RAM_SIZE,
			 mem));
	CHECK_OK(mem_set(vm.fd, 1, 0, 4ull << 30, 0, mem));
	CHECK_OK(mem_set(vm.fd, nr + 2, 0, 200ull << 30, PAGE, mem));
	vm_close(&vm);
}

static const struct ktap_case cases[] = {
	{ "arguments", arguments, 0 },
	{ "overlaps", overlaps, 0 },
	{ "changes", changes, 0 },
	{ "all_slots", all_slots, 0 },
	{ "deleted", deleted, 0 },
	{ "moved", moved, 0 },
	{ "readonly", readonly, 0 },
	{ "readonly_vma", readonly_vma, 0 },
	{ "no_backing", no_backing, 0 },
	{ "protected_later", protected_later, 0 },
	{ "over_gic", over_gic, 0 },
	{ "over_gicd", over_gicd, 0 },
	{ "change_running", change_running, 0 },
	{ "sparse", sparse, 0 },
	{ "sum", sum, 0 },
};
KTAP_MAIN(cases)
