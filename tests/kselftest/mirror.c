// SPDX-License-Identifier: GPL-2.0-only
/* Mirrors of registers: the guest reads what the client left in the kernel, and nothing is lost. */
#include "binstats.h"
#include "vm.h"

#define MIRROR		0x0b000000u

/* Reads of all widths and forms, each into a register of its own; then reports. */
GUEST_CODE(forms, "ldr r1, =DEV_BASE\n\tldr r4, [r2]\n\tldrh r5, [r2, #2]\n\tldrb r6, [r2, #1]\n\t"
	   "ldrsb r7, [r2, #3]\n\tldrsh r8, [r2, #2]\n\tmov r0, r2\n\tldr r9, [r0], #4\n\t"
	   "ldrd r10, r11, [r2]\n\tldm r2, {r2, r12}\n\tstr r0, [r1]");
/* One word of r2, then a write there, and a report. */
GUEST_CODE(once, "ldr r1, =DEV_BASE\n\tldr r0, [r2]\n\tstr r0, [r2]\n\tstr r0, [r1]");
/* Waits until r2's word is r4, reports it, and waits for r4 + 1. */
GUEST_CODE(follow, "ldr r1, =DEV_BASE\n1:\tldr r0, [r2]\n\tcmp r0, r4\n\tbne 1b\n\tstr r0, [r1]\n\t"
	   "add r4, r4, #1\n\tb 1b");
/* Reads r2's word for as long as it is r4; reports another one. Counts in r5. */
GUEST_CODE(same, "ldr r1, =DEV_BASE\n1:\tldr r0, [r2]\n\tadd r5, r5, #1\n\tcmp r0, r4\n\tbeq 1b\n\t"
	   "str r0, [r1]\n\tb 1b");

static int mirror(struct vm *vm, uint64_t addr, uint32_t size, uint32_t flags, uint32_t value)
{
	struct armvmm_mirror arg = {
		.addr = addr, .size = size, .flags = flags, .value = value,
	};

	return ioctl(vm->fd, ARMVMM_SET_MIRROR, &arg);
}

static int set(struct vm *vm, uint64_t addr, uint32_t value)
{
	return mirror(vm, addr, 4, 0, value);
}

static int del(struct vm *vm, uint64_t addr)
{
	return mirror(vm, addr, 4, ARMVMM_MIRROR_DELETE, 0);
}

static void start(struct vm *vm, unsigned int i, uint32_t at, uint32_t value)
{
	reg32_set(vm->vcpu[i].fd, REG_R(2), at);
	reg32_set(vm->vcpu[i].fd, REG_R(4), value);
	reg32_set(vm->vcpu[i].fd, REG_R(5), 0);
}

/* Runs vCPU 0 until it accesses @addr. */
static void exits_at(struct vm *vm, uint32_t addr, bool write)
{
	struct kvm_run *run = vm->vcpu[0].run;

	MUST(vm_run(vm, 0) == KVM_EXIT_MMIO && run->mmio.phys_addr == addr &&
	     run->mmio.is_write == write, "exit %u, at 0x%llx", run->exit_reason,
	     (unsigned long long)run->mmio.phys_addr);
}

static uint32_t reg(struct vm *vm, unsigned int n)
{
	return reg32(vm->vcpu[0].fd, REG_R(n));
}

