// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/regs/cp15_table.c
// cflags: -Itests/unit/fake -Iinclude/uapi -Idriver
//
// The cp15 tables: order, what the client sees of them, and how a trap finds
// its entry. The ids are those that KVM/arm gave.
#include "arch/archregs.h"
#include "regs/cp15_table.h"
#include "hyp/hyp.h"
#include "fake/fake_kernel.h"
#include "ktap.h"

/* The handlers are not called here: each stands for its own number. */
#define STUB(name, n)								\
	CP15_ACCESS(name)							\
	{									\
		a->val = (n);							\
		return CP15_DONE;						\
	}
STUB(vm, 1)
STUB(saved, 2)
STUB(raz_wi, 3)
STUB(raz_ro, 4)
STUB(set_way, 5)
STUB(pmu, 10)
STUB(cntpct, 9)
STUB(cntp_ctl, 6)
STUB(cntp_tval, 7)
STUB(cntp_cval, 8)

static void test_sorted(void)
{
	KTAP_TRUE(cp15_sorted(cp15_regs, cp15_nr_regs));
	KTAP_TRUE(cp15_sorted(cp15_invariants, cp15_nr_invariants));
}

static void test_find(void)
{
	for (unsigned int i = 0; i < cp15_nr_regs; i++)
		KTAP_TRUE(cp15_find(cp15_regs, cp15_nr_regs, cp15_reg_key(&cp15_regs[i])) ==
			  &cp15_regs[i]);
	KTAP_TRUE(!cp15_find(cp15_regs, cp15_nr_regs, cp15_key(15, 15, 7, 7, false)));
	KTAP_TRUE(!cp15_find(cp15_regs, cp15_nr_regs, 0));
	KTAP_TRUE(!cp15_find(cp15_regs, 0, cp15_reg_key(&cp15_regs[0])));
}

/* Each word of struct hyp_vcpu.cp15 can be saved, and has a value at reset. */
static void test_all_saved(void)
{
	bool seen[CP15_NR] = {};

	for (unsigned int i = 0; i < cp15_nr_regs; i++) {
		const struct cp15_reg *r = &cp15_regs[i];

		if (r->index == CP15_NOT_SAVED) {
			KTAP_TRUE(r->access);
			KTAP_TRUE(r->reset == CP15_RESET_NONE);
			continue;
		}
		KTAP_TRUE(r->index >= 0 && r->index + r->is64 < CP15_NR);
		KTAP_TRUE(r->reset != CP15_RESET_NONE);
		seen[r->index] = true;
		if (r->is64)
			seen[r->index + 1] = true;
	}
	for (int i = 0; i < CP15_NR; i++)
		if (!seen[i])
			KTAP_FAIL("word %d is in no entry", i);
}

static void test_ids_round_trip(void)
{
	u32 key;

	for (unsigned int i = 0; i < cp15_nr_regs; i++) {
		KTAP_TRUE(cp15_id_key(cp15_reg_id(&cp15_regs[i]), &key));
		KTAP_EQ(key, cp15_reg_key(&cp15_regs[i]));
	}
}

/* Numbers that are compiled into clients of KVM/arm. */
static void test_ids_abi(void)
{
	static const struct {
		u64 id;
		int index;
	} want[] = {
		{ 0x40200000000f0005ULL, CP15_MPIDR },
		{ 0x40200000000f0800ULL, CP15_SCTLR },
		{ 0x40200000000f0801ULL, CP15_ACTLR },
		{ 0x40300000000f0100ULL, CP15_TTBR0 },
		{ 0x40300000000f0108ULL, CP15_TTBR1 },
		{ 0x40300000000f0380ULL, CP15_PAR },
		{ 0x40200000000f6000ULL, CP15_VBAR },
		{ 0x40200000000f6801ULL, CP15_CONTEXTIDR },
		{ 0x40200000000f7080ULL, CP15_CNTKCTL },
		{ 0x40200000000f480aULL, CP15_L2CTLR },
	};
	const struct cp15_reg *r;
	u32 key;

	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		r = cp15_id_key(want[i].id, &key) ? cp15_find(cp15_regs, cp15_nr_regs, key) : NULL;
		if (!r || r->index != want[i].index)
			KTAP_FAIL("id %llx", (unsigned long long)want[i].id);
	}
}

