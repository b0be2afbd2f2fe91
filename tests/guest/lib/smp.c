// SPDX-License-Identifier: GPL-2.0-only
/* Several CPUs: PSCI starts them, then they get functions to run. */
#include "lib.h"

struct cpu_boot cpu_boot[GUEST_MAX_CPUS];
extern u8 cpu_stacks_end[];

static struct slot {
	void (*volatile fn)(u32 cpu);
	volatile bool up;
} slots[GUEST_MAX_CPUS];

/* One formula for clusters of four and for eight CPUs in one cluster. */
u32 cpu_id(void)
{
	u32 mpidr = CP15_READ(0, c0, c0, 5);

	return ((mpidr >> 8 & 0xff) * 4 + (mpidr & 0xff)) % GUEST_MAX_CPUS;
}

u32 cpu_mpidr(u32 cpu)
{
	return param.flags & PARAM_CLUSTERS ? (cpu >> 2) << 8 | (cpu & 3) : cpu;
}

u32 nr_cpus(void)
{
	u32 n = 1;

	if (!param.ncpus) {
		while (n < GUEST_MAX_CPUS &&
		       (int)hvc(PSCI_AFFINITY_INFO, cpu_mpidr(n), 0, 0) >= 0)
			n++;
		param.ncpus = n;
	}
	return param.ncpus;
}

/* Every CPU does this before its first C function of the guest. */
void cpu_setup(void)
{
}

static void pool(void)
{
	u32 cpu = cpu_id();
	struct slot *s = &slots[cpu];

	/* Guests that want the MMU off turn it off again themselves. */
	mmu_on();
	dsb();
	s->up = true;
	sev();
	for (;;) {
		while (!s->fn)
			wfe();
		dmb();
		s->fn(cpu);
		dmb();
		s->fn = NULL;
		sev();
	}
}

void smp_start(void)
{
	for (u32 i = 1; i < nr_cpus(); i++) {
		int r;

		if (slots[i].up)
			continue;
		cpu_boot[i].sp = (u32)cpu_stacks_end - i * 16384;
		cpu_boot[i].fn = pool;
		cache_clean_inval(&cpu_boot[i], sizeof(cpu_boot[i]));
		r = (int)hvc(PSCI_CPU_ON, cpu_mpidr(i), (u32)secondary_entry, (u32)&cpu_boot[i]);
		if (r)
			guest_bail("CPU_ON of CPU %u answers %d", i, r);
		while (!slots[i].up)
			wfe();
	}
}

void smp_call(u32 cpu, void (*fn)(u32 cpu))
{
	dmb();
	slots[cpu].fn = fn;
	sev();
}

bool smp_done(u32 cpu)
{
	return !slots[cpu].fn;
}

void smp_run(void (*fn)(u32 cpu))
{
	for (u32 i = 1; i < nr_cpus(); i++)
		smp_call(i, fn);
	fn(0);
	for (u32 i = 1; i < nr_cpus(); i++)
		while (!smp_done(i))
			wfe();
	dmb();
}

void lock_take(struct lock *l)
{
	u32 v, failed;

	/* Exclusives need Normal memory (DDI 0406C A3.4.5), so not with the MMU off. */
	if (!(CP15_READ(0, c1, c0, 0) & 1))
		return;
	for (;;) {
		asm volatile("ldrex %0, [%1]" : "=r"(v) : "r"(&l->held) : "memory");
		if (v) {
			wfe();
			continue;
		}
		asm volatile("strex %0, %1, [%2]"
			     : "=&r"(failed) : "r"(1), "r"(&l->held) : "memory");
		if (!failed)
			break;
	}
	dmb();
}

void lock_drop(struct lock *l)
{
	dmb();
	l->held = 0;
	sev();
}

void smp_barrier(void)
{
	static struct lock lock;
	static volatile u32 arrived, generation;
	u32 gen;

	lock_take(&lock);
	gen = generation;
	if (++arrived == nr_cpus()) {
		arrived = 0;
		generation++;
	}
	lock_drop(&lock);
	while (generation == gen)
		wfe();
	dmb();
}
