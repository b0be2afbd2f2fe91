// SPDX-License-Identifier: GPL-2.0-only
/*
 * The distributor's registers: reset values, writable bits, banking, access widths, offsets past
 * the arrays, misaligned accesses (IHI 0048B 4.1.4 and 4.3; docs/hazards.md 4).
 */
#include "lib.h"

#define SPI	40		/* any SPI that no device uses */

static void check_id_registers(void)
{
	u32 typer = r32(GICD_TYPER);

	if (on_vm()) {
		u32 n = param.nr_irqs > 1020 ? 1020 : param.nr_irqs;

		report(gic_nr_irqs() == n, "GICD_TYPER tells of %u interrupts", n);
		report((r32(GICD_IIDR) & 0xfff) == 0x43b, "GICD_IIDR names Arm (%x)",
		       r32(GICD_IIDR));
		w32(GICD_TYPER, ~typer);
		w32(GICD_IIDR, 0);
		report(r32(GICD_TYPER) == typer && (r32(GICD_IIDR) & 0xfff) == 0x43b,
		       "GICD_TYPER and GICD_IIDR are read-only");
	}
	report((typer >> 5 & 7) == nr_cpus() - 1, "GICD_TYPER tells of %u CPUs (%x)", nr_cpus(),
	       typer);
	w32(GICD_CTLR, 0);
	report((r32(GICD_CTLR) & 1) == 0, "GICD_CTLR can be cleared");
	w32(GICD_CTLR, 1);
	report((r32(GICD_CTLR) & 1) == 1, "GICD_CTLR can be set");
}

static void check_ids(void)
{
	/* Before anything is written: IHI 0048B 4.3.5. */
	report((r32(GICD_ISENABLER) & 0xffff) == 0xffff, "SGIs are enabled at reset");
	report(!(r32(GICD_CTLR) & 1) && !r32(GICD_ISENABLER + 4) && !r32(GICD_ISPENDR + 4),
	       "the distributor, SPIs and their pending state are off at reset");
	check_id_registers();
}

/* Pairs of registers: one sets bits, the other clears them. */
static void check_pair(const char *name, u32 set, u32 clear, u32 irq)
{
	u32 off = irq / 32 * 4, bit = 1u << irq % 32, others;

	w32(clear + off, ~0u);
	report(!(r32(set + off) & bit), "%s: bit is clear", name);
	w32(set + off, bit);
	report(r32(set + off) & bit, "%s: bit can be set", name);
	report(r32(set + off) == r32(clear + off), "%s: both registers read the same", name);
	others = r32(set + off);
	w32(set + off, 0);
	w32(clear + off, 0);
	report(r32(set + off) == others, "%s: writing zeros changes nothing", name);
	w32(clear + off, bit);
	report(!(r32(set + off) & bit), "%s: bit can be cleared", name);
}

static void check_pairs(void)
{
	w32(GICD_CTLR, 0);
	check_pair("GICD_ISENABLERn", GICD_ISENABLER, GICD_ICENABLER, SPI);
	check_pair("GICD_ISPENDRn", GICD_ISPENDR, GICD_ICPENDR, SPI);
	check_pair("GICD_ISACTIVERn", GICD_ISACTIVER, GICD_ICACTIVER, SPI);
	check_pair("GICD_ISENABLER0", GICD_ISENABLER, GICD_ICENABLER, IRQ_VTIMER);
	w32(GICD_ISENABLER, 0xffff);
	report((r32(GICD_ISENABLER) & 0xffff) == 0xffff, "SGIs are enabled");
	w32(GICD_CTLR, 1);
}

static void check_priority(void)
{
	u32 v;

	w32(GICD_IPRIORITYR + SPI, 0xffffffff);
	v = r8_(GICD_IPRIORITYR + SPI);
	report((v & 0xf0) == 0xf0, "a priority keeps its upper bits (%x)", v);
	if (on_vm())
		report(v == 0xf8, "a priority has five bits (%x)", v);
	for (u32 i = 0; i < 4; i++)
		w8(GICD_IPRIORITYR + SPI + i, 0x10 * (i + 1));
	report(r32(GICD_IPRIORITYR + SPI) == 0x40302010, "priorities are written by bytes");
	report(r8_(GICD_IPRIORITYR + SPI + 2) == 0x30, "priorities are read by bytes");
	w32(GICD_IPRIORITYR + SPI, 0xa0a0a0a0);
	report(r32(GICD_IPRIORITYR + SPI) == 0xa0a0a0a0, "priorities are written by words");
}

