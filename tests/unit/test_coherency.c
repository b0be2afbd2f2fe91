// SPDX-License-Identifier: GPL-2.0-only
// sources: tests/coherency/insn.c tests/coherency/machine.c tests/coherency/lines.c tests/coherency/walk.c tests/coherency/order.c tests/coherency/tables.c
// cflags: -Itests/coherency
/*
 * The rules of the coherency checker on events written by hand: each rule finds its fault, and
 * reports nothing for the same events in the right order.
 */
#include <stdlib.h>
#include <string.h>

#include "../guest/lib/board.h"
#include "ktap.h"
#include "machine.h"
#include "sysregs.h"

#define RAM		((uint64_t)RAM_BASE)
#define SIZE		(4u << 20)
#define KVA(pa)		((uint32_t)(pa) + 0x80000000u)	/* the host's linear map */
#define ROOT		(RAM + 0x10000)
#define L2		(RAM + 0x20000)
#define L3		(RAM + 0x21000)
#define PAGE		(RAM + 0x30000)
#define HYP_L1		(RAM + 0x40000)
#define HOST_L1		(RAM + 0x50000)
#define PC		0xbf000100u
#define VALID_TABLE	3ull
#define LEAF		0x4ffull	/* write-back, read and write, AF */
#define EPD		(TTBCR_EAE | TTBCR_EPD)

static struct machine m;
static char found[256];
static struct touch blamed;
static const char *said;

static void note(struct machine *machine, const char *rule, const char *what,
		 const struct touch *culprit, const struct touch *access, uint64_t pa)
{
	said = what;
	blamed = culprit ? *culprit : (struct touch){ 0 };
	if (strlen(found) + strlen(rule) + 2 < sizeof(found)) {
		if (found[0])
			strcat(found, " ");
		strcat(found, rule);
	}
}

static void put64(uint64_t pa, uint64_t val)
{
	memcpy(m.ram + (pa - RAM), &val, 8);
}

/* The host stores a descriptor, as the driver does. */
static void host_desc(unsigned int cpu, uint64_t pa, uint64_t val)
{
	put64(pa, val);
	machine_access(&m, cpu, PC, KVA(pa), pa, 8, true);
}

static void host_store(unsigned int cpu, uint64_t pa)
{
	machine_access(&m, cpu, PC, KVA(pa), pa, 4, true);
}

/* A client's, in its user space. */
static void user_store(unsigned int cpu, uint64_t pa)
{
	machine_access(&m, cpu, 0x10000, 0x40000, pa, 4, true);
}

static void host_load(unsigned int cpu, uint64_t pa)
{
	machine_access(&m, cpu, PC, KVA(pa), pa, 4, false);
}

/* By a flat map of the host's: its tables have one level, of 1 GiB blocks. */
static void host_op(unsigned int cpu, uint32_t reg, uint64_t pa)
{
	machine_cp_write(&m, cpu, PC, reg, (uint32_t)pa);
}

static void hyp(unsigned int cpu, uint32_t reg, uint64_t val)
{
	machine_cp_write(&m, cpu, PC, reg, val);
}

static void begin(void)
{
	unsigned int i;

	found[0] = 0;
	machine_init(&m, RAM, SIZE, 2);
	m.ram = calloc(1, SIZE);
	m.report = note;
	m.gich = GICH_BASE;
	for (i = 0; i < 4; i++)
		put64(HOST_L1 + i * 8, (uint64_t)i << 30 | 1);
	for (i = 0; i < 2; i++) {
		struct cpu *c = &m.cpus[i];

		c->sctlr = SCTLR_M | SCTLR_C | SCTLR_I;
		c->hsctlr = SCTLR_M | SCTLR_C | SCTLR_I;
		c->ttbcr = TTBCR_EAE;
		c->ttbr0 = HOST_L1;
		c->httbr = HYP_L1;
		c->prrr = 0xffff;
	}
}

static void end(void)
{
	free(m.ram);
	machine_exit(&m);
}

