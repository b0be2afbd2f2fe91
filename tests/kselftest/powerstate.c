// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUs go through power states that lose HYP mode's registers; and a guest meets a CPU that did not
 * get HYP mode back (docs/hazards.md 22), or from which somebody took it without a word.
 * tests/host/modules has the states.
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
/*
 * Acknowledges and ends what is pending, again and again, and exits with what it got (1023:
 * nothing) and, in the upper half, how often it has done so. Takes no interrupt.
 */
GUEST_CODE(ack, "ldr r1, =DEV_BASE\n\tldr r2, =GICD_BASE\n\tldr r3, =GICC_BASE\n\t"
	   "mov r0, #1\n\tstr r0, [r2]\n\tstr r0, [r3]\n\tstr r0, [r2, #0x104]\n\t"
	   "strb r0, [r2, #0x820]\n\tmov r0, #2\n\tstr r0, [r2, #0xc08]\n\t"
	   "mov r0, #0xf0\n\tstr r0, [r3, #4]\n\tmov r4, #0\n"
	   "1:\tldr r0, [r3, #0xc]\n\torr r5, r0, r4, lsl #16\n\tadd r4, r4, #1\n\t"
	   "str r5, [r1]\n\tstr r0, [r3, #0x10]\n\tb 1b");
/* Sends SGI 5 to vCPU 0, and exits. */
GUEST_CODE(send, "ldr r1, =DEV_BASE\n\tldr r2, =GICD_BASE\n\tldr r0, =0x10005\n"
	   "1:\tstr r0, [r2, #0xf00]\n\tstr r0, [r1]\n\tb 1b");

#define ACK_SGI		0x405	/* SGI 5 of vCPU 1 */
#define ACK_SPI		32	/* an edge */
#define ACK_NOTHING	1023

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

/* vCPU 0 cannot be entered on this CPU, and stays where it was. */
static void refused(struct vm *vm, unsigned int cpu)
{
	struct kvm_run *run = vm->vcpu[0].run;
	uint32_t pc;

	for (int again = 0; again < 2; again++) {
		MUST(vm_run(vm, 0) == KVM_EXIT_FAIL_ENTRY, "exit %u", run->exit_reason);
		CHECK(run->fail_entry.hardware_entry_failure_reason == ARMVMM_FAIL_ENTRY_NO_HYP,
		      "%llu", (unsigned long long)run->fail_entry.hardware_entry_failure_reason);
		CHECK(run->fail_entry.cpu == cpu, "CPU %u", run->fail_entry.cpu);
	}
	pc = reg32(vm->vcpu[0].fd, REG_PC);
	CHECK(pc >= RAM_BASE && pc < RAM_BASE + RAM_SIZE, "PC %08x", pc);
}

/* The client learns why, and on which CPU; the guest goes on where there is HYP mode. */
static void lost(void)
{
	unsigned int cpu = sysconf(_SC_NPROCESSORS_ONLN) - 1;
	uint32_t n = 0;
	struct vm vm;

	states_load();
	CHECK_ERRNO(state("exit", cpu), EINVAL);
	vm_make(&vm, 1, 0);
	VM_CODE(&vm, 0, count);
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
		refused(&vm, cpu);
		MUST(!state("exit", cpu), "%s", strerror(errno));
	}
	MUST(vm_run(&vm, 0) == KVM_EXIT_MMIO);
	CHECK(written(&vm) == n);
	vm_close(&vm);
	states_unload();
}

/* The next interrupt that the guest of code ack gets, @n being how many it asked for before. */
static void acks(struct vm *vm, uint32_t n, uint32_t want)
{
	MUST(vm_run(vm, 0) == KVM_EXIT_MMIO, "exit %u", vm->vcpu[0].run->exit_reason);
	CHECK(written(vm) == (n << 16 | want), "%08x, not %08x", written(vm), n << 16 | want);
}

/*
 * HYP mode is taken away behind the module's back. The client learns it as if the module knew; what
 * was pending for the vCPU, list registers and all, it gets on another CPU, or on this one once
 * HYP mode is back.
 */
static void stolen(void)
{
	unsigned int cpu = sysconf(_SC_NPROCESSORS_ONLN) - 1;
	uint32_t n = 0;
	struct vm vm;

	states_load();
	vm_make(&vm, 2, 0);
	VM_CODE(&vm, 0, ack);
	vm_vcpu_on(&vm, 1);
	VM_CODE(&vm, 1, send);
	for (unsigned int round = 0; round < 16; round++) {
		bool sgi = round & 1, spi = round & 2, here = round & 4 || !cpu;

		cpu_bind(cpu);
		acks(&vm, n++, ACK_NOTHING);
		cpu_bind(0);
		if (sgi)
			MUST(vm_run(&vm, 1) == KVM_EXIT_MMIO);
		if (spi) {
			CHECK_OK(irq_line(vm.fd, SPI(ACK_SPI), 1));
			CHECK_OK(irq_line(vm.fd, SPI(ACK_SPI), 0));
		}
		MUST(!state("steal", cpu), "%s", strerror(errno));
		cpu_bind(cpu);
		refused(&vm, cpu);
		if (here)
			MUST(!state("nap", cpu), "%s", strerror(errno));
		else
			cpu_bind(0);
		if (sgi)
			acks(&vm, n++, ACK_SGI);
		if (spi)
			acks(&vm, n++, ACK_SPI);
		acks(&vm, n++, ACK_NOTHING);
		if (!here)
			MUST(!state("nap", cpu), "%s", strerror(errno));
	}
	cpu_bind(cpu);
	acks(&vm, n++, ACK_NOTHING);
	vm_close(&vm);
	states_unload();
}

/* The module is unloaded from a CPU that it has lost, and loaded again. */
static void unloaded(void)
{
	unsigned int cpu = sysconf(_SC_NPROCESSORS_ONLN) - 1;
	struct vm vm;
	int r = -1;

	states_load();
	MUST(!state("steal", cpu), "%s", strerror(errno));
	/* Freed files and notifiers release the module a little later. */
	for (int i = 0; i < 1000 && r; i++) {
		r = (int)syscall(SYS_delete_module, "armvmm", O_NONBLOCK);
		if (r)
			usleep(20000);
	}
	MUST(!r, "%s", strerror(errno));
	MUST(!module_load("/armvmm.ko", ""), "%s", strerror(errno));
	for (int i = 0; i < 2000 && access(device_node(), F_OK); i++)
		usleep(10000);
	vm_make(&vm, 1, 0);
	VM_CODE(&vm, 0, count);
	cpu_bind(cpu);
	for (uint32_t n = 0; n < 10; n++) {
		MUST(vm_run(&vm, 0) == KVM_EXIT_MMIO, "exit %u", vm.vcpu[0].run->exit_reason);
		CHECK(written(&vm) == n);
	}
	vm_close(&vm);
	states_unload();
}

/* Guests work on CPUs that nap, each at another time. */
static void nap_under(const char *start, const char *end)
{
	unsigned int cpus = sysconf(_SC_NPROCESSORS_ONLN), before[4];
	unsigned int told = log_count("armvmm: Cortex-");
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
	CHECK(log_count("armvmm: Cortex-") <= told,
	      "the kind of a CPU that napped is logged again");
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
	{ "stolen", stolen, 0 },
	{ "unloaded", unloaded, 0 },
	{ "running", running, 120 },
	{ "sleeping", sleeping, 120 },
};
KTAP_MAIN(cases)
