// SPDX-License-Identifier: GPL-2.0-only
/*
 * PSCI 0.2 to 1.1 and SMCCC 1.1 as a guest calls them by hvc and smc; with
 * argument 1 PSCI 0.1 as a vCPU without the feature has it (docs/hazards.md
 * 14 and 18).
 */
#include "lib.h"

#define SUCCESS		0
#define NOT_SUPPORTED	-1
#define INVALID		-2
#define ALREADY_ON	-4

#define PSCI_01_BASE	0x95c1ba5e

static void check_version(void)
{
	u32 v = hvc(PSCI_VERSION, 0, 0, 0);

	report(v >= 2 && v <= 0x10001, "PSCI_VERSION answers 0.2 to 1.1 (%x)", v);
	if (!on_vm())
		return;
	report(v >= 0x10000, "PSCI is 1.0 or later");
	report(smc(PSCI_VERSION, 0, 0, 0) == v, "smc answers as hvc does");
	report(hvc(PSCI_MIGRATE_INFO_TYPE, 0, 0, 0) == 2, "there is no trusted OS to migrate");
	report((int)hvc(PSCI_MIGRATE, 0, 0, 0) == NOT_SUPPORTED, "MIGRATE is not supported");
}

static void check_features(void)
{
	static const u32 there[] = {
		PSCI_VERSION, PSCI_CPU_SUSPEND, PSCI_CPU_OFF, PSCI_CPU_ON, PSCI_AFFINITY_INFO,
		PSCI_MIGRATE_INFO_TYPE, PSCI_SYSTEM_OFF, PSCI_SYSTEM_RESET, PSCI_FEATURES,
		SMCCC_VERSION,
	};
	static const u32 absent[] = { 0x8400001f, 0x84000007, 0xdeadbeef, 0x8400000b, 0x80000002 };

	if (!on_vm())
		return;
	for (u32 i = 0; i < ARRAY_SIZE(there); i++)
		report((int)hvc(PSCI_FEATURES, there[i], 0, 0) == SUCCESS,
		       "PSCI_FEATURES knows %08x", there[i]);
	for (u32 i = 0; i < ARRAY_SIZE(absent); i++)
		report((int)hvc(PSCI_FEATURES, absent[i], 0, 0) == NOT_SUPPORTED,
		       "PSCI_FEATURES does not know %08x", absent[i]);
	report(hvc(SMCCC_VERSION, 0, 0, 0) == 0x10001, "SMCCC is 1.1");
	report((int)hvc(SMCCC_ARCH_FEATURES, 0xdeadbeef, 0, 0) == NOT_SUPPORTED,
	       "SMCCC_ARCH_FEATURES does not know nonsense");
	/* There is no stolen time (DEN 0057A 3.3.1 has a guest ask in this way first). */
	report((int)hvc(SMCCC_ARCH_FEATURES, PV_TIME_FEATURES, 0, 0) == NOT_SUPPORTED,
	       "SMCCC_ARCH_FEATURES does not know PV_TIME_FEATURES");
	report((int)hvc(SMCCC_ARCH_FEATURES, SMCCC_WORKAROUND_1, 0, 0) >= -1,
	       "SMCCC_ARCH_FEATURES answers for workaround 1");
}

/*
 * Item 14: the result is -1, never UNDEF. For HVC the PC is already past it; for SMC it is moved.
 */
static void check_unknown(void)
{
	static const u32 ids[] = { 0x84000063, 0xc4000003, 0x86000000, 0, 0x12345678, 0xffffffff,
				   PSCI_01_BASE + 2, PV_TIME_FEATURES, PV_TIME_ST,
				   PV_TIME_FEATURES - SMCCC_64, PV_TIME_ST - SMCCC_64 };
	u32 order = 0;

	if (!on_vm())
		return;
	for (u32 i = 0; i < ARRAY_SIZE(ids); i++) {
		report((int)hvc(ids[i], 1, 2, 3) == NOT_SUPPORTED, "hvc of unknown %08x is -1", ids[i]);
		report((int)smc(ids[i], 1, 2, 3) == NOT_SUPPORTED, "smc of unknown %08x is -1", ids[i]);
	}
	asm volatile(".arch_extension virt\n\t.arch_extension sec\n\t"
		     "mov r4, #0\n\tldr r0, =0x84000063\n\thvc #0\n\tadd r4, r4, #1\n\t"
		     "add r4, r4, #2\n\tldr r0, =0x84000063\n\tsmc #0\n\tadd r4, r4, #4\n\t"
		     "add r4, r4, #8\n\tmov %0, r4\n\tb 1f\n\t.ltorg\n1:"
		     : "=r"(order) :: "r0", "r1", "r2", "r3", "r4", "memory");
	report(order == 15, "the instructions after hvc and smc are each executed once (%x)", order);
	asm volatile(".arch_extension virt\n\tldr r0, =0x84000063\n\thvc #0xffff\n\tmov %0, r0\n\t"
		     "b 1f\n\t.ltorg\n1:" : "=r"(order) :: "r0", "r1", "r2", "r3", "memory");
	report((int)order == NOT_SUPPORTED, "hvc with another immediate is no other call");
}