/* Enters a guest of @vmid and @root, in the order of the world switch; HCR's DC and VM as given. */
static void enter(unsigned int cpu, unsigned int vmid, uint64_t root, uint32_t vcpu,
		  uint32_t sctlr)
{
	m.cpus[cpu].vcpu = vcpu;
	machine_hyp_enter(&m, cpu);
	hyp(cpu, SYS_TTBCR, EPD);
	machine_isb(&m, cpu);
	hyp(cpu, SYS_VTTBR, (uint64_t)vmid << 48 | root);
	hyp(cpu, SYS_HCR, HCR_VM);
	machine_isb(&m, cpu);
	hyp(cpu, SYS_SCTLR, sctlr);
	hyp(cpu, SYS_TTBR0, 0);
	machine_isb(&m, cpu);
	hyp(cpu, SYS_TTBCR, TTBCR_EAE);
	machine_eret(&m, cpu, PC);
}

static void leave(unsigned int cpu)
{
	machine_hyp_enter(&m, cpu);
	hyp(cpu, SYS_TTBCR, EPD);
	machine_isb(&m, cpu);
	hyp(cpu, SYS_SCTLR, SCTLR_M | SCTLR_C | SCTLR_I);
	machine_isb(&m, cpu);
	hyp(cpu, SYS_HCR, 0);
	hyp(cpu, SYS_VTTBR, 0);
	machine_isb(&m, cpu);
	hyp(cpu, SYS_TTBR0, HOST_L1);
	machine_isb(&m, cpu);
	hyp(cpu, SYS_TTBCR, TTBCR_EAE);
	machine_eret(&m, cpu, PC);
}

/* Tables that map IPA 0 to PAGE, all of which walks have seen. */
static void map(unsigned int cpu)
{
	host_desc(cpu, L3, PAGE | LEAF);
	machine_dsb(&m, cpu);
	host_desc(cpu, L2, L3 | VALID_TABLE);
	machine_dsb(&m, cpu);
	host_desc(cpu, ROOT, L2 | VALID_TABLE);
	machine_dsb(&m, cpu);
}

static void tlbi(unsigned int cpu, uint32_t reg, unsigned int vmid, uint64_t root, bool before,
		 bool after)
{
	machine_hyp_enter(&m, cpu);
	if (before)
		machine_dsb(&m, cpu);
	hyp(cpu, SYS_TTBCR, EPD);
	machine_isb(&m, cpu);
	hyp(cpu, SYS_VTTBR, (uint64_t)vmid << 48 | root);
	machine_isb(&m, cpu);
	hyp(cpu, reg, 0);
	if (after)
		machine_dsb(&m, cpu);
	hyp(cpu, SYS_VTTBR, 0);
	machine_isb(&m, cpu);
	hyp(cpu, SYS_TTBCR, TTBCR_EAE);
	machine_isb(&m, cpu);
	machine_eret(&m, cpu, PC);
}

static void test_r1(void)
{
	begin();
	map(0);
	host_store(0, PAGE);
	enter(0, 1, ROOT, 0, 0);
	machine_access(&m, 0, 0, 4, PAGE + 4, 4, false);	/* not what was stored to */
	KTAP_STREQ(found, "");
	machine_access(&m, 0, 0, 0, PAGE, 4, false);
	KTAP_STREQ(found, "R1");
	leave(0);
	host_op(0, SYS_DCCIMVAC, PAGE);
	found[0] = 0;
	enter(0, 1, ROOT, 0, 0);
	machine_access(&m, 0, 0, 0, PAGE, 4, false);
	KTAP_STREQ(found, "");
	leave(0);
	host_store(0, PAGE);	/* the guest has the page: nobody gives it to it again */
	enter(0, 1, ROOT, 0, 0);
	machine_access(&m, 0, 0, 0, PAGE, 4, false);
	KTAP_STREQ(found, "R1");
	KTAP_TRUE(strstr(said, "to a live page"));
	leave(0);
	found[0] = 0;
	host_desc(0, L3, 0);
	tlbi(0, SYS_TLBIALLIS, 1, ROOT, true, true);
	host_store(0, PAGE);
	machine_dsb(&m, 0);
	host_desc(0, L3, PAGE | LEAF);
	machine_dsb(&m, 0);
	enter(0, 1, ROOT, 0, 0);
	machine_access(&m, 0, 0, 0, PAGE, 4, false);
	KTAP_STREQ(found, "R1");
	KTAP_TRUE(!strstr(said, "to a live page"));
	found[0] = 0;
	/* A guest with its caches on, and the default mapping of HCR.DC, reads them. */
	leave(0);
	host_store(0, PAGE);
	enter(0, 1, ROOT, 0, SCTLR_M | SCTLR_C);
	m.cpus[0].hcr |= HCR_DC;
	machine_access(&m, 0, 0, 0, PAGE, 4, false);
	KTAP_STREQ(found, "");
	end();
}