static void arguments(void)
{
	struct armvmm_mirror padded = { .addr = MIRROR, .size = 4, .pad = 1 };
	int sys = sys_open();
	struct vm vm;

	CHECK(ioctl(sys, KVM_CHECK_EXTENSION, ARMVMM_CAP_MIRRORS) == ARMVMM_MAX_MIRRORS);
	vm_make(&vm, 1, 0);
	CHECK(ioctl(vm.fd, KVM_CHECK_EXTENSION, ARMVMM_CAP_MIRRORS) == ARMVMM_MAX_MIRRORS);
	CHECK_ERRNO(ioctl(vm.fd, ARMVMM_SET_MIRROR, NULL), EFAULT);
	CHECK_ERRNO(ioctl(vm.fd, ARMVMM_SET_MIRROR, (void *)-8), EFAULT);
	/* It is of a VM. */
	CHECK_ERRNO(ioctl(sys, ARMVMM_SET_MIRROR, &padded), EINVAL);
	CHECK_ERRNO(ioctl(vm.vcpu[0].fd, ARMVMM_SET_MIRROR, &padded), EINVAL);
	/* Its number has the struct's size in it, and another number is no ioctl. */
	CHECK_ERRNO(ioctl(vm.fd, _IOW(ARMVMMIO, 0x01, uint64_t), &padded), EINVAL);
	CHECK_ERRNO(ioctl(vm.fd, _IOW(ARMVMMIO, 0x02, struct armvmm_mirror), &padded), EINVAL);
	CHECK_ERRNO(ioctl(vm.fd, ARMVMM_SET_MIRROR, &padded), EINVAL);
	CHECK_ERRNO(mirror(&vm, MIRROR, 0, 0, 0), EINVAL);
	CHECK_ERRNO(mirror(&vm, MIRROR, 3, 0, 0), EINVAL);
	CHECK_ERRNO(mirror(&vm, MIRROR, 8, 0, 0), EINVAL);
	CHECK_ERRNO(mirror(&vm, MIRROR, ~0u, 0, 0), EINVAL);
	CHECK_ERRNO(mirror(&vm, MIRROR + 2, 4, 0, 0), EINVAL);
	CHECK_ERRNO(mirror(&vm, MIRROR + 1, 2, 0, 0), EINVAL);
	CHECK_ERRNO(mirror(&vm, MIRROR, 1, 0, 0x100), EINVAL);
	CHECK_ERRNO(mirror(&vm, MIRROR, 4, 2, 0), EINVAL);
	CHECK_ERRNO(del(&vm, MIRROR), ENOENT);
	CHECK_OK(set(&vm, MIRROR, 1));
	CHECK_ERRNO(mirror(&vm, MIRROR, 2, 0, 1), EEXIST);
	CHECK_ERRNO(mirror(&vm, MIRROR + 3, 1, 0, 1), EEXIST);
	CHECK_ERRNO(mirror(&vm, MIRROR, 2, ARMVMM_MIRROR_DELETE, 0), ENOENT);
	for (uint32_t i = 1; i < ARMVMM_MAX_MIRRORS; i++)
		CHECK_OK(set(&vm, MIRROR + 8 * i, i));
	CHECK_ERRNO(set(&vm, MIRROR + 4, 1), ENOSPC);
	CHECK_OK(set(&vm, MIRROR, 2));
	CHECK_OK(del(&vm, MIRROR));
	CHECK_OK(set(&vm, MIRROR + 4, 1));
	CHECK_ERRNO(set(&vm, MIRROR, 1), ENOSPC);
	/* No guest comes there, but it harms nobody. */
	CHECK_OK(del(&vm, MIRROR + 4));
	CHECK_OK(set(&vm, ~3ull, 1));
}

/* Answered by the host and in HYP mode: the same. */
static void both(void (*test)(bool hyp))
{
	for (int hyp = 0; hyp < 2; hyp++) {
		param_set("hyp_mirrors", hyp);
		test(hyp);
	}
}

