// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses to addresses without memory: the client gets data accesses; an instruction fetch is an
 * abort in the guest. The guest's own aborts are delivered to it with the right state (DDI 0406C
 * B1.9, B3.13).
 */
#include "lib.h"

static void check_hole(void)
{
	u32 n = r32(DEV_BASE + DEV_HOLES), v;
	u32 a = HOLE_BASE + 0x1234;

	v = r32(a);
	report(v == 0xffffffff, "a read of no device is the client's (%x)", v);
	report(r32(DEV_BASE + DEV_HOLES) == n + 1 && r32(DEV_BASE + DEV_HOLE_LO) == a,
	       "it reaches the client once, with its address (%x)", r32(DEV_BASE + DEV_HOLE_LO));
	w8(a + 1, 1);
	report(r32(DEV_BASE + DEV_HOLES) == n + 2 && r32(DEV_BASE + DEV_HOLE_LO) == a + 1,
	       "so does a byte write");
	/* Past the end of RAM, at the top of the 32-bit space, and below RAM. */
	a = RAM_BASE + (param.ram_mb << 20);
	(void)r32(a);
	report(r32(DEV_BASE + DEV_HOLE_LO) == a, "the word after RAM is no memory");
	w32(RAM_BASE - 4, 1);
	report(r32(DEV_BASE + DEV_HOLE_LO) == RAM_BASE - 4, "nor is the word before it");
	(void)r32(0xfffffffc);
	report(r32(DEV_BASE + DEV_HOLE_LO) == 0xfffffffc, "nor the last word");
	w32(RAM_BASE + (param.ram_mb << 20) - 4, 0x1234);
	report(r32(RAM_BASE + (param.ram_mb << 20) - 4) == 0x1234, "the last word of RAM is");
}

/*
 * Above 4 GiB, by LPAE tables: the IPA space has 40 bits. With argument 1 only: qemu-system-arm
 * cuts the address of a stage-2 walk to 32 bits, which qemu-system-aarch64 does not (testhost
 * --wide).
 */
static u64 l1[4] __attribute__((aligned(64)));

static void high_map(u64 ipa)
{
	for (u32 i = 0; i < 4; i++)
		l1[i] = (u64)i << 30 | 0x701 | (i == 1 ? 4 : 1ull << 54);
	l1[3] = (ipa & ~0x3fffffffull) | 0x701 | 1ull << 54;
	cache_clean_inval(l1, sizeof(l1));
	mmu_lpae_on();
	CP15_WRITE64(0, c2, (u32)l1);
	isb();
	CP15_WRITE(0, c8, c7, 0, 0);
	dsb();
	isb();
}

static void check_high(void)
{
	static const u64 at[] = { 0x100000000ull, 0xfffffff000ull, 0x8040000000ull };

	for (u32 i = 0; i < ARRAY_SIZE(at); i++) {
		u64 got;

		high_map(at[i]);
		(void)r32(0xc0000000u + (u32)(at[i] & 0x3fffffff) + 0x10);
		got = (u64)r32(DEV_BASE + DEV_HOLE_HI) << 32;
		got |= r32(DEV_BASE + DEV_HOLE_LO);
		report(got == at[i] + 0x10, "an access at %llx is the client's (%llx)", at[i] + 0x10,
		       got);
		mmu_on();
	}
}

static void check_prefetch(void)
{
	u32 n;

	/* The flat map has XN there: stage 1's fault comes first. */
	trap_begin();
	((void (*)(void))HOLE_BASE)();
	n = trap_end();
	report(n == 1 && trap[0].vec == VEC_PABT && (trap[0].fsr & 0x40f) == 0xd,
	       "a jump to memory marked XN is a permission fault (ifsr %x)", trap[0].fsr);
	/* Executable at stage 1, unmapped at stage 2. */
	mmu_map(0x5a000000, HOLE_BASE, MMU_NORMAL);
	trap_begin();
	((void (*)(void))0x5a000000)();
	n = trap_end();
	report(n == 1 && trap[0].vec == VEC_PABT && trap[0].far == 0x5a000000 &&
		       trap[0].pc == 0x5a000000,
	       "a jump to no memory is a prefetch abort (ifsr %x, ifar %x)", trap[0].fsr,
	       trap[0].far);
	report((trap[0].fsr & 0x40f) == 8, "and an external one (ifsr %x)", trap[0].fsr);
	mmu_map(0x5a000000, DEV_BASE, MMU_NORMAL);
	trap_begin();
	((void (*)(void))(0x5a000000 + DEV_SCRATCH))();
	n = trap_end();
	report(n == 1 && trap[0].vec == VEC_PABT, "so is a jump into a device");
	mmu_map(0x5a000000, GICD_BASE, MMU_NORMAL);
	trap_begin();
	((void (*)(void))0x5a000000)();
	n = trap_end();
	report(n == 1 && trap[0].vec == VEC_PABT, "and one into the distributor");
	mmu_map(0x5a000000, 0x5a000000, MMU_NORMAL);
}