static void test_r1_fetch(void)
{
	begin();
	map(0);
	host_store(0, PAGE);
	enter(0, 1, ROOT, 0, 0);
	machine_fetch(&m, 0, 0, PAGE, 8);
	KTAP_STREQ(found, "R1");
	end();
}

static void test_r2(void)
{
	begin();
	map(0);
	enter(0, 1, ROOT, 0, 0);
	machine_access(&m, 0, 0, 8, PAGE + 8, 4, true);
	leave(0);
	KTAP_TRUE(!machine_plain_load(&m, 0, PAGE));
	KTAP_TRUE(machine_plain_load(&m, 0, PAGE + MACHINE_LINE));
	host_load(0, PAGE);		/* other bytes of the line */
	KTAP_STREQ(found, "");
	/* Through the client's own mapping: that is the client's business. */
	machine_access(&m, 0, 0x10000, 0x20008, PAGE + 8, 4, false);
	KTAP_STREQ(found, "");
	host_load(0, PAGE + 8);
	KTAP_STREQ(found, "R2");
	KTAP_TRUE(strstr(said, "to a live page"));
	found[0] = 0;
	host_desc(0, L3, 0);
	tlbi(0, SYS_TLBIALLIS, 1, ROOT, true, true);
	host_load(0, PAGE + 8);
	KTAP_STREQ(found, "R2");
	KTAP_TRUE(!strstr(said, "to a live page"));
	found[0] = 0;
	host_op(0, SYS_DCCMVAC, PAGE + 8);	/* no invalidation: the stale line stays */
	host_load(0, PAGE + 8);
	KTAP_STREQ(found, "R2");
	found[0] = 0;
	host_op(0, SYS_DCCIMVAC, PAGE);
	host_load(0, PAGE + 8);
	KTAP_STREQ(found, "");
	end();
}

/* The driver maintains a guest that turns its caches on for as long as it traps that. */
static void test_r2_guest(void)
{
	unsigned int tvm;

	for (tvm = 0; tvm < 2; tvm++) {
		begin();
		m.check_guest = true;
		map(0);
		enter(0, 1, ROOT, 0, 0);
		if (tvm)
			m.cpus[0].hcr |= HCR_TVM;
		machine_access(&m, 0, 0, 0, PAGE, 4, true);
		m.cpus[0].hcr = (m.cpus[0].hcr & ~HCR_TVM) | HCR_DC;
		machine_access(&m, 0, 0, 0, PAGE, 4, false);
		KTAP_STREQ(found, tvm ? "R2" : "");
		end();
	}
}

static void guest_runs(unsigned int cpu)
{
	enter(cpu, 1, ROOT, cpu, SCTLR_I);
	machine_fetch(&m, cpu, 0x20, PAGE + 0x20, 8);
	leave(cpu);
}

static void test_r3(void)
{
	begin();
	map(0);
	host_store(0, PAGE + 0x20);
	guest_runs(0);
	KTAP_STREQ(found, "R3");	/* not cleaned */
	found[0] = 0;
	host_op(0, SYS_DCCIMVAC, PAGE);
	machine_dsb(&m, 0);
	guest_runs(0);
	KTAP_STREQ(found, "R3");	/* not invalidated */
	found[0] = 0;
	host_op(0, SYS_ICIALLU, 0);
	guest_runs(0);
	KTAP_STREQ(found, "");
	guest_runs(1);
	KTAP_STREQ(found, "R3");	/* on the other CPU */
	found[0] = 0;
	host_op(0, SYS_ICIMVAU, PAGE);
	guest_runs(1);
	KTAP_STREQ(found, "");
	/* The I-cache first, and then the clean: a fill in between reads the old contents. */
	host_store(0, PAGE + 0x20);
	host_op(0, SYS_ICIALLUIS, 0);
	machine_dsb(&m, 0);
	host_op(0, SYS_DCCMVAU, PAGE + 0x20);
	machine_dsb(&m, 0);
	guest_runs(0);
	KTAP_STREQ(found, "R3");
	end();
}