static void reads_by(bool hyp)
{
	struct vm vm;
	int fd;

	vm_make(&vm, 1, 0);
	CHECK_OK(set(&vm, MIRROR, 0x84332211));
	CHECK_OK(mirror(&vm, MIRROR + 4, 2, 0, 0x6655));
	CHECK_OK(mirror(&vm, MIRROR + 6, 2, 0, 0x8877));
	VM_CODE(&vm, 0, forms);
	start(&vm, 0, MIRROR, 0);
	/* No mirror has all of the second word: the client is asked twice for it. */
	for (int i = 0; i < 2; i++) {
		exits_at(&vm, MIRROR + 4, false);
		CHECK(vm.vcpu[0].run->mmio.len == 4);
		memcpy(vm.vcpu[0].run->mmio.data, "\x0d\xf0\xad\x0b", 4);
	}
	exits_at(&vm, DEV_BASE, true);
	fd = stats_fd(vm.vcpu[0].fd);
	/* Three are HYP mode's. Those with a sign or several registers are the host's. */
	CHECK(stat_of(fd, "hyp_mmio_read") == (hyp ? 3 : 0), "%llu",
	      (unsigned long long)stat_of(fd, "hyp_mmio_read"));
	close(fd);
	CHECK(reg(&vm, 4) == 0x84332211, "%x", reg(&vm, 4));
	CHECK(reg(&vm, 5) == 0x8433, "%x", reg(&vm, 5));
	CHECK(reg(&vm, 6) == 0x22, "%x", reg(&vm, 6));
	CHECK(reg(&vm, 7) == 0xffffff84, "%x", reg(&vm, 7));
	CHECK(reg(&vm, 8) == 0xffff8433, "%x", reg(&vm, 8));
	CHECK(reg(&vm, 9) == 0x84332211, "%x", reg(&vm, 9));
	CHECK(reg(&vm, 0) == MIRROR + 4, "%x", reg(&vm, 0));
	CHECK(reg(&vm, 10) == 0x84332211 && reg(&vm, 11) == 0x0badf00d, "%x %x", reg(&vm, 10),
	      reg(&vm, 11));
	CHECK(reg(&vm, 2) == 0x84332211 && reg(&vm, 12) == 0x0badf00d, "%x %x", reg(&vm, 2),
	      reg(&vm, 12));

	/* A write is the client's, and changes nothing. */
	VM_CODE(&vm, 0, once);
	start(&vm, 0, MIRROR, 0);
	exits_at(&vm, MIRROR, true);
	exits_at(&vm, DEV_BASE, true);
	VM_CODE(&vm, 0, once);
	start(&vm, 0, MIRROR, 0);
	exits_at(&vm, MIRROR, true);
	CHECK(reg(&vm, 0) == 0x84332211, "%x", reg(&vm, 0));

	CHECK_OK(del(&vm, MIRROR));
	VM_CODE(&vm, 0, once);
	start(&vm, 0, MIRROR, 0);
	exits_at(&vm, MIRROR, false);
	vm_close(&vm);
}

static void reads(void)
{
	both(reads_by);
}

/*
 * An administrator's choice, for VMs that are made from then on: as if mirrors were not there. A VM
 * that has them goes on with them: what its guest reads does not stay as it is.
 */
static void turned_off(void)
{
	struct vm old, vm;

	vm_make(&old, 1, 0);
	CHECK_OK(set(&old, MIRROR, 1));
	CHECK_OK(set(&old, MIRROR + 4, 1));
	param_set("mirrors", false);
	CHECK(ioctl(old.fd, KVM_CHECK_EXTENSION, ARMVMM_CAP_MIRRORS) == ARMVMM_MAX_MIRRORS);
	CHECK_OK(set(&old, MIRROR, 2));
	CHECK_OK(del(&old, MIRROR + 4));
	CHECK_OK(set(&old, MIRROR + 8, 3));
	VM_CODE(&old, 0, once);
	start(&old, 0, MIRROR, 0);
	exits_at(&old, MIRROR, true);
	CHECK(reg(&old, 0) == 2, "%x", reg(&old, 0));
	vm_close(&old);

	vm_make(&vm, 1, 0);
	CHECK(ioctl(vm.fd, KVM_CHECK_EXTENSION, ARMVMM_CAP_MIRRORS) == 0);
	CHECK_ERRNO(set(&vm, MIRROR, 1), EINVAL);
	VM_CODE(&vm, 0, once);
	start(&vm, 0, MIRROR, 0);
	exits_at(&vm, MIRROR, false);
	param_set("mirrors", true);
	CHECK_ERRNO(set(&vm, MIRROR, 1), EINVAL);
	vm_close(&vm);
	vm_make(&vm, 1, 0);
	CHECK_OK(set(&vm, MIRROR, 1));
}