static volatile u32 reached[GUEST_MAX_CPUS];
volatile u32 context_cpsr;

/* Saves CPSR as it was, clears SCTLR.EE, and goes on as secondary_entry. */
void be_entry(void);
asm(".text\n\t.arm\n\t.global be_entry\nbe_entry:\n\t"
    "mrs r1, cpsr\n\tsetend le\n\tmrc p15, 0, r2, c1, c0, 0\n\t"
    "bic r2, r2, #0x02000000\n\tmcr p15, 0, r2, c1, c0, 0\n\tisb\n\tldr r2, =context_cpsr\n\tstr r1, [r2]\n\t"
    "b secondary_entry\n\t.ltorg\n");

static void count_and_off(void)
{
	u32 cpu = cpu_id();

	mmu_on();
	reached[cpu]++;
	dsb();
	hvc(PSCI_CPU_OFF, 0, 0, 0);
	reached[cpu] += 1000;
}

static void off_01(void)
{
	mmu_on();
	reached[cpu_id()]++;
	dsb();
	hvc(PSCI_01_BASE + 1, 0, 0, 0);
	reached[cpu_id()] += 1000;
}

static bool wait_off(u32 cpu, u32 n)
{
	u64 end = cntvct() + us_to_ticks(20000000);

	while (cntvct() < end)
		if (reached[cpu] == n && hvc(PSCI_AFFINITY_INFO, cpu_mpidr(cpu), 0, 0) == 1)
			return true;
	return false;
}

static int start(u32 cpu, u32 entry)
{
	extern u8 cpu_stacks_end[];

	cpu_boot[cpu].sp = (u32)cpu_stacks_end - cpu * 16384;
	cpu_boot[cpu].fn = count_and_off;
	cache_clean_inval(&cpu_boot[cpu], sizeof(cpu_boot[cpu]));
	return (int)hvc(PSCI_CPU_ON, cpu_mpidr(cpu), entry, (u32)&cpu_boot[cpu]);
}

static void check_cpu_on(void)
{
	u32 n = nr_cpus();
	int r;

	r = (int)hvc(PSCI_CPU_ON, cpu_mpidr(0), (u32)secondary_entry, 0);
	report(r == ALREADY_ON, "CPU_ON of the caller: already on (%d)", r);
	r = (int)hvc(PSCI_CPU_ON, 0x00ffff00, (u32)secondary_entry, 0);
	report(r == INVALID, "CPU_ON of no CPU: invalid parameters (%d)", r);
	if (on_vm()) {
		r = (int)hvc(PSCI_CPU_ON, cpu_mpidr(n), (u32)secondary_entry, 0);
		report(n == GUEST_MAX_CPUS || r == INVALID, "CPU_ON past the last CPU: invalid (%d)",
		       r);
	}
	report(hvc(PSCI_AFFINITY_INFO, cpu_mpidr(0), 0, 0) == 0, "AFFINITY_INFO: the caller is on");
	if (on_vm()) {
		r = (int)hvc(PSCI_AFFINITY_INFO, 0x00ffff00, 0, 0);
		report(r == INVALID, "AFFINITY_INFO of no CPU: invalid (%d)", r);
		r = (int)hvc(PSCI_AFFINITY_INFO, 0, 4, 0);
		report(r == INVALID, "AFFINITY_INFO of level 4: invalid (%d)", r);
		report(hvc(PSCI_AFFINITY_INFO, 0, 1, 0) == 0, "AFFINITY_INFO of the cluster: on");
		report(hvc(PSCI_AFFINITY_INFO, 0, 3, 0) == 0, "AFFINITY_INFO of all: on");
	}
	for (u32 i = 1; i < n; i++) {
		report(hvc(PSCI_AFFINITY_INFO, cpu_mpidr(i), 0, 0) == 1, "cpu %u: is off", i);
		for (u32 k = 1; k <= 5; k++) {
			r = start(i, (u32)secondary_entry);
			if (r || !wait_off(i, k))
				break;
		}
		report(reached[i] == 5 && !r, "cpu %u: goes on and off five times (%u, %d)", i,
		       reached[i], r);
	}
	if (n < 2)
		return;
	reached[1] = 0;
	r = start(1, (u32)secondary_entry_thumb);
	/* Its first instructions are valid only in T32; MRS reads T as zero. */
	report(!r && wait_off(1, 1) && (cpu_boot[1].thumb_cpsr & CPSR_MODE) == MODE_SVC,
	       "a Thumb entry point starts in Thumb state (%d, cpsr %x)", r,
	       cpu_boot[1].thumb_cpsr);
	if (on_vm()) {
		reached[1] = 0;
		cpu_boot[1].cpsr = 0;
		/* A big-endian caller gets a big-endian CPU, which switches back at once. */
		asm volatile(".arch_extension virt\n\t"
			     "mov r0, %1\n\tmov r1, %2\n\tmov r2, %3\n\tmov r3, %4\n\t"
			     "setend be\n\thvc #0\n\tsetend le\n\tmov %0, r0"
			     : "=r"(r)
			     : "r"(PSCI_CPU_ON), "r"(cpu_mpidr(1)), "r"((u32)be_entry),
			       "r"((u32)&cpu_boot[1])
			     : "r0", "r1", "r2", "r3", "memory");
		report(!r && wait_off(1, 1) && context_cpsr >> 9 & 1,
		       "a big-endian caller's CPU starts big-endian (%d, cpsr %x)", r, context_cpsr);
	}
}