/* The rest of what crosses the end of a page is not in the physical page that comes next. */
static void test_across_pages(void)
{
	begin();
	map(0);
	host_store(0, PAGE + MACHINE_PAGE);
	enter(0, 1, ROOT, 0, SCTLR_I);
	machine_fetch(&m, 0, MACHINE_PAGE - 2, PAGE + MACHINE_PAGE - 2, 4);
	KTAP_STREQ(found, "");
	leave(0);
	enter(0, 1, ROOT, 0, 0);
	machine_access(&m, 0, 0, MACHINE_PAGE - 2, PAGE + MACHINE_PAGE - 2, 4, false);
	KTAP_STREQ(found, "");
	/* A store there hides nothing of the other page's. */
	machine_access(&m, 0, 0, MACHINE_PAGE - 2, PAGE + MACHINE_PAGE - 2, 4, true);
	machine_access(&m, 0, 0, MACHINE_PAGE, PAGE + MACHINE_PAGE, 4, false);
	KTAP_STREQ(found, "R1");
	end();
}

/* The Cortex-A7's I-cache has lines of 32 bytes, and the colour of an address matters. */
static void test_r3_vipt(void)
{
	begin();
	machine_icache_vipt(&m, 1);
	map(0);
	host_store(0, PAGE + 0x20);
	host_op(0, SYS_DCCIMVAC, PAGE);
	machine_dsb(&m, 0);
	host_op(0, SYS_ICIMVAU, PAGE);
	guest_runs(0);
	KTAP_STREQ(found, "");
	guest_runs(1);
	KTAP_STREQ(found, "R3");	/* the other half of 64 bytes */
	found[0] = 0;
	host_op(0, SYS_ICIMVAU, PAGE + 0x20);
	guest_runs(1);
	KTAP_STREQ(found, "");
	enter(1, 1, ROOT, 1, SCTLR_I);
	machine_fetch(&m, 1, 0x1020, PAGE + 0x20, 8);
	KTAP_STREQ(found, "R3");	/* under another colour */
	leave(1);
	found[0] = 0;
	host_op(0, SYS_ICIALLUIS, 0);
	enter(1, 1, ROOT, 1, SCTLR_I);
	machine_fetch(&m, 1, 0x1020, PAGE + 0x20, 8);
	KTAP_STREQ(found, "");
	end();
}

static void test_r4(void)
{
	begin();
	map(0);
	enter(0, 1, ROOT, 0, 0);
	leave(0);
	KTAP_STREQ(found, "");
	host_desc(0, L3 + 8, (PAGE + MACHINE_PAGE) | LEAF);
	enter(0, 1, ROOT, 0, 0);
	KTAP_STREQ(found, "R4");	/* entry */
	leave(0);
	found[0] = 0;
	host_desc(0, L3 + 8, 0);
	tlbi(0, SYS_TLBIALLIS, 1, ROOT, false, true);
	KTAP_STREQ(found, "R4");	/* TLBI */
	found[0] = 0;
	host_store(0, RAM + 0x22000);
	host_desc(0, L2 + 8, (RAM + 0x22000) | VALID_TABLE);
	KTAP_STREQ(found, "R4");	/* link */
	found[0] = 0;
	host_store(0, RAM + 0x23000);
	machine_dsb(&m, 0);
	host_desc(0, L2 + 16, (RAM + 0x23000) | VALID_TABLE);
	machine_dsb(&m, 0);
	enter(0, 1, ROOT, 0, 0);
	KTAP_STREQ(found, "");
	end();
}

static void test_r5(void)
{
	begin();
	map(0);
	enter(0, 1, ROOT, 0, 0);
	leave(0);
	host_desc(0, L3, (PAGE | LEAF) & ~(1ull << 10));	/* access flag */
	host_desc(0, L3, PAGE | LEAF | 1ull << 54);		/* XN */
	machine_dsb(&m, 0);
	KTAP_STREQ(found, "");
	host_desc(0, L3, (PAGE + MACHINE_PAGE) | LEAF);
	KTAP_STREQ(found, "R5");
	found[0] = 0;
	host_desc(0, L3, ((PAGE + MACHINE_PAGE) | LEAF) & ~(0xfull << 2));
	KTAP_STREQ(found, "R5");	/* its memory type */
	found[0] = 0;
	host_desc(0, L2, RAM_BASE | 0x4fd);
	KTAP_STREQ(found, "R5");	/* a table becomes a block */
	end();
}

