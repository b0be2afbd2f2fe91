// SPDX-License-Identifier: GPL-2.0-only
/*
 * 1 to 8 vCPUs that share memory: exclusives, barriers, TLB maintenance that reaches the others,
 * and vCPUs with different maps of the same address on one physical CPU (docs/hazards.md 5, 17 and
 * 24).
 */
#include "lib.h"

/* For each CPU, so that eight CPUs take about as long as one. */
#define COUNT	(8000 / nr_cpus())

static struct lock counter_lock;
static volatile u32 counter, plain32;
static volatile u64 plain64 __attribute__((aligned(8)));

static void count(u32 cpu)
{
	u32 v, failed;

	(void)cpu;
	smp_barrier();
	for (u32 i = 0; i < COUNT; i++) {
		lock_take(&counter_lock);
		counter++;
		lock_drop(&counter_lock);
		do {
			asm volatile("ldrex %0, [%2]\n\tadd %0, %0, #1\n\tstrex %1, %0, [%2]"
				     : "=&r"(v), "=&r"(failed) : "r"(&plain32) : "memory");
		} while (failed);
		if (!(i % 500))
			hvc(PSCI_VERSION, 0, 0, 0);
	}
	for (u32 i = 0; i < COUNT; i++) {
		u64 d;

		do {
			asm volatile("ldrexd %0, %H0, [%2]\n\tadds %Q0, %Q0, #1\n\t"
				     "adc %R0, %R0, #1\n\tstrexd %1, %0, %H0, [%2]"
				     : "=&r"(d), "=&r"(failed) : "r"(&plain64) : "cc", "memory");
		} while (failed);
	}
}

/* An exception between LDREX and STREX clears the monitor, or STREX at least tells the truth. */
static void check_monitor(void)
{
	static volatile u32 word;
	u32 failed;

	asm volatile("ldrex r0, [%1]\n\tclrex\n\tstrex %0, r0, [%1]"
		     : "=&r"(failed) : "r"(&word) : "r0", "memory");
	report(failed == 1, "STREX fails after CLREX");
	asm volatile("1:\tldrex r0, [%1]\n\tadd r0, r0, #5\n\tstrex %0, r0, [%1]\n\tcmp %0, #0\n\t"
		     "bne 1b" : "=&r"(failed) : "r"(&word) : "r0", "cc", "memory");
	report(!failed && word == 5, "STREX succeeds after LDREX");
}

/*
 * An access to the distributor between LDREX and STREX: HYP mode answers it with exclusives of its
 * own. STREX may fail each time, but where it says that it stored, no other CPU stored meanwhile.
 */
static volatile u32 told, stored[GUEST_MAX_CPUS];

static void store_across_gicd(u32 cpu)
{
	static const struct { u32 reg; bool write; } access[] = {
		{ GICD_IIDR, false }, { GICD_ISENABLER, false }, { GICD_ISENABLER + 4, false },
		{ GICD_ISENABLER + 4, true }, { GICD_ICENABLER + 4, true },
		{ GICD_IPRIORITYR + 32, true },
	};

	smp_barrier();
	for (u32 i = 0; i < COUNT; i++) {
		const typeof(access[0]) *a = &access[i % ARRAY_SIZE(access)];
		u32 v, other, failed;

		if (a->write)
			asm volatile("ldrex %0, [%2]\n\tadd %0, %0, #1\n\tstr %4, [%3]\n\t"
				     "strex %1, %0, [%2]"
				     : "=&r"(v), "=&r"(failed)
				     : "r"(&told), "r"(a->reg), "r"(1 << cpu) : "memory");
		else
			asm volatile("ldrex %0, [%3]\n\tadd %0, %0, #1\n\tldr %2, [%4]\n\t"
				     "strex %1, %0, [%3]"
				     : "=&r"(v), "=&r"(failed), "=&r"(other)
				     : "r"(&told), "r"(a->reg) : "memory");
		stored[cpu] += !failed;
		/* Without the access STREX succeeds now and then, on any core. */
		do {
			asm volatile("ldrex %0, [%2]\n\tadd %0, %0, #1\n\tstrex %1, %0, [%2]"
				     : "=&r"(v), "=&r"(failed) : "r"(&told) : "memory");
		} while (failed);
		stored[cpu]++;
	}
}

static void check_stored(u32 n)
{
	u32 sum = 0;

	smp_run(store_across_gicd);
	for (u32 i = 0; i < n; i++)
		sum += stored[i];
	report(sum >= n * COUNT && told == sum,
	       "STREX after an access to the distributor tells the truth [%u stores, %u told]", told, sum);
}

/* ---- TLB ---- */
#define SHARED_VA	0x58000000
static u32 page_a, page_b;
static volatile u32 phase;
static u32 stale[GUEST_MAX_CPUS];

static void shoot(u32 cpu)
{
	for (u32 i = 0; i < 8 + COUNT / 200; i++) {
		u32 want;

		smp_barrier();
		if (!cpu)
			mmu_map(SHARED_VA, i & 1 ? page_b : page_a, MMU_NORMAL);
		smp_barrier();
		want = i & 1 ? 0xb : 0xa;
		stale[cpu] += r32(SHARED_VA) != want;
	}
}

/* Each CPU has its own tables, in which the same address is another page. */
static u32 own_table[GUEST_MAX_CPUS][4096] __attribute__((aligned(16384)));
static u32 own_l2[GUEST_MAX_CPUS][256] __attribute__((aligned(1024)));
static u32 foreign[GUEST_MAX_CPUS];