/* RAM and the kernel's own devices come first: a mirror over them is never read. */
static void behind_by(bool in_hyp)
{
	uint32_t word = 0x12345678;
	struct vm vm;
	int fd;

	for (int hyp = 0; hyp < 2; hyp++) {
		param_set("hyp_dist", hyp);
		vm_make(&vm, 1, 0);
		memcpy(vm.ram + 0x2000, &word, 4);
		vm_sync(vm.ram + 0x2000, 4);
		CHECK_OK(set(&vm, RAM_BASE + 0x2000, 1));
		CHECK_OK(set(&vm, GICD_BASE + 8, 1));
		VM_CODE(&vm, 0, once);
		start(&vm, 0, RAM_BASE + 0x2000, 0);
		exits_at(&vm, DEV_BASE, true);
		CHECK(reg(&vm, 0) == word, "%x", reg(&vm, 0));
		VM_CODE(&vm, 0, once);
		start(&vm, 0, GICD_BASE + 8, 0);
		exits_at(&vm, DEV_BASE, true);
		CHECK((reg(&vm, 0) & 0xfff) == 0x43b, "%x", reg(&vm, 0));
		/* Beside them it is. */
		CHECK_OK(set(&vm, MIRROR, 1));
		VM_CODE(&vm, 0, once);
		start(&vm, 0, MIRROR, 0);
		exits_at(&vm, MIRROR, true);
		fd = stats_fd(vm.vcpu[0].fd);
		CHECK(stat_of(fd, "hyp_mmio_read") == in_hyp);
		close(fd);
		vm_close(&vm);
	}
}

static void behind(void)
{
	both(behind_by);
}

/*
 * A slot comes over the page of a mirror, and goes, while a guest reads there: it sees what is in
 * front, and never what was.
 */
static void slots_by(bool hyp)
{
	struct runner r;
	uint32_t *ram;
	struct vm vm;
	int fd;

	vm_make(&vm, 1, 0);
	ram = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MUST(ram != MAP_FAILED, "mmap");
	/* Its page has the same bit in what HYP mode looks at first. */
	CHECK_OK(set(&vm, MIRROR + 32 * PAGE, 5));
	CHECK_OK(set(&vm, MIRROR, 0));
	VM_CODE(&vm, 0, follow);
	start(&vm, 0, MIRROR, 1);
	runner_start(&r, &vm, 0);
	for (uint32_t i = 1; i <= 40; i++) {
		if (i % 2) {
			CHECK_OK(set(&vm, MIRROR, i));
		} else {
			*ram = i;
			CHECK_OK(mem_set(vm.fd, 3, 0, MIRROR, PAGE, ram));
		}
		MUST(runner_wait(&r, i, PATIENCE_MS), "%u is not seen", i);
		CHECK(r.last == i, "%u, not %u", r.last, i);
		if (i % 2 == 0)
			CHECK_OK(mem_set(vm.fd, 3, 0, MIRROR, 0, ram));
	}
	runner_stop(&r);
	CHECK(!r.error && r.mmio == 40, "error %d, %u exits", r.error, r.mmio);
	fd = stats_fd(vm.vcpu[0].fd);
	CHECK(!stat_of(fd, "hyp_mmio_read") == !hyp);
	close(fd);
	munmap(ram, PAGE);
	vm_close(&vm);
}

static void slots(void)
{
	both(slots_by);
}