static void test_r6(void)
{
	begin();
	map(0);
	enter(0, 1, ROOT, 0, 0);
	leave(0);
	host_desc(0, L3, 0);
	machine_dsb(&m, 0);
	enter(0, 1, ROOT, 0, 0);
	KTAP_STREQ(found, "R6");	/* no TLBI */
	leave(0);

	found[0] = 0;
	map(0);
	host_desc(0, L3, 0);
	tlbi(0, SYS_TLBIALLIS, 1, ROOT, true, false);
	enter(0, 1, ROOT, 0, 0);
	KTAP_STREQ(found, "R6");	/* no DSB after it */
	leave(0);

	found[0] = 0;
	map(0);
	host_desc(0, L3, 0);
	tlbi(0, SYS_TLBIALL, 1, ROOT, true, true);
	enter(0, 1, ROOT, 0, 0);
	KTAP_STREQ(found, "R6");	/* on this CPU alone */
	leave(0);

	found[0] = 0;
	map(0);
	host_desc(0, L3, 0);
	host_store(0, PAGE);
	KTAP_STREQ(found, "R6");	/* the page has a new owner */

	found[0] = 0;
	map(0);
	host_desc(0, L3, 0);
	KTAP_TRUE(!machine_plain_load(&m, 1, PAGE));
	host_load(1, PAGE);
	KTAP_STREQ(found, "");		/* another CPU knows nothing of it yet */
	host_load(0, PAGE + 16);
	KTAP_STREQ(found, "R6");	/* what the guest may still write is taken for final */

	found[0] = 0;
	map(0);
	host_desc(0, L3, 0);
	user_store(1, PAGE + MACHINE_PAGE);
	host_load(1, PAGE);
	KTAP_STREQ(found, "");		/* that was the other CPU's user */
	user_store(0, PAGE + MACHINE_PAGE);
	KTAP_STREQ(found, "");
	host_load(1, PAGE);
	KTAP_STREQ(found, "R6");	/* the CPU that took it is done with it */
	found[0] = 0;
	map(0);
	host_desc(0, L3, 0);
	tlbi(0, SYS_TLBIALLIS, 1, ROOT, true, true);
	host_load(0, PAGE + 16);
	KTAP_STREQ(found, "");

	found[0] = 0;
	map(0);
	host_desc(0, L2, 0);
	host_store(0, L3);
	KTAP_STREQ(found, "R6");	/* so has the table */
	tlbi(0, SYS_TLBIALLIS, 1, ROOT, true, true);

	found[0] = 0;
	map(0);
	host_desc(0, L3, 0);
	tlbi(0, SYS_TLBIALLIS, 1, ROOT, true, true);
	host_store(0, PAGE);
	host_desc(0, L2, 0);
	tlbi(0, SYS_TLBIALLNSNHIS, 0, 0, true, true);
	host_store(0, L3);
	enter(0, 1, ROOT, 0, 0);
	KTAP_STREQ(found, "");
	leave(0);
	/* It is not writable any more: the TLBs have to be flushed for that, too. */
	map(0);
	host_desc(0, L3, (PAGE | LEAF) & ~(1ull << 7));
	machine_dsb(&m, 0);
	enter(0, 1, ROOT, 0, 0);
	KTAP_STREQ(found, "R6");
	end();
}

static void test_r7(void)
{
	begin();
	enter(0, 1, ROOT, 0, 0);
	leave(0);
	enter(0, 2, ROOT + 0x2000, 0, 0);
	leave(0);
	enter(0, 1, ROOT, 0, 0);
	leave(0);
	KTAP_STREQ(found, "");
	enter(1, 1, ROOT + 0x2000, 1, 0);
	KTAP_STREQ(found, "R7");
	leave(1);
	found[0] = 0;
	enter(0, 1, ROOT + 0x2000, 1, 0);	/* another VM's vCPU, not another of the VM */
	KTAP_STREQ(found, "");
	leave(0);
	enter(1, 1, ROOT, 1, 0);
	KTAP_STREQ(found, "R7");
	KTAP_EQ(blamed.pc, PC);		/* where VTTBR had the number before */
	KTAP_EQ(blamed.cpu, 0);
	leave(1);
	found[0] = 0;
	/* Only CPU1 is flushed; CPU0 may still have entries. */
	tlbi(1, SYS_TLBIALLNSNH, 0, 0, true, true);
	enter(1, 1, ROOT + 0x2000, 1, 0);
	KTAP_STREQ(found, "R7");
	leave(1);
	found[0] = 0;
	tlbi(0, SYS_TLBIALLNSNHIS, 0, 0, true, true);
	enter(1, 1, ROOT, 1, 0);
	leave(1);
	KTAP_STREQ(found, "");
	/* Each CPU for itself, when it is taken over. */
	enter(0, 1, ROOT, 1, 0);
	leave(0);
	tlbi(0, SYS_TLBIALLNSNH, 0, 0, true, true);
	tlbi(1, SYS_TLBIALLNSNH, 0, 0, true, true);
	enter(0, 1, ROOT + 0x2000, 0, 0);
	KTAP_STREQ(found, "");
	end();
}