/* CPU_SUSPEND waits for an interrupt, masked or not. */
static void check_suspend(void)
{
	u64 t0;
	int r;

	if (!on_vm())
		return;
	gic_enable(IRQ_VTIMER);
	t0 = cntvct();
	vtimer_set(t0 + us_to_ticks(3000), 1);
	r = (int)hvc(PSCI_CPU_SUSPEND, 0, (u32)secondary_entry, 0);
	report(r == SUCCESS && cntvct() - t0 >= us_to_ticks(3000),
	       "CPU_SUSPEND returns when an interrupt comes (%d)", r);
	vtimer_set(0, 0);
	gic_disable(IRQ_VTIMER);
}

static void check_01(void)
{
	int r;

	r = (int)hvc(PSCI_VERSION, 0, 0, 0);
	report(r == NOT_SUPPORTED, "0.1: PSCI_VERSION is not there (%d)", r);
	r = (int)hvc(PSCI_SYSTEM_OFF + 0x100, 0, 0, 0);
	report(r == NOT_SUPPORTED, "0.1: nonsense is not supported");
	r = (int)hvc(PSCI_01_BASE + 2, cpu_mpidr(0), (u32)secondary_entry, 0);
	report(r == INVALID, "0.1: CPU_ON of the caller: invalid (%d)", r);
	r = (int)hvc(PSCI_01_BASE + 2, 0xff00, (u32)secondary_entry, 0);
	report(r == INVALID, "0.1: CPU_ON of no CPU: invalid (%d)", r);
	r = (int)hvc(PSCI_01_BASE + 0, 0, 0, 0);
	report(r == NOT_SUPPORTED, "0.1: CPU_SUSPEND is not supported (%d)", r);
	if (nr_cpus() > 1) {
		extern u8 cpu_stacks_end[];

		cpu_boot[1].sp = (u32)cpu_stacks_end - 16384;
		cpu_boot[1].fn = off_01;
		cache_clean_inval(&cpu_boot[1], sizeof(cpu_boot[1]));
		r = (int)hvc(PSCI_01_BASE + 2, cpu_mpidr(1), (u32)secondary_entry,
			     (u32)&cpu_boot[1]);
		for (u64 end = cntvct() + us_to_ticks(20000000); !reached[1] && cntvct() < end;)
			;
		delay_us(2000);
		report(!r && reached[1] == 1, "0.1: CPU_ON and CPU_OFF (%d, %u)", r, reached[1]);
	}
	/* PSCI 0.1 cannot power off: the result ends the client's wait. */
}

void guest_main(void)
{
	mmu_on();
	gic_init_dist();
	gic_init_cpu();
	if (param.arg[0] == 1) {
		check_01();
		guest_exit();
	}
	check_version();
	check_features();
	check_unknown();
	check_cpu_on();
	check_suspend();
	guest_exit();
}
