// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory: the first touch of a page, pages that the client takes away
 * or shares, caches on and off, maintenance by address and by set and way,
 * code that the guest writes, both table formats, stage-1 attributes
 * (DDI 0406C B2.2, B3; docs/hazards.md 7, 12 and 17).
 */
#include "lib.h"

#define PAGES	1024

static u32 hash(u32 v)
{
	v ^= v >> 16;
	v *= 0x85ebca6bu;
	v ^= v >> 13;
	v *= 0xc2b2ae35u;
	return v ^ v >> 16;
}

static void check_first_touch(void)
{
	u32 dirty = 0, wrong = 0;

	for (u32 i = 0; i < PAGES; i++) {
		u32 a = FRESH_BASE + i * 4096;

		dirty += r32(a) != 0 || r32(a + 4092) != 0;
		w32(a + (i * 4 & 0xffc), hash(i));
	}
	for (u32 i = 0; i < PAGES; i++)
		wrong += r32(FRESH_BASE + i * 4096 + (i * 4 & 0xffc)) != hash(i);
	report(!dirty || !on_vm(), "%u fresh pages read as zero", PAGES);
	report(!wrong, "%u pages keep what is written", PAGES);
	/* Pages that are written before they are read. */
	for (u32 i = 0; i < PAGES; i++)
		w32(FRESH_BASE + 0x800000 + i * 4096, ~i);
	for (u32 i = 0; i < PAGES; i++)
		wrong += r32(FRESH_BASE + 0x800000 + i * 4096) != ~i;
	report(!wrong, "%u pages written before read keep it", PAGES);
}

/* The first touch by each width, as each has another syndrome. */
static void check_touch_kinds(void)
{
	u32 a = FRESH_BASE + 0xc00000, n;
	u64 v;

	asm volatile("strb %0, [%1]" :: "r"(0x5a), "r"(a + 1) : "memory");
	asm volatile("strh %0, [%1]" :: "r"(0x5a5a), "r"(a + 4096) : "memory");
	asm volatile("strd %Q0, %R0, [%1]" :: "r"(0x1122334455667788ull), "r"(a + 8192) : "memory");
	asm volatile("ldrd %Q0, %R0, [%1]" : "=r"(v) : "r"(a + 12288) : "memory");
	asm volatile("push {r4-r7}\n\tmov r4, #4\n\tmov r5, #5\n\tmov r6, #6\n\tmov r7, #7\n\t"
		     "stm %0, {r4-r7}\n\tpop {r4-r7}" :: "r"(a + 16384 - 8 + 4096) : "memory");
	report(r32(a) == 0x5a00 && r32(a + 4096) == 0x5a5a, "the first touch by byte and halfword");
	report(*(volatile u64 *)(a + 8192) == 0x1122334455667788ull && !v,
	       "the first touch by doubleword");
	report(r32(a + 16384 + 4096 - 8) == 4 && r32(a + 16384 + 4096 + 4) == 7,
	       "the first touch by STM across two pages");
	asm volatile("1:\tldrex r1, [%1]\n\tadd r1, r1, #1\n\tstrex r2, r1, [%1]\n\tcmp r2, #0\n\t"
		     "bne 1b\n\tmov %0, r1" : "=r"(n) : "r"(a + 28672) : "r1", "r2", "cc", "memory");
	report(n == 1 && r32(a + 28672) == 1, "the first touch by LDREX and STREX");
	/* A stage-1 walk into a table page that was never touched at stage 2. */
	asm volatile("pld [%0]" :: "r"(a + 32768));
	report(!r32(a + 36864), "and after a preload of a page that is not there");
}

static void check_client_takes(void)
{
	u32 a = FRESH_BASE + 0xd00000, kept = 0, stale = 0;

	if (!on_vm())
		return;
	for (u32 i = 0; i < 64; i++) {
		for (u32 k = 0; k < 4; k++)
			w32(a + k * 4096, i * 16 + k + 1);
		w32(DEV_BASE + DEV_DONTNEED, a + 4096);
		stale += r32(a + 4096) != 0;
		for (u32 k = 0; k < 4; k++)
			kept += k != 1 && r32(a + k * 4096) == i * 16 + k + 1;
		w32(a + 4096, 1);
		stale += r32(a + 4096) != 1;
	}
	report(!stale, "a page discarded by the client reads as zero at once (%u stale)", stale);
	report(kept == 64 * 3, "and its neighbours are kept");

	/* After fork every page is copy-on-write: stage 2 must follow the copies. */
	for (u32 i = 0; i < 128; i++)
		w32(a + i * 4096, i);
	w32(DEV_BASE + DEV_FORK, 1);
	kept = 0;
	for (u32 i = 0; i < 128; i++) {
		kept += r32(a + i * 4096) == i;
		w32(a + i * 4096, ~i);
	}
	for (u32 i = 0; i < 128; i++)
		kept += r32(a + i * 4096) == ~i;
	report(kept == 256, "memory is the guest's own after the client forked (%u)", kept);
}