static void test_r8(void)
{
	begin();
	enter(0, 1, ROOT, 0x80000000, 0);
	leave(0);
	enter(1, 1, ROOT, 0x80000001, 0);	/* on another CPU */
	leave(1);
	tlbi(0, SYS_TLBIALL, 1, ROOT, true, true);
	enter(0, 1, ROOT, 0x80000001, 0);
	leave(0);
	KTAP_STREQ(found, "");
	enter(0, 1, ROOT, 0x80000000, 0);
	KTAP_STREQ(found, "R8");
	KTAP_EQ(blamed.pc, PC);
	end();
}

static void test_r9_walks(void)
{
	static const uint32_t regs[] = { SYS_VTTBR, SYS_HCR, SYS_TTBR0, SYS_TTBR1, SYS_CONTEXTIDR };
	unsigned int i;

	for (i = 0; i < 5; i++) {
		begin();
		machine_hyp_enter(&m, 0);
		hyp(0, regs[i], HCR_VM);
		KTAP_STREQ(found, "R9");
		found[0] = 0;
		hyp(0, SYS_TTBCR, EPD);
		hyp(0, regs[i], regs[i] == SYS_HCR ? 0 : HCR_VM);
		KTAP_STREQ(found, "R9");	/* no ISB between */
		machine_isb(&m, 0);
		found[0] = 0;
		hyp(0, regs[i], HCR_VM);
		machine_isb(&m, 0);
		hyp(0, SYS_TTBCR, TTBCR_EAE);
		KTAP_STREQ(found, "");
		hyp(0, SYS_TTBCR, EPD);
		machine_isb(&m, 0);
		hyp(0, regs[i], regs[i] == SYS_HCR ? 0 : HCR_VM);
		hyp(0, SYS_TTBCR, TTBCR_EAE);
		KTAP_STREQ(found, "R9");	/* no ISB after */
		end();
	}
}

static void test_r9_short(void)
{
	begin();
	m.cpus[0].ttbcr = 0;
	machine_hyp_enter(&m, 0);
	hyp(0, SYS_TTBCR, TTBCR_PD & ~(1u << 5));
	machine_isb(&m, 0);
	hyp(0, SYS_TTBR0, 0);
	KTAP_STREQ(found, "R9");	/* one of the two is on */
	found[0] = 0;
	hyp(0, SYS_TTBCR, TTBCR_PD);
	machine_isb(&m, 0);
	hyp(0, SYS_TTBR0, 0);
	KTAP_STREQ(found, "");
	end();
}

static void test_r9_flat(void)
{
	begin();
	enter(0, 1, ROOT, 0, 0);
	machine_hyp_enter(&m, 0);
	hyp(0, SYS_TTBCR, EPD);
	machine_isb(&m, 0);
	hyp(0, SYS_HCR, 0);
	KTAP_STREQ(found, "R9");
	end();
}

