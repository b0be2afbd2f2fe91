// SPDX-License-Identifier: GPL-2.0-only
/* The host's CPUs go offline and come back under running guests (docs/hazards.md 22). */
#include "vm.h"

GUEST_CODE(count, "ldr r1, =DEV_BASE\n1:\tstr r0, [r1]\n\tadd r0, r0, #1\n\tmov r2, #5000\n"
	   "2:\tsubs r2, r2, #1\n\tbne 2b\n\tb 1b");
GUEST_CODE(wfi, "ldr r1, =DEV_BASE\n\tldr r2, =GICD_BASE\n\tldr r3, =GICC_BASE\n\t"
	   "mov r0, #1\n\tstr r0, [r2]\n\tstr r0, [r3]\n\tmov r0, #0xf0\n\tstr r0, [r3, #4]\n\t"
	   "mov r0, #1 << 27\n\tstr r0, [r2, #0x100]\n"
	   "1:\tldr r0, =60000\n\tmcr p15, 0, r0, c14, c3, 0\n\tmov r0, #1\n\t"
	   "mcr p15, 0, r0, c14, c3, 1\n\tisb\n\twfi\n\tmov r0, #0\n\t"
	   "mcr p15, 0, r0, c14, c3, 1\n\tadd r4, r4, #1\n\tstr r4, [r1]\n\tb 1b");

static void under(const char *start, const char *end)
{
	unsigned int before[4], told;
	struct runner r[4];
	struct vm vm;

	if (sysconf(_SC_NPROCESSORS_CONF) < 2)
		ktap_skip("one CPU");
	if (cpu_online(1, false))
		ktap_skip("CPU 1 cannot go offline: %s", strerror(errno));
	CHECK(!cpu_online(1, true));
	told = log_count("armvmm: Cortex-");
	vm_make(&vm, 4, 0);
	runners_start(r, &vm, 4, start, end);
	for (int n = 0; n < 20; n++) {
		for (unsigned int i = 0; i < 4; i++)
			before[i] = r[i].mmio;
		CHECK(!cpu_online(1, false), "%s", strerror(errno));
		for (unsigned int i = 0; i < 4; i++)
			CHECK(runner_wait(&r[i], before[i] + 2, PATIENCE_MS),
			      "vCPU %u stands still with CPU 1 offline (round %d, error %d)", i, n,
			      r[i].error);
		CHECK(!cpu_online(1, true), "%s", strerror(errno));
		for (unsigned int i = 0; i < 4; i++)
			CHECK(runner_wait(&r[i], before[i] + 4, PATIENCE_MS),
			      "vCPU %u stands still with CPU 1 back (round %d, error %d)", i, n,
			      r[i].error);
	}
	for (unsigned int i = 0; i < 4; i++) {
		CHECK(!r[i].error, "vCPU %u: %d", i, r[i].error);
		runner_stop(&r[i]);
	}
	CHECK(log_count("armvmm: Cortex-") <= told,
	      "the kind of a CPU that came back is logged again");
}

static void running(void)
{
	under(code_count, code_count_end);
}

static void sleeping(void)
{
	under(code_wfi, code_wfi_end);
}

/* A vCPU whose thread is pinned to a CPU that goes offline must run there again afterwards. */
static void pinned(void)
{
	struct vm vm;

	if (sysconf(_SC_NPROCESSORS_CONF) < 2)
		ktap_skip("one CPU");
	vm_make(&vm, 1, 0);
	VM_CODE(&vm, 0, count);
	for (uint32_t i = 0; i < 20; i++) {
		cpu_bind(1);
		CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
		CHECK(*(uint32_t *)vm.vcpu[0].run->mmio.data == 2 * i);
		cpu_bind(0);
		if (cpu_online(1, false))
			ktap_skip("CPU 1 cannot go offline: %s", strerror(errno));
		CHECK(vm_run(&vm, 0) == KVM_EXIT_MMIO);
		CHECK(*(uint32_t *)vm.vcpu[0].run->mmio.data == 2 * i + 1);
		CHECK(!cpu_online(1, true));
	}
}

static const struct ktap_case cases[] = {
	{ "running", running, 120 },
	{ "sleeping", sleeping, 120 },
	{ "pinned", pinned, 0 },
};
KTAP_MAIN(cases)
