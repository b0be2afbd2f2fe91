// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that writes nonsense to every device register: the distributor,
 * the CPU interface, the client's windows and the space between, at every
 * width, from all CPUs at once. The test is that host and guest go on.
 *   fuzz [seed] [accesses per CPU]
 */
#include "lib.h"

static u32 state[GUEST_MAX_CPUS];

static u32 rnd(u32 cpu)
{
	u32 x = state[cpu];

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return state[cpu] = x;
}

static const struct { u32 base, size; } windows[] = {
	{ GICD_BASE, 0x1000 }, { GICD_BASE, 0x1000 }, { GICD_BASE, 0x1000 },
	{ GICC_BASE, 0x2000 }, { GICV2M_BASE, 0x10000 }, { RTC_BASE, 0x30000 },
	{ DEV_BASE + DEV_SCRATCH, DEV_SCRATCH_LEN }, { DEV_BASE + 0x200, 0xe00 },
	{ HOLE_BASE, HOLE_SIZE }, { 0x10000000, 0x2eff0000 }, { 0x3eff0000, 0x01010000 },
	{ 0, GICD_BASE },
};

static u32 limit;
static volatile u32 irqs;

static void on_irq(u32 iar)
{
	(void)iar;
	irqs++;
}

static void one(u32 cpu)
{
	u32 w = rnd(cpu) % ARRAY_SIZE(windows), r = rnd(cpu), v = rnd(cpu);
	u32 a = windows[w].base + r % windows[w].size;

	/* Values with few bits set reach more code than noise does. */
	if (v & 1)
		v = 1u << (v >> 1) % 32;
	else if (v & 2)
		v = v & 4 ? ~0u : v >> 24;
	switch (r >> 28) {
	case 0:
	case 1:
		w8(a, v);
		break;
	case 2:
		w16(a & ~1u, v);
		break;
	case 3:
	case 4:
	case 5:
	case 6:
	case 7:
		w32(a & ~3u, v);
		break;
	case 8:
		(void)r8_(a);
		break;
	case 9:
		(void)r16(a & ~1u);
		break;
	case 10:
		/* Misaligned accesses, as far as the CPU permits them. */
		asm volatile("ldr r0, [%0]" :: "r"(a) : "r0", "memory");
		break;
	case 11:
		asm volatile("str %1, [%0]" :: "r"(a), "r"(v) : "memory");
		break;
	case 12:
		asm volatile("strh %1, [%0]" :: "r"(a), "r"(v) : "memory");
		break;
	default:
		(void)r32(a & ~3u);
	}
}

static void fuzz(u32 cpu)
{
	state[cpu] = (param.arg[0] ? param.arg[0] : 0x2545f491) * (cpu * 2 + 1);
	irq_on();
	for (u32 i = 0; i < limit; i++) {
		trap_begin();
		one(cpu);
		(void)trap_end();
		/* If the nonsense causes an interrupt storm, the test must go on. */
		if (!(i % 64)) {
			irq_off();
			w32(GICC_CTLR, 0);
			w32(GICC_CTLR, 1);
			for (u32 k = 0; k < 8; k++) {
				u32 iar = r32(GICC_IAR);

				if ((iar & 0x3ff) >= 1020)
					break;
				w32(GICC_EOIR, iar);
			}
			if (i & 64)
				irq_on();
		}
	}
	irq_off();
}

/* The machine still works: do the basics of each test. */
static void check_alive(u32 cpu)
{
	u32 iar;

	gic_init_cpu();
	w32(GICC_CTLR, 1);
	for (u32 i = 0; i < 2048; i++) {
		iar = r32(GICC_IAR);
		if ((iar & 0x3ff) >= 1020)
			break;
		w32(GICC_EOIR, iar);
	}
	/*
	 * Interrupts that the noise acknowledged and nobody ended keep the running priority high.
	 */
	for (u32 i = 0; i < 64 && r32(GICC_RPR) != 0xff; i++)
		w32(GICC_EOIR, 1);
	report(r32(GICC_RPR) == 0xff, "cpu %u: the running priority can be dropped (%x)", cpu,
	       r32(GICC_RPR));
	w32(GICD_ICACTIVER, ~0u);
	for (u32 i = 0; i < 16; i++)
		w8(GICD_CPENDSGIR + i, 0xff);
	smp_barrier();
	w32(GICD_SGIR, SGI_SELF(1));
	dsb();
	delay_us(300);
	iar = r32(GICC_IAR);
	w32(GICC_EOIR, iar);
	report((iar & 0x3ff) == 1, "cpu %u: an SGI still works (%x)", cpu, iar);
	report(hvc(PSCI_AFFINITY_INFO, cpu_mpidr(cpu), 0, 0) == 0, "cpu %u: PSCI still works", cpu);
}

void guest_main(void)
{
	mmu_on();
	gic_init_dist();
	gic_init_cpu();
	smp_start();
	limit = param.arg[1] ? param.arg[1] : 4000;
	irq_handler = on_irq;
	if (!on_vm())
		guest_bail("needs a client that bears any access");
	smp_run(fuzz);
	report(true, "%u accesses on each of %u CPUs [%u interrupts]", limit, nr_cpus(), irqs);
	gic_init_dist();
	smp_run(check_alive);
	report((r32(GICD_IIDR) & 0xfff) == 0x43b && gic_nr_irqs() == param.nr_irqs,
	       "the distributor knows itself");
	guest_exit();
}