static void test_r9_others(void)
{
	begin();
	machine_hyp_enter(&m, 0);
	hyp(0, SYS_HCPTR, 0);
	machine_fp(&m, 0, PC);
	KTAP_STREQ(found, "R9");
	found[0] = 0;
	machine_isb(&m, 0);
	machine_fp(&m, 0, PC);
	KTAP_STREQ(found, "");
	machine_access(&m, 0, PC, 0xf0000030, GICH_BASE + 0x30, 4, false);
	KTAP_STREQ(found, "R9");	/* ELRSR */
	found[0] = 0;
	machine_cp_read(&m, 0, PC, SYS_ISR);
	KTAP_STREQ(found, "R9");
	found[0] = 0;
	machine_isb(&m, 0);
	machine_dsb(&m, 0);
	machine_cp_read(&m, 0, PC, SYS_ISR);
	KTAP_STREQ(found, "R9");	/* the ISB came first */
	found[0] = 0;
	machine_isb(&m, 0);
	machine_cp_read(&m, 0, PC, SYS_ISR);
	machine_access(&m, 0, PC, 0xf0000030, GICH_BASE + 0x30, 4, false);
	KTAP_STREQ(found, "");
	end();
}

static void test_r10(void)
{
	begin();
	machine_hyp_enter(&m, 0);
	machine_access(&m, 0, PC, PC, PAGE, 4, false);
	KTAP_STREQ(found, "");
	hyp(0, SYS_HSCTLR, 0);
	machine_access(&m, 0, 0x40200000, 0, PAGE, 4, false);	/* the kernel's stub */
	KTAP_STREQ(found, "");
	hyp(0, SYS_HTTBR, HYP_L1);
	machine_access(&m, 0, PC, (uint32_t)PAGE, PAGE, 4, true);
	KTAP_STREQ(found, "R10");
	end();
}

static void expect(uint32_t bits, bool thumb, enum insn_kind kind, uint32_t reg)
{
	struct insn i = insn_decode(bits, thumb);

	KTAP_EQ(i.kind, kind);
	if (reg)
		KTAP_EQ(i.reg, reg);
}

/* Encodings of the assembler. */
static void test_insn(void)
{
	expect(0xee070f3e, false, INSN_MCR, SYS_DCCIMVAC);
	expect(0xee070f3e, true, INSN_MCR, SYS_DCCIMVAC);
	expect(0xee1c0f11, false, INSN_MRC, SYS_ISR);
	expect(0xec432f42, false, INSN_MCRR, SYS_HTTBR);
	expect(0xec432f62, false, INSN_MCRR, SYS_VTTBR);
	expect(0xf57ff04f, false, INSN_DSB, 0);
	expect(0xf57ff04a, false, INSN_DSB, 0);
	expect(0xf57ff05b, false, INSN_DMB, 0);
	expect(0xf57ff06f, false, INSN_ISB, 0);
	expect(0xf3bf8f4f, true, INSN_DSB, 0);
	expect(0xf3bf8f6f, true, INSN_ISB, 0);
	expect(0xe160006e, false, INSN_ERET, 0);
	expect(0xf3de8f00, true, INSN_ERET, 0);
	expect(0xecb00b20, false, INSN_FP, 0);	/* vldmia */
	expect(0xeef80a10, false, INSN_FP, 0);	/* vmrs fpexc */
	expect(0xf4200a8f, false, INSN_FP, 0);	/* vld1 */
	expect(0xe1c020f0, false, INSN_OTHER, 0);	/* strd */
	expect(0xef000000, false, INSN_OTHER, 0);	/* svc */
	KTAP_EQ(insn_decode(0x0e070f3e, false).cond, 0);
	KTAP_TRUE(insn_cond_holds(0, 1u << 30) && !insn_cond_holds(1, 1u << 30));
	KTAP_TRUE(insn_cond_holds(10, 1u << 31 | 1u << 28) && insn_cond_holds(11, 1u << 31));
	KTAP_TRUE(insn_cond_holds(8, 1u << 29) && !insn_cond_holds(8, 3u << 29));
	KTAP_TRUE(insn_cond_holds(14, 0));
}

KTAP_MAIN(KTAP_CASE(test_r1), KTAP_CASE(test_r1_fetch), KTAP_CASE(test_r2),
	  KTAP_CASE(test_r2_guest), KTAP_CASE(test_r3), KTAP_CASE(test_across_pages),
	  KTAP_CASE(test_r3_vipt), KTAP_CASE(test_r4),
	  KTAP_CASE(test_r5), KTAP_CASE(test_r6), KTAP_CASE(test_r7), KTAP_CASE(test_r8),
	  KTAP_CASE(test_r9_walks), KTAP_CASE(test_r9_short), KTAP_CASE(test_r9_flat),
	  KTAP_CASE(test_r9_others), KTAP_CASE(test_r10), KTAP_CASE(test_insn))
