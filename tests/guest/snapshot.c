// SPDX-License-Identifier: GPL-2.0-only
/*
 * A busy guest that can be stopped, saved and restored at any moment (the client, saver.c, has its
 * device). On one CPU, all that it logs and keeps depends on what it does, never on the time: so a
 * run that was stopped a hundred times equals one that was not. On several CPUs, each checks that
 * its timers, SGIs, FP registers and locks go on.
 */
#include "lib.h"
#include "snapshot.h"

#define NR_PAGES	48

static u32 pages[NR_PAGES][1024];
static volatile u32 taken[GUEST_MAX_CPUS][64];
static u32 hash = 0x811c9dc5;
extern u8 cpu_stacks_end[];

static void mix(u32 v)
{
	hash = (hash ^ v) * 0x01000193;
	hash ^= hash >> 15;
}

static void handler(u32 iar)
{
	u32 irq = iar & 0x3ff;

	/* Leave no deadline behind: it would depend on the time. */
	if (irq == IRQ_VTIMER)
		vtimer_set(0, 0);
	else if (irq == IRQ_PTIMER)
		ptimer_set(0, 0);
	else if (irq == SNAP_SPI_LEVEL)
		w32(SNAP_LOWER, SNAP_SPI_LEVEL);
	if (irq < 64)
		taken[cpu_id()][irq]++;
}

static void __attribute__((noinline)) arm_vtimer(u32 us)
{
	vtimer_set(cntvct() + us_to_ticks(us), 1);
}

static void __attribute__((noinline)) arm_ptimer(u32 us)
{
	ptimer_set(cntpct() + us_to_ticks(us), 1);
}

static void fp_enable(void)
{
	CP15_WRITE(0, c1, c0, 2, CP15_READ(0, c1, c0, 2) | 0x00f00000);
	isb();
	asm volatile(".fpu neon\n\tvmsr fpexc, %0" :: "r"(1u << 30));
}

static void fp_load(const u64 *v)
{
	asm volatile(".fpu neon\n\tvldm %0!, {d0-d15}\n\tvldm %0, {d16-d31}"
		     : "+r"(v) :: "memory");
}

static void fp_store(u64 *v)
{
	asm volatile(".fpu neon\n\tvstm %0!, {d0-d15}\n\tvstm %0, {d16-d31}"
		     : "+r"(v) :: "memory");
}

/* All 32 registers depend on each other, and stay in the CPU between steps. */
static void fp_work(u32 rounds)
{
	asm volatile(".fpu neon-vfpv4\n"
		     "1:\tveor d0, d0, d31\n\tvadd.i64 d1, d1, d0\n\tvshl.i64 d2, d1, #7\n\t"
		     "vsri.64 d2, d1, #57\n\tveor d31, d31, d2\n\tvext.8 q8, q8, q8, #3\n\t"
		     "vadd.i32 q9, q9, q8\n\tveor q10, q10, q9\n\tvadd.i64 q11, q11, q10\n\t"
		     "veor q15, q15, q11\n\tvadd.i8 q2, q2, q15\n\tveor q3, q3, q2\n\t"
		     "vadd.f64 d24, d24, d25\n\tvmul.f64 d26, d24, d25\n\t"
		     "subs %0, %0, #1\n\tbne 1b"
		     : "+r"(rounds) :: "cc", "memory");
}

/* Four words at once, by instructions that exit for each word. */
static void block_transfer(void)
{
	register u32 a asm("r4"), b asm("r5"), c asm("r6"), d asm("r7");
	u32 base = SNAP_STREAM;

	asm volatile("ldmia %4!, {r4-r7}" : "=r"(a), "=r"(b), "=r"(c), "=r"(d), "+r"(base)
		     :: "memory");
	mix(a ^ base);
	mix(b);
	mix(c);
	mix(d);
	base = SNAP_STREAM;
	asm volatile("stmia %0!, {r4-r7}" : "+r"(base) : "r"(a), "r"(b), "r"(c), "r"(d) : "memory");
	mix(base);
}

static void await(u32 irq, u32 n, bool sleep)
{
	while (taken[0][irq] != n) {
		if (!sleep)
			continue;
		irq_off();
		if (taken[0][irq] != n)
			wfi();
		irq_on();
	}
}

static void step(u32 i)
{
	u32 *page = pages[i / 8 % NR_PAGES], n;

	switch (i % 8) {
	case 0:
		n = taken[0][IRQ_VTIMER] + 1;
		arm_vtimer(5 + hash % 60);
		fp_work(20 + hash % 200);
		await(IRQ_VTIMER, n, hash & 1);
		break;
	case 1:
		/* Three SGIs that are pending for a while; the last two are taken first. */
		n = taken[0][3];
		irq_off();
		w32(GICD_SGIR, SGI_SELF(3));
		w32(GICD_SGIR, SGI_SELF(5));
		w32(GICD_SGIR, SGI_SELF(6));
		fp_work(20);
		irq_on();
		await(3, n + 1, false);
		mix(taken[0][5] + taken[0][6]);
		break;
	case 2:
		n = taken[0][SNAP_SPI_EDGE] + 1;
		w32(SNAP_PULSE, SNAP_SPI_EDGE);
		await(SNAP_SPI_EDGE, n, true);
		break;
	case 3:
		n = taken[0][SNAP_SPI_LEVEL] + 1;
		w32(SNAP_RAISE, SNAP_SPI_LEVEL);
		await(SNAP_SPI_LEVEL, n, false);
		break;
	case 4:
		block_transfer();
		break;
	case 5:
		fp_work(300);
		break;
	case 6:
		for (u32 k = 0; k < 1024; k++)
			page[k] = hash + k * i;
		for (u32 k = 0; k < 1024; k += 37)
			mix(page[k]);
		break;
	case 7:
		n = taken[0][IRQ_PTIMER] + 1;
		arm_ptimer(5 + hash % 40);
		await(IRQ_PTIMER, n, true);
		break;
	}
	mix(i);
}