static void check_targets(void)
{
	u32 all = (1u << nr_cpus()) - 1;

	if (nr_cpus() > 1 && on_vm()) {
		w32(GICD_ITARGETSR + SPI, 0xffffffff);
		report(r32(GICD_ITARGETSR + SPI) == all * 0x01010101,
		       "targets keep the bits of CPUs that exist (%x)",
		       r32(GICD_ITARGETSR + SPI));
		w8(GICD_ITARGETSR + SPI + 1, 2);
		report(r8_(GICD_ITARGETSR + SPI + 1) == 2 && r8_(GICD_ITARGETSR + SPI) == all,
		       "targets are written by bytes");
		w32(GICD_ITARGETSR + SPI, 0x01010101);
		for (u32 i = 0; i < 32; i += 4)
			w32(GICD_ITARGETSR + i, ~0u);
	}
}

/* GICD_ITARGETSR0-7 read as the bit of the CPU that reads (IHI 0048B 4.3.12). */
static void check_banked(u32 cpu)
{
	bool own = true;

	for (u32 i = 0; i < 32; i++)
		own &= r8_(GICD_ITARGETSR + i) == 1u << cpu;
	if (nr_cpus() > 1)
		report(own, "cpu %u: GICD_ITARGETSR0-7 read as its own number", cpu);

	/* Each CPU has its own priorities and enables of private interrupts. */
	w8(GICD_IPRIORITYR + 20, 0x10 + 0x10 * cpu);
	w32(GICD_ICENABLER, 1u << IRQ_VTIMER);
	if (cpu & 1)
		w32(GICD_ISENABLER, 1u << IRQ_VTIMER);
	smp_barrier();
	report(r8_(GICD_IPRIORITYR + 20) == 0x10 + 0x10 * cpu, "cpu %u: private priorities are banked",
	       cpu);
	report((r32(GICD_ISENABLER) >> IRQ_VTIMER & 1) == (cpu & 1),
	       "cpu %u: private enables are banked", cpu);
	smp_barrier();
	w32(GICD_ICENABLER, 1u << IRQ_VTIMER);
}

static void check_config(void)
{
	u32 a = GICD_ICFGR + SPI / 16 * 4, shift = SPI % 16 * 2;

	report((r32(GICD_ICFGR) & 0xaaaaaaaa) == 0xaaaaaaaa, "SGIs are edge-triggered");
	w32(GICD_ICFGR, 0);
	report((r32(GICD_ICFGR) & 0xaaaaaaaa) == 0xaaaaaaaa, "the configuration of SGIs is fixed");
	w32(a, 0);
	report(!(r32(a) >> shift & 2), "an SPI can be level-sensitive");
	w32(a, 2u << shift);
	report(r32(a) >> shift & 2, "an SPI can be edge-triggered");
	report((r32(a) & ~(2u << shift) & 0xaaaaaaaa) == 0, "and its neighbours are not");
	w32(a, 0);
}

static void check_sgi_pending(void)
{
	u32 last = nr_cpus() - 1;

	if (nr_cpus() < 2)
		return;
	w32(GICD_CTLR, 0);
	w8(GICD_SPENDSGIR + 5, 1u << last);
	w8(GICD_SPENDSGIR + 5, 1u << 0);
	report(r8_(GICD_SPENDSGIR + 5) == (1u << last | 1), "GICD_SPENDSGIR adds a source (%x)",
	       r8_(GICD_SPENDSGIR + 5));
	report(r8_(GICD_CPENDSGIR + 5) == (1u << last | 1), "GICD_CPENDSGIR reads the same");
	report(r32(GICD_ISPENDR) >> 5 & 1, "an SGI with a source is pending");
	w8(GICD_CPENDSGIR + 5, 1u << 0);
	report(r8_(GICD_SPENDSGIR + 5) == 1u << last, "GICD_CPENDSGIR removes one source");
	w8(GICD_CPENDSGIR + 5, 1u << last);
	report(!(r32(GICD_ISPENDR) >> 5 & 1), "without a source it is not pending");
	w32(GICD_CTLR, 1);
	report(!r32(GICD_SGIR), "GICD_SGIR reads as zero");
}

/* Access widths that a register does not support are RAZ/WI, and never fault (IHI 0048B 4.1.4). */
static void check_widths(void)
{
	u32 count;

	gic_disable(SPI);
	trap_begin();
	w8(GICD_ISENABLER + SPI / 8, 1u << SPI % 8);
	w16(GICD_ISENABLER + SPI / 16 * 2, 1u << SPI % 16);
	w16(GICD_IPRIORITYR + SPI, 0x1010);
	w8(GICD_SGIR, 1);
	w16(GICD_SGIR, 1);
	w8(GICD_CTLR, 0);
	(void)r8_(GICD_ISENABLER);
	(void)r16(GICD_TYPER);
	(void)r8_(GICD_SGIR + 3);
	(void)r16(GICD_ICFGR + 2);
	count = trap_end();
	report(!count, "accesses of other widths do not fault");
	if (on_vm()) {
		report(!gic_enabled(SPI), "a byte or halfword write to GICD_ISENABLER is ignored");
		report(r32(GICD_CTLR) & 1, "a byte write to GICD_CTLR is ignored");
	}
	gic_disable(SPI);
	gic_priority(SPI, 0xa0);
	gic_priority(SPI + 1, 0xa0);
}