/* A stage-1 table at an address without memory. */
static void check_table_walk(void)
{
	u32 n, was = page_table[0x5b0], dev;

	dev = r32(DEV_BASE + DEV_HOLES);
	page_table[0x5b0] = (HOLE_BASE & ~0x3ffu) | 1;
	cache_clean_inval(&page_table[0x5b0], 4);
	CP15_WRITE(0, c8, c7, 0, 0);
	dsb();
	isb();
	trap_begin();
	(void)r32(0x5b000000);
	n = trap_end();
	report(n == 1 && trap[0].vec == VEC_DABT, "a table walk into no memory is an abort (dfsr %x)",
	       trap[0].fsr);
	report(trap[0].far == 0x5b000000, "of the address that was walked for (%x)", trap[0].far);
	report(r32(DEV_BASE + DEV_HOLES) == dev, "which the client does not see");
	page_table[0x5b0] = was;
	cache_clean_inval(&page_table[0x5b0], 4);
	CP15_WRITE(0, c8, c7, 0, 0);
	dsb();
	isb();
}

/* Exception entry and return, by every instruction that returns. */
static void check_returns(void)
{
	u32 mode;

	asm volatile("cps %[from]\n\tadr lr, 1f\n\tmrs r0, cpsr\n\tbic r0, r0, %[mode]\n\t"
		     "orr r0, r0, %[svc]\n\tmsr spsr_cxsf, r0\n\tmovs pc, lr\n"
		     "1:\tmrs %0, cpsr" : "=r"(mode)
		     : [from] "i"(MODE_UND), [svc] "i"(MODE_SVC), [mode] "i"(CPSR_MODE)
		     : "r0", "lr", "memory");
	report((mode & CPSR_MODE) == MODE_SVC, "MOVS PC, LR returns to the mode in SPSR");
	asm volatile("cps %[from]\n\tadr r1, 1f\n\tmrs r0, cpsr\n\tbic r0, r0, %[mode]\n\t"
		     "orr r0, r0, %[svc]\n\tpush {r1}\n\tmsr spsr_cxsf, r0\n\tldm sp!, {pc}^\n"
		     "1:\tmrs %0, cpsr" : "=r"(mode)
		     : [from] "i"(MODE_ABT), [svc] "i"(MODE_SVC), [mode] "i"(CPSR_MODE)
		     : "r0", "r1", "memory");
	report((mode & CPSR_MODE) == MODE_SVC, "LDM {pc}^ returns to the mode in SPSR");
	asm volatile("cps %[from]\n\tadr r1, 1f\n\tmrs r0, cpsr\n\tbic r0, r0, %[mode]\n\t"
		     "orr r0, r0, %[svc]\n\tpush {r0}\n\tpush {r1}\n\trfeia sp!\n"
		     "1:\tmrs %0, cpsr" : "=r"(mode)
		     : [from] "i"(MODE_IRQ), [svc] "i"(MODE_SVC), [mode] "i"(CPSR_MODE)
		     : "r0", "r1", "memory");
	report((mode & CPSR_MODE) == MODE_SVC, "RFE returns to the mode that it pops");
}

/* An abort interrupts the instruction: its register and flags are unchanged. */
static void check_precise(void)
{
	u32 v, flags;

	mmu_map(0x5d000000, 0, MMU_FAULT);
	trap_begin();
	asm volatile("mov r0, #0x77\n\tcmp r0, #0x78\n\tldr r0, [%2]\n\tmrs %1, cpsr\n\tmov %0, r0"
		     : "=&r"(v), "=&r"(flags) : "r"(0x5d000000) : "r0", "cc", "memory");
	report(trap_end() == 1 && v == 0x77 && flags >> 31,
	       "an aborted load leaves its register and the flags");
	report((trap[0].cpsr & CPSR_MODE) == MODE_SVC && trap[0].cpsr >> 31,
	       "SPSR_abt is the CPSR before it");
	trap_begin();
	asm volatile("str %0, [%1]" :: "r"(1), "r"(0x5d000010) : "memory");
	report(trap_end() == 1 && trap[0].fsr >> 11 & 1, "DFSR.WnR tells of the write (%x)",
	       trap[0].fsr);
	mmu_map(0x5d000000, 0x5d000000, MMU_NORMAL);
}

void guest_main(void)
{
	mmu_on();
	if (on_vm()) {
		check_hole();
		if (param.arg[0])
			check_high();
	}
	check_precise();
	check_returns();
	if (on_vm()) {
		check_prefetch();
		check_table_walk();
	}
	guest_exit();
}