#define ROUNDS		100

#define OWN_VA	0x5c000000
#define OWN_PA(cpu)	(FRESH_BASE + 0x400000 + (cpu) * 0x10000)

static void own_map(u32 cpu)
{
	u32 ttbr = CP15_READ(0, c2, c0, 0);

	for (u32 i = 0; i < 4096; i++)
		own_table[cpu][i] = page_table[i];
	/* Not global, so that the entries carry the ASID, which all CPUs share. */
	for (u32 i = 0; i < 256; i++)
		own_l2[cpu][i] = (OWN_PA(cpu) + (i & 3) * 4096) | 0x832 | 0x44c;
	own_table[cpu][OWN_VA >> 20] = (u32)own_l2[cpu] | 1;
	cache_clean_inval(own_table[cpu], sizeof(own_table[0]));
	cache_clean_inval(own_l2[cpu], sizeof(own_l2[0]));
	CP15_WRITE(0, c13, c0, 1, 5);
	CP15_WRITE(0, c2, c0, 0, (u32)own_table[cpu] | 0x4a);
	isb();
	CP15_WRITE(0, c8, c7, 0, 0);
	dsb();
	isb();
	for (u32 i = 0; i < 4; i++)
		w32(OWN_PA(cpu) + i * 4096, cpu * 16 + i);
	smp_barrier();
	for (u32 n = 0; n < ROUNDS; n++) {
		for (u32 i = 0; i < 4; i++) {
			foreign[cpu] += r32(OWN_VA + i * 4096) != cpu * 16 + i;
			w32(OWN_VA + i * 4096 + 8 + n * 4 % 2048, cpu);
		}
		/* Give way to a vCPU that shares this physical CPU. */
		if (!(n % 8) && on_vm())
			w32(DEV_BASE + DEV_SLEEP, 50);
	}
	smp_barrier();
	for (u32 i = 0; i < 4; i++)
		for (u32 n = 0; n < ROUNDS; n++)
			foreign[cpu] += r32(OWN_PA(cpu) + i * 4096 + 8 + n * 4 % 2048) != cpu;
	CP15_WRITE(0, c2, c0, 0, ttbr);
	CP15_WRITE(0, c13, c0, 1, 0);
	isb();
	CP15_WRITE(0, c8, c7, 0, 0);
	dsb();
	isb();
}

/* Each CPU has other code at the same address: I-cache entries of another CPU would show. */
static u32 wrong_code[GUEST_MAX_CPUS];

static void own_code(u32 cpu)
{
	u32 *code = (u32 *)(OWN_PA(cpu) + 0x8000);

	code[0] = 0xe3a00000 | (cpu + 1);	/* mov r0, #cpu + 1 */
	code[1] = 0xe12fff1e;			/* bx lr */
	cache_clean_inval(code, 64);
	CP15_WRITE(0, c7, c1, 0, 0);		/* ICIALLUIS */
	dsb();
	isb();
	smp_barrier();
	for (u32 n = 0; n < 300; n++) {
		wrong_code[cpu] += ((u32 (*)(void))code)() != cpu + 1;
		if (!(n % 16) && on_vm())
			w32(DEV_BASE + DEV_SLEEP, 50);
	}
}

/* Data that one CPU writes, and then announces in another word, is seen in that order. */
static volatile u32 message[16], flag, order_bad;

static void publish(u32 cpu)
{
	for (u32 i = 1; i <= COUNT / 16; i++) {
		if (!cpu) {
			for (u32 k = 0; k < 16; k++)
				message[k] = i * 16 + k;
			dmb();
			flag = i;
		} else {
			u64 end = cntvct() + us_to_ticks(30000000);

			while (flag < i && cntvct() < end)
				;
			dmb();
			for (u32 k = 0; k < 16; k++)
				if (message[k] != i * 16 + k)
					order_bad++;
		}
		smp_barrier();
	}
}

void guest_main(void)
{
	u32 n;

	mmu_on();
	smp_start();
	n = nr_cpus();
	report(true, "%u CPUs are up", n);
	smp_run(count);
	report(counter == n * COUNT, "a spin lock: %u of %u increments", counter, n * COUNT);
	report(plain32 == n * COUNT, "LDREX and STREX: %u of %u increments", plain32, n * COUNT);
	report(plain64 == (u64)n * COUNT * 0x100000001ull, "LDREXD and STREXD: %llx", plain64);
	check_monitor();
	check_stored(n);

	page_a = FRESH_BASE + 0x300000;
	page_b = FRESH_BASE + 0x301000;
	w32(page_a, 0xa);
	w32(page_b, 0xb);
	smp_run(shoot);
	for (u32 i = 0; i < n; i++)
		report(!stale[i], "cpu %u: sees pages remapped by CPU 0 at once (%u stale)", i,
		       stale[i]);
	smp_run(own_map);
	for (u32 i = 0; i < n; i++)
		report(!foreign[i], "cpu %u: never sees another CPU's translation (%u)", i,
		       foreign[i]);
	smp_run(own_code);
	for (u32 i = 0; i < n; i++)
		report(!wrong_code[i], "cpu %u: runs its own code (%u)", i, wrong_code[i]);
	smp_run(publish);
	report(!order_bad, "messages arrive whole and in order (%u)", order_bad);
	guest_exit();
}