static void check_past_arrays(void)
{
	static const struct { u32 base, bits; const char *name; } arrays[] = {
		{ GICD_IGROUPR, 1, "GICD_IGROUPR" },
		{ GICD_ISENABLER, 1, "GICD_ISENABLER" }, { GICD_ICENABLER, 1, "GICD_ICENABLER" },
		{ GICD_ISPENDR, 1, "GICD_ISPENDR" }, { GICD_ICPENDR, 1, "GICD_ICPENDR" },
		{ GICD_ISACTIVER, 1, "GICD_ISACTIVER" }, { GICD_ICACTIVER, 1, "GICD_ICACTIVER" },
		{ GICD_IPRIORITYR, 8, "GICD_IPRIORITYR" }, { GICD_ITARGETSR, 8, "GICD_ITARGETSR" },
		{ GICD_ICFGR, 2, "GICD_ICFGR" },
	};
	u32 n = gic_nr_irqs();

	for (u32 i = 0; i < ARRAY_SIZE(arrays); i++) {
		u32 past = (n + 31) / 32 * 32, zero = 1, count;

		trap_begin();
		for (u32 irq = past; irq < 1024; irq += 32 / arrays[i].bits) {
			u32 a = arrays[i].base + irq * arrays[i].bits / 8;

			w32(a, ~0u);
			zero &= !r32(a);
		}
		count = trap_end();
		report(!count && zero, "%s is RAZ/WI past interrupt %u", arrays[i].name, n);
	}
	trap_begin();
	for (u32 off = 0; off < 0x1000; off += 4)
		(void)r32(GICD(off));
	report(!trap_end(), "every word of the distributor can be read");
	trap_begin();
	w32(GICD(0x00c), ~0u);
	w32(GICD(0x020), ~0u);
	w32(GICD(0xd00), ~0u);
	w32(GICD(0xe00), ~0u);
	w32(GICD(0xf30), ~0u);
	for (u32 off = 0xfd0; off < 0x1000; off += 4)
		w32(GICD(off), ~0u);
	report(!trap_end(), "reserved and identification registers can be written to no effect");
}

/*
 * While the distributor is mapped as Normal memory, the CPU does not stop misaligned accesses, so
 * that the hypervisor gets them.
 */
static void check_misaligned(void)
{
	u32 va = HOLE_BASE + 0x800000, taken;

	if (!on_vm())
		return;
	mmu_map(va, GICD_BASE, MMU_NC);
	report(r32(va + 4) == r32(GICD_TYPER), "the distributor can be mapped elsewhere");
	for (u32 i = 1; i < 4; i++) {
		u32 v;

		trap_begin();
		asm volatile("ldr %0, [%1]" : "=r"(v) : "r"(va + 0x100 + i) : "memory");
		asm volatile("str %0, [%1]" :: "r"(v), "r"(va + 0x400 + SPI + i) : "memory");
		asm volatile("ldrh %0, [%1]" : "=r"(v) : "r"(va + 0x101 + i) : "memory");
		asm volatile("strh %0, [%1]" :: "r"(v), "r"(va + 0xf00 + i) : "memory");
		taken = trap_end();
		report(taken <= 4, "misaligned accesses at offset %u go by (%u aborts)", i, taken);
	}
	trap_begin();
	asm volatile("str %0, [%1]" :: "r"(0), "r"(va + 0xffe) : "memory");
	(void)trap_end();
	report((r32(GICD_CTLR) & 1) && (r32(GICD_IIDR) & 0xfff) == 0x43b,
	       "the distributor works on after misaligned accesses");
	mmu_map(va, va, MMU_DEVICE);
	gic_init_dist();
}

static void check_group(void)
{
	u32 off = SPI / 32 * 4, v;

	v = r32(GICD_IGROUPR + off);
	w32(GICD_IGROUPR + off, ~0u);
	w32(GICD_IGROUPR + off, v);
	report(r32(GICD_IGROUPR + off) == v, "GICD_IGROUPR takes back its value");
}

void guest_main(void)
{
	mmu_on();
	smp_start();
	check_ids();
	gic_init_dist();
	gic_init_cpu();
	check_pairs();
	check_priority();
	check_targets();
	smp_run(check_banked);
	check_config();
	check_sgi_pending();
	check_group();
	check_widths();
	check_past_arrays();
	check_misaligned();
	guest_exit();
}
