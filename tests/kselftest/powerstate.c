// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUs go through power states that lose HYP mode's registers; and a guest meets a CPU that did not
 * get HYP mode back (docs/hazards.md 22). tests/host/modules has the states.
 */
#include "vm.h"

#include <sys/syscall.h>

#define PARAMETERS "/sys/module/powerstate/parameters/"

/* Counts in r0, d8 and d31, and exits with the count if the three agree. */
GUEST_CODE(count, "ldr r1, =DEV_BASE\n\tmov r2, #0xf00000\n\tmcr p15, 0, r2, c1, c0, 2\n\tisb\n\t"
	   ".fpu neon\n\tmov r2, #1 << 30\n\tvmsr fpexc, r2\n\tmov r0, #0\n\t"
	   "vmov d8, r0, r0\n\tvmov d31, r0, r0\n"
	   "1:\tvmov r2, r3, d8\n\tcmp r2, r0\n\tcmpeq r3, r0\n\tvmov r2, r3, d31\n\t"
	   "cmpeq r2, r0\n\tcmpeq r3, r0\n\tmvnne r0, #0\n\tstr r0, [r1]\n\tadd r0, r0, #1\n\t"
	   "vmov d8, r0, r0\n\tvmov d31, r0, r0\n\tmov r2, #3000\n"
	   "2:\tsubs r2, r2, #1\n\tbne 2b\n\tb 1b");
/* Sleeps for a millisecond of its virtual timer, again and again. */
GUEST_CODE(sleep, "ldr r1, =DEV_BASE\n\tldr r2, =GICD_BASE\n\tldr r3, =GICC_BASE\n\t"
	   "mov r0, #1\n\tstr r0, [r2]\n\tstr r0, [r3]\n\tmov r0, #0xf0\n\tstr r0, [r3, #4]\n\t"
	   "mov r0, #1 << 27\n\tstr r0, [r2, #0x100]\n\tmov r4, #0\n"
	   "1:\tldr r0, =60000\n\tmcr p15, 0, r0, c14, c3, 0\n\tmov r0, #1\n\t"
	   "mcr p15, 0, r0, c14, c3, 1\n\tisb\n\twfi\n\tmov r0, #0\n\t"
	   "mcr p15, 0, r0, c14, c3, 1\n\tstr r4, [r1]\n\tadd r4, r4, #1\n\tb 1b");

static void states_load(void)
{
	/* A case that died may have left the module loaded. */
	syscall(SYS_delete_module, "powerstate", 0);
	MUST(!module_load("/powerstate.ko", ""), "%s", strerror(errno));
}

static void states_unload(void)
{
	MUST(!syscall(SYS_delete_module, "powerstate", 0), "%s", strerror(errno));
}

static int state(const char *what, unsigned int cpu)
{
	char path[64], number[16];
	int fd, r, n = snprintf(number, sizeof(number), "%u", cpu);

	snprintf(path, sizeof(path), PARAMETERS "%s", what);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	MUST(fd >= 0, "%s: %s", path, strerror(errno));
	r = write(fd, number, n) == n ? 0 : -1;
	close(fd);
	return r;
}

static uint32_t written(struct vm *vm)
{
	return *(uint32_t *)vm->vcpu[0].run->mmio.data;
}

/* The client learns why, and on which CPU; the guest goes on where there is HYP mode. */
static void lost(void)
{
	unsigned int cpu = sysconf(_SC_NPROCESSORS_ONLN) - 1;
	struct kvm_run *run;
	uint32_t pc, n = 0;
	struct vm vm;

	states_load();
	CHECK_ERRNO(state("exit", cpu), EINVAL);
	vm_make(&vm, 1, 0);
	VM_CODE(&vm, 0, count);
	run = vm.vcpu[0].run;
	cpu_bind(cpu);
	for (int round = 0; round < 20; round++) {
		MUST(vm_run(&vm, 0) == KVM_EXIT_MMIO);
		CHECK(written(&vm) == n++);
		cpu_bind(0);
		MUST(!state("enter", cpu), "%s", strerror(errno));
		CHECK_ERRNO(state("enter", cpu), EBUSY);
		if (cpu) {
			MUST(vm_run(&vm, 0) == KVM_EXIT_MMIO);
			CHECK(written(&vm) == n++);
		}
		cpu_bind(cpu);
		for (int again = 0; again < 2; again++) {
			MUST(vm_run(&vm, 0) == KVM_EXIT_FAIL_ENTRY, "exit %u", run->exit_reason);
			CHECK(run->fail_entry.hardware_entry_failure_reason ==
			      ARMVMM_FAIL_ENTRY_NO_HYP, "%llu",
			      (unsigned long long)run->fail_entry.hardware_entry_failure_reason);
			CHECK(run->fail_entry.cpu == cpu, "CPU %u", run->fail_entry.cpu);
		}
		pc = reg32(vm.vcpu[0].fd, REG_PC);
		CHECK(pc >= RAM_BASE && pc < RAM_BASE + RAM_SIZE, "PC %08x", pc);
		MUST(!state("exit", cpu), "%s", strerror(errno));
	}
	MUST(vm_run(&vm, 0) == KVM_EXIT_MMIO);
	CHECK(written(&vm) == n);
	vm_close(&vm);
	states_unload();
}

/* Guests work on CPUs that nap, each at another time. */
static void nap_under(const char *start, const char *end)
{
	unsigned int cpus = sysconf(_SC_NPROCESSORS_ONLN), before[4];
	struct runner r[4];
	struct vm vm;

	states_load();
	vm_make(&vm, 4, 0);
	runners_start(r, &vm, 4, start, end);
	for (int n = 0; n < 10; n++) {
		for (unsigned int i = 0; i < 4; i++)
			before[i] = r[i].mmio;
		for (int nap = 0; nap < 4; nap++) {
			CHECK(!state("nap", nap % cpus), "%s", strerror(errno));
			usleep(500);
		}
		for (unsigned int i = 0; i < 4; i++)
			CHECK(runner_wait(&r[i], before[i] + 2, PATIENCE_MS),
			      "vCPU %u stands still (round %d, error %d)", i, n, r[i].error);
	}
	for (unsigned int i = 0; i < 4; i++) {
		CHECK(!r[i].error, "vCPU %u: %d", i, r[i].error);
		runner_stop(&r[i]);
		CHECK(r[i].last + 1 == r[i].mmio, "vCPU %u wrote %u in %u writes", i, r[i].last,
		      r[i].mmio);
	}
	vm_close(&vm);
	states_unload();
}

static void running(void)
{
	nap_under(code_count, code_count_end);
}

static void sleeping(void)
{
	nap_under(code_sleep, code_sleep_end);
}

static const struct ktap_case cases[] = {
	{ "lost", lost, 0 },
	{ "running", running, 120 },
	{ "sleeping", sleeping, 120 },
};
KTAP_MAIN(cases)