/* ---- code that the guest writes ---- */
static u32 code_area[2048] __attribute__((aligned(4096)));

static void sync_code(u32 *p, u32 words)
{
	/* DDI 0406C A3.8.3: clean to the PoU, invalidate I-cache and predictor. */
	for (u32 i = 0; i < words; i++)
		CP15_WRITE(0, c7, c11, 1, (u32)(p + i));	/* DCCMVAU */
	dsb();
	for (u32 i = 0; i < words; i++)
		CP15_WRITE(0, c7, c5, 1, (u32)(p + i));		/* ICIMVAU */
	CP15_WRITE(0, c7, c5, 6, 0);				/* BPIALL */
	dsb();
	isb();
}

static void check_code(void)
{
	u32 (*fn)(void) = (u32 (*)(void))code_area;
	u32 wrong = 0;

	for (u32 i = 0; i < 256; i++) {
		code_area[0] = 0xe3a00000 | i;		/* mov r0, #i */
		code_area[1] = 0xe12fff1e;		/* bx lr */
		sync_code(code_area, 2);
		wrong += fn() != i;
	}
	report(!wrong, "256 times rewritten code runs as written (%u wrong)", wrong);
	/* In a page that was never touched, then one that is taken away and written again. */
	fn = (u32 (*)(void))(FRESH_BASE + 0xe00000);
	for (u32 i = 0; i < 16; i++) {
		((u32 *)fn)[0] = 0xe3a00000 | i;
		((u32 *)fn)[1] = 0xe12fff1e;
		sync_code((u32 *)fn, 2);
		wrong += fn() != i;
		if (on_vm())
			w32(DEV_BASE + DEV_DONTNEED, (u32)fn);
	}
	report(!wrong, "and in pages that come and go");
}

/* ---- caches ---- */
static void setway_all(u32 clean_only)
{
	u32 ccsidr, sets, ways, line, way_shift = 0;

	CP15_WRITE(2, c0, c0, 0, 0);
	isb();
	ccsidr = CP15_READ(1, c0, c0, 0);
	line = (ccsidr & 7) + 4;
	ways = (ccsidr >> 3 & 0x3ff) + 1;
	sets = (ccsidr >> 13 & 0x7fff) + 1;
	while (1u << way_shift < ways)
		way_shift++;
	way_shift = 32 - way_shift;
	for (u32 w = 0; w < ways; w++)
		for (u32 s = 0; s < sets; s += on_vm() ? 16 : 1) {
			u32 v = w << way_shift | s << line;

			if (clean_only)
				CP15_WRITE(0, c7, c10, 2, v);	/* DCCSW */
			else
				CP15_WRITE(0, c7, c14, 2, v);	/* DCCISW */
		}
	dsb();
}

static void check_caches(void)
{
	u32 a = FRESH_BASE + 0xf00000, bad = 0;

	for (u32 i = 0; i < 256; i++)
		w32(a + i * 64, hash(i));
	setway_all(1);
	for (u32 i = 0; i < 256; i++)
		bad += r32(a + i * 64) != hash(i);
	report(!bad, "cleaning by set and way keeps memory");
	setway_all(0);
	for (u32 i = 0; i < 256; i++)
		bad += r32(a + i * 64) != hash(i);
	report(!bad, "cleaning and invalidating by set and way keeps memory");

	/* Caches off, as a boot loader leaves them: memory must hold what was cached. */
	cache_clean_inval((void *)a, 256 * 64);
	cache_clean_inval((void *)RAM_BASE, 0x100000);
	mmu_off();
	for (u32 i = 0; i < 256; i++)
		bad += r32(a + i * 64) != hash(i);
	for (u32 i = 0; i < 256; i++)
		w32(a + i * 64, hash(i + 7));
	mmu_on();
	report(!bad, "with the MMU off memory holds what was cleaned");
	for (u32 i = 0; i < 256; i++)
		bad += r32(a + i * 64) != hash(i + 7);
	report(!bad, "with the MMU on again it holds what was written");

	/* A page first touched with the caches off must not show old cache lines. */
	a += 0x100000;
	mmu_off();
	for (u32 i = 0; i < 16; i++)
		bad += on_vm() && r32(a + i * 4096) != 0;
	w32(a, 0x0ff0ff);
	mmu_on();
	report(!bad && r32(a) == 0x0ff0ff, "pages first touched with the MMU off are zero");
	for (u32 i = 0; i < 8; i++) {
		mmu_off();
		mmu_on();
	}
	report(r32(a) == 0x0ff0ff, "turning the MMU off and on again loses nothing");
	CP15_WRITE(0, c7, c6, 1, a);		/* DCIMVAC acts on a cleaned line */
	dsb();
	trap_begin();
	CP15_WRITE(0, c7, c5, 0, 0);		/* ICIALLU */
	CP15_WRITE(0, c7, c1, 0, 0);		/* ICIALLUIS */
	CP15_WRITE(0, c7, c1, 6, 0);		/* BPIALLIS */
	CP15_WRITE(0, c8, c3, 0, 0);		/* TLBIALLIS */
	CP15_WRITE(0, c8, c7, 2, 1);		/* TLBIASID */
	CP15_WRITE(0, c7, c10, 4, 0);		/* CP15DSB */
	CP15_WRITE(0, c7, c10, 5, 0);		/* CP15DMB */
	CP15_WRITE(0, c7, c5, 4, 0);		/* CP15ISB */
	report(!trap_end(), "maintenance and barrier operations are not undefined");
}