static void test_ids_refused(void)
{
	static const u64 bad[] = {
		0x40200000100f0800ULL,	/* the secure bank */
		0x40300000000f0800ULL,	/* 64 bits wide, with CRn */
		0x40300000000f0101ULL,	/* with opc2 */
		0x40100000000f0800ULL,	/* 16 bits wide */
		0x40400000000f0800ULL,	/* 128 bits wide */
		0x40200000000f8800ULL,	/* a bit that no field has */
		0x40200000000e0800ULL,	/* cp14 */
		0x4020000000100800ULL,	/* the core registers' group */
	};
	u32 key;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (cp15_id_key(bad[i], &key))
			KTAP_FAIL("id %llx", (unsigned long long)bad[i]);
}

static void check_trap32(u32 hsr, u64 answer, bool write)
{
	const struct cp15_reg *r;
	struct cp15_access a;

	cp15_decode32(hsr, &a);
	r = cp15_find(cp15_regs, cp15_nr_regs, cp15_key(a.crn, a.crm, a.op1, a.op2, a.is64));
	if (!r || !r->access || r->access(NULL, &a, r) != CP15_DONE || a.val != answer ||
	    a.is_write != write)
		KTAP_FAIL("HSR %x: answer %llu", hsr, (unsigned long long)a.val);
}

static u32 hsr32(u32 op1, u32 rt, u32 crn, u32 crm, u32 op2, bool read)
{
	return op2 << 17 | op1 << 14 | crn << 10 | rt << 5 | crm << 1 | read;
}

static void test_traps(void)
{
	struct cp15_access a;

	check_trap32(hsr32(0, 3, 1, 0, 1, true), 2, false);	/* ACTLR */
	check_trap32(hsr32(0, 3, 1, 0, 0, false), 1, true);	/* SCTLR */
	check_trap32(hsr32(0, 3, 7, 14, 2, false), 5, true);	/* DCCISW */
	check_trap32(hsr32(0, 3, 9, 13, 0, true), 10, false);	/* PMCCNTR */
	check_trap32(hsr32(4, 3, 15, 0, 0, true), 4, false);	/* CBAR */
	check_trap32(hsr32(0, 3, 15, 0, 1, true), 3, false);	/* diagnostic register */
	check_trap32(hsr32(0, 3, 14, 2, 1, false), 6, true);	/* CNTP_CTL */
	check_trap32(hsr32(1, 3, 9, 0, 2, true), 2, false);	/* L2CTLR */

	cp15_decode32(hsr32(1, 12, 9, 10, 5, true), &a);
	KTAP_EQ(a.rt, 12);
	KTAP_EQ(a.op1, 1);
	KTAP_EQ(a.crn, 9);
	KTAP_EQ(a.crm, 10);
	KTAP_EQ(a.op2, 5);

	/* MRRC p15, 0, r4, r5, c14: CNTPCT */
	cp15_decode64(5u << 10 | 4u << 5 | 14u << 1 | 1, &a);
	KTAP_TRUE(cp15_find(cp15_regs, cp15_nr_regs,
			    cp15_key(a.crn, a.crm, a.op1, a.op2, true))->access ==
		  cp15_access_cntpct);
	/* MRRC p15, 2, r4, r5, c14: CNTP_CVAL */
	cp15_decode64(2u << 16 | 5u << 10 | 4u << 5 | 14u << 1 | 1, &a);
	KTAP_EQ(a.rt, 4);
	KTAP_EQ(a.rt2, 5);
	KTAP_TRUE(a.is64 && !a.is_write);
	KTAP_TRUE(cp15_find(cp15_regs, cp15_nr_regs,
			    cp15_key(a.crn, a.crm, a.op1, a.op2, true))->access ==
		  cp15_access_cntp_cval);
}

/* SCTLR at reset: MMU, caches and alignment checks off (B4.1.130). */
static void test_reset_values(void)
{
	const struct cp15_reg *r = cp15_find(cp15_regs, cp15_nr_regs, cp15_key(1, 0, 0, 0, false));

	KTAP_EQ(r->value & (SCTLR_M | 2 | SCTLR_C | SCTLR_I | SCTLR_V | SCTLR_EE | SCTLR_TE), 0);
	KTAP_EQ(r->value, 0x00c50078);
	r = cp15_find(cp15_regs, cp15_nr_regs, cp15_key(2, 0, 0, 2, false));
	KTAP_EQ(r->value, 0);
}

KTAP_MAIN(KTAP_CASE(test_sorted), KTAP_CASE(test_find), KTAP_CASE(test_all_saved),
	  KTAP_CASE(test_ids_round_trip), KTAP_CASE(test_ids_abi), KTAP_CASE(test_ids_refused),
	  KTAP_CASE(test_traps), KTAP_CASE(test_reset_values))