/* The guest sees each value that it waits for, while it runs, and never leaves for it. */
static void change_by(bool hyp)
{
	struct runner r;
	uint64_t answered;
	struct vm vm;
	int fd;

	vm_make(&vm, 1, 0);
	fd = stats_fd(vm.vcpu[0].fd);
	CHECK_OK(set(&vm, MIRROR, 0));
	VM_CODE(&vm, 0, follow);
	start(&vm, 0, MIRROR, 1);
	runner_start(&r, &vm, 0);
	for (uint32_t i = 1; i <= 200; i++) {
		CHECK_OK(set(&vm, MIRROR, i));
		MUST(runner_wait(&r, i, PATIENCE_MS), "%u is not seen", i);
		CHECK(r.last == i, "%u, not %u", r.last, i);
	}
	runner_stop(&r);
	CHECK(!r.error && r.mmio == 200, "error %d, %u exits", r.error, r.mmio);
	answered = stat_of(fd, "hyp_mmio_read");
	CHECK(hyp ? answered >= 200 : !answered, "%llu", (unsigned long long)answered);
	close(fd);
	vm_close(&vm);
}

static void change(void)
{
	both(change_by);
}

static void counted_by(bool hyp)
{
	struct vm vm;
	int fd;

	vm_make(&vm, 1, 0);
	CHECK_OK(set(&vm, MIRROR, 7));
	VM_CODE(&vm, 0, once);
	start(&vm, 0, MIRROR, 0);
	exits_at(&vm, MIRROR, true);
	fd = stats_fd(vm.vcpu[0].fd);
	CHECK(stat_of(fd, "mmio_exit_kernel") == !hyp && stat_of(fd, "hyp_mmio_read") == hyp &&
	      stat_of(fd, "mmio_exit_user") == 1);
	close(fd);
	vm_close(&vm);
}

static void counted(void)
{
	both(counted_by);
}

/*
 * Two vCPUs read theirs while mirrors around them come and go, and the array moves: each read is
 * answered, by its own mirror.
 */
static void race_by(bool hyp)
{
	unsigned int rounds = 0;
	struct runner r[2];
	uint64_t end;
	struct vm vm;
	int fd;

	vm_make(&vm, 2, 0);
	for (unsigned int i = 0; i < 2; i++) {
		CHECK_OK(set(&vm, MIRROR + 0x100 * (i + 1), 0x100 + i));
		vm_vcpu_on(&vm, i);
		VM_CODE(&vm, i, same);
		start(&vm, i, MIRROR + 0x100 * (i + 1), 0x100 + i);
		runner_start(&r[i], &vm, i);
	}
	end = now_ns() + 3000000000ull;
	while (now_ns() < end && !r[0].mmio && !r[1].mmio) {
		for (uint32_t at = 0; at < 0x300; at += 0x40)
			if (at % 0x100)
				CHECK_OK(set(&vm, MIRROR + at, at));
		for (uint32_t at = 0; at < 0x300; at += 0x40)
			if (at % 0x100)
				CHECK_OK(del(&vm, MIRROR + at));
		rounds++;
	}
	for (unsigned int i = 0; i < 2; i++) {
		runner_stop(&r[i]);
		CHECK(!r[i].error && !r[i].mmio, "vCPU %u: error %d, %u exits, 0x%x", i, r[i].error,
		      r[i].mmio, r[i].last);
		CHECK(reg32(vm.vcpu[i].fd, REG_R(5)) > 100, "vCPU %u: %u reads", i,
		      reg32(vm.vcpu[i].fd, REG_R(5)));
	}
	ktap_note("%u rounds, %u and %u reads", rounds, reg32(vm.vcpu[0].fd, REG_R(5)),
		  reg32(vm.vcpu[1].fd, REG_R(5)));
	CHECK(rounds > 100, "%u", rounds);
	fd = stats_fd(vm.vcpu[0].fd);
	CHECK(!stat_of(fd, "hyp_mmio_read") == !hyp);
	close(fd);
	vm_close(&vm);
}

static void race(void)
{
	both(race_by);
}

static const struct ktap_case cases[] = {
	{ "arguments", arguments, 0 },
	{ "reads", reads, 0 },
	{ "turned_off", turned_off, 0 },
	{ "behind", behind, 0 },
	{ "slots", slots, 0 },
	{ "change", change, 0 },
	{ "counted", counted, 0 },
	{ "race", race, 0 },
};
KTAP_MAIN(cases)