/*
 * Tells the client that the state is the same here in each run: interrupts are off, and the memory
 * below the stack is cleared, as are the banked registers that interrupts change.
 */
void snap_checkpoint(u32 addr, u32 value, u32 stack);
asm(".text\n\t.arm\n\t.global snap_checkpoint\nsnap_checkpoint:\n\t"
    "push {r4-r11, lr}\n\tmrs r3, cpsr\n\tcpsid i\n\tmov r12, #0\n"
    "1:\tcmp r2, sp\n\tstrlo r12, [r2], #4\n\tblo 1b\n\t"
    "cps #" STR(MODE_IRQ) "\n\tmov lr, #" STR(MODE_SVC) "\n\tmsr spsr_cxsf, lr\n\t"
    "cps #" STR(MODE_SVC) "\n\tmov r2, #0\n\t"
    "msr cpsr_f, #0\n\tstr r1, [r0]\n\tmsr cpsr_cf, r3\n\tpop {r4-r11, pc}\n");

static void alone(void)
{
	u64 fp[32];

	for (u32 k = 0; k < 32; k++)
		fp[k] = 0x3ff0000000000000ull + k * 0x0123456789abull;
	fp_load(fp);
	irq_on();
	for (u32 i = 0;; i++) {
		step(i);
		w32(SNAP_EVENT, hash);
		if (i % SNAP_PERIOD != SNAP_PERIOD - 1)
			continue;
		fp_store(fp);
		for (u32 k = 0; k < 32; k++)
			mix((u32)fp[k] ^ (u32)(fp[k] >> 32));
		irq_spurious = 0;
		snap_checkpoint(SNAP_CHECKPOINT, hash, (u32)cpu_stacks_end - 16384);
	}
}

/* ---- several CPUs ---- */
static struct lock lock;
static volatile u32 shared[2];

static void fail(u32 cpu, u32 what)
{
	w32(SNAP_FAIL, cpu << 16 | what);
}

static void together(u32 cpu)
{
	u32 sgis = 0, sent = 0, timers = 0;
	u64 in[32], out[32];

	gic_init_cpu();
	gic_enable(IRQ_VTIMER);
	fp_enable();
	for (u32 k = 0; k < 32; k++)
		in[k] = (u64)(cpu + 1) << 56 | k;
	irq_on();
	smp_barrier();
	for (u32 i = 0;; i++) {
		arm_vtimer(20 + (i * 7 + cpu) % 90);
		fp_load(in);
		/* Send to the next CPU, which sends on: one SGI is under way for each CPU. */
		if (sent == sgis || taken[cpu][4] > sgis) {
			sgis = taken[cpu][4];
			sent++;
			w32(GICD_SGIR, SGI_TARGETS(1u << (cpu + 1) % nr_cpus(), 4));
		}
		lock_take(&lock);
		if (shared[0] != shared[1])
			fail(cpu, 1);
		shared[0]++;
		delay_us(2);
		shared[1]++;
		lock_drop(&lock);
		/* The deadline has passed, or the interrupt is lost. */
		for (u32 t = 0; taken[cpu][IRQ_VTIMER] == timers; t++) {
			if (t > 2000)
				fail(cpu, 2);
			irq_off();
			if (taken[cpu][IRQ_VTIMER] == timers)
				wfi();
			irq_on();
		}
		if (taken[cpu][IRQ_VTIMER] != timers + 1)
			fail(cpu, 3);
		timers = taken[cpu][IRQ_VTIMER];
		fp_store(out);
		for (u32 k = 0; k < 32; k++) {
			if (out[k] != in[k])
				fail(cpu, 4);
			in[k] += 0x0101;
		}
		if (i % 16 == 0)
			w32(SNAP_ALIVE + 4 * cpu, taken[cpu][4]);
	}
}

void guest_main(void)
{
	mmu_on();
	gic_init_dist();
	gic_init_cpu();
	irq_handler = handler;
	if (nr_cpus() > 1) {
		smp_start();
		smp_run(together);
	}
	gic_edge(SNAP_SPI_EDGE, true);
	gic_enable(SNAP_SPI_EDGE);
	gic_enable(SNAP_SPI_LEVEL);
	gic_enable(IRQ_VTIMER);
	gic_enable(IRQ_PTIMER);
	gic_priority(5, 0x40);
	gic_priority(6, 0x60);
	fp_enable();
	alone();
}