/* ---- stage 1 ---- */
static void check_mapping(void)
{
	u32 va = 0x50000000, a = FRESH_BASE + 0x2000000, par;

	if (param.ram_mb < 64)
		return;
	w32(a, 0xaaaa0001);
	w32(a + 4096, 0xaaaa0002);
	mmu_map(va, a, MMU_NORMAL);
	report(r32(va) == 0xaaaa0001, "a page mapped elsewhere shows its memory");
	mmu_map(va, a + 4096, MMU_NORMAL);
	report(r32(va) == 0xaaaa0002, "remapped, it shows the other");
	CP15_WRITE(0, c7, c8, 0, va);			/* ATS1CPR */
	isb();
	par = CP15_READ(0, c7, c4, 0);
	report(!(par & 1) && (par & 0xfffff000) == a + 4096, "ATS1CPR translates (%x)", par);
	mmu_map(va, 0, MMU_FAULT);
	CP15_WRITE(0, c7, c8, 0, va);
	isb();
	par = CP15_READ(0, c7, c4, 0);
	report(par & 1, "ATS1CPR tells of a fault (%x)", par);
	trap_begin();
	(void)r32(va);
	report(trap_end() == 1 && trap[0].far == va && (trap[0].fsr & 0x40f) == 7,
	       "and an access takes the guest's own abort (dfsr %x, dfar %x)", trap[0].fsr,
	       trap[0].far);
	mmu_map(va, a, MMU_NC);
	w32(va, 0xbeef);
	report(r32(va) == 0xbeef, "Normal non-cacheable memory works");
	mmu_map(va, a, MMU_DEVICE);
	w32(va + 8, 0xcafe);
	report(r32(va + 8) == 0xcafe, "RAM mapped as Device works");
	mmu_map(va, 0x50000000, MMU_NORMAL);
}

static void check_lpae(void)
{
	u32 a = FRESH_BASE + 0x1800000, bad = 0;

	w32(a, 0x1);
	mmu_lpae_on();
	report(CP15_READ(0, c2, c0, 2) >> 31, "TTBCR.EAE stays set");
	for (u32 i = 0; i < 256; i++)
		w32(a + i * 4096, hash(i));
	for (u32 i = 0; i < 256; i++)
		bad += r32(a + i * 4096) != hash(i);
	hvc(PSCI_VERSION, 0, 0, 0);
	if (on_vm())
		bad += r32(DEV_BASE + DEV_COUNTER) == r32(DEV_BASE + DEV_COUNTER);
	report(!bad, "memory and devices work with LPAE tables");
	report((u32)CP15_READ64(0, c2) && CP15_READ64(0, c2) >> 32 == 0, "TTBR0 is 64 bits wide");
	CP15_WRITE64(1, c2, 0x0055000012345000ull);
	hvc(PSCI_VERSION, 0, 0, 0);
	(void)r32(GICD_IIDR);
	report(CP15_READ64(1, c2) == 0x0055000012345000ull, "the upper half of TTBR1 is kept (%llx)",
	       CP15_READ64(1, c2));
	CP15_WRITE64(1, c2, 0);
	CP15_WRITE(0, c7, c8, 0, a);
	isb();
	report(!(CP15_READ64(0, c7) & 1) && (CP15_READ64(0, c7) >> 11 & 1),
	       "PAR has the long format (%llx)", CP15_READ64(0, c7));
	mmu_on();
	report(!(CP15_READ(0, c2, c0, 2) >> 31), "and back to short descriptors");
}

void guest_main(void)
{
	mmu_on();
	check_first_touch();
	check_touch_kinds();
	check_client_takes();
	check_code();
	check_caches();
	check_mapping();
	check_lpae();
	guest_exit();
}
