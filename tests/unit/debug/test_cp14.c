// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/debug/cp14.c
// cflags: -Itests/unit/fake -Iinclude/uapi -Idriver
//
// The guest's own debug registers: what PL0 and PL1 find, what the hardware gets
// of them, ONE_REG; and which registers a client may load (debug_check.h). DDI
// 0406C C3.3, C6.4, C6.5, C11.11.
#include <errno.h>

#include "debug/cp14.h"
#include "arch/dbgregs.h"
#include "arch/debug_check.h"
#include "ktap.h"

#define OSLAR		1, 0, 4
#define OSLSR		1, 1, 4
#define OSDLR		1, 3, 4
#define PRSR		1, 5, 4
#define DIDR		0, 0, 0
#define DSCRINT		0, 1, 0
#define DSCREXT		0, 2, 2
#define DTRINT		0, 5, 0
#define VCR		0, 7, 0
#define DRAR		1, 0, 0
#define DSAR		2, 0, 0
#define CLAIMSET	7, 8, 6
#define CLAIMCLR	7, 9, 6
#define AUTHSTATUS	7, 14, 6
#define DEVID		7, 2, 7

/* Six breakpoints, of which two compare contexts, and four watchpoints: a Cortex-A15. */
static const struct armvmm_debug_host a15 = {
	.didr = 0x3515f021, .devid = 0x01110f13, .nr_brp = 6, .nr_wrp = 4,
};

static struct armvmm_cp14 g;
static struct hyp_debug_regs regs;

static struct cp15_access access_of(u8 crn, u8 crm, u8 op2)
{
	return (struct cp15_access) { .crn = crn, .crm = crm, .op2 = op2 };
}

static void wr(u8 crn, u8 crm, u8 op2, u32 val)
{
	struct cp15_access a = access_of(crn, crm, op2);

	a.is_write = true;
	a.val = val;
	KTAP_EQ(cp14_access(&g, &a15, &a, false), CP15_DONE);
}

static u32 rd(u8 crn, u8 crm, u8 op2)
{
	struct cp15_access a = access_of(crn, crm, op2);

	a.val = 0xdeadbeef;
	KTAP_EQ(cp14_access(&g, &a15, &a, false), CP15_DONE);
	return (u32)a.val;
}

static void test_reset(void)
{
	memset(&g, 0xff, sizeof(g));
	cp14_reset(&g);
	KTAP_EQ(rd(DIDR), 0x3515d021);		/* no PC sampling */
	KTAP_EQ(rd(OSLSR), 0xa);
	KTAP_EQ(rd(OSDLR), 0);
	KTAP_EQ(rd(PRSR), 0x21);
	KTAP_EQ(rd(DSCRINT), 0x70002);
	KTAP_EQ(rd(DSCREXT), 0x70002);
	KTAP_EQ(rd(VCR), 0);
	KTAP_EQ(rd(CLAIMSET), 0xff);
	KTAP_EQ(rd(CLAIMCLR), 0);
	KTAP_EQ(rd(AUTHSTATUS), 0xaf);
	KTAP_EQ(rd(DEVID), 0x100f10);		/* nor a HYP mode's debugging (VirtExtns) */
	for (u8 n = 0; n < 16; n++)
		for (u8 op2 = 4; op2 < 8; op2++)
			KTAP_EQ(rd(0, n, op2), 0);
	KTAP_TRUE(!cp14_load(&g, &a15, &regs));
}

static void test_storage(void)
{
	static const u32 masks[] = { 0xffffffff, 0x007fc1e7, 0xfffffffc, 0x1f1fdfff };

	cp14_reset(&g);
	for (u8 op2 = 4; op2 < 8; op2++)
		for (u8 n = 0; n < 16; n++)
			wr(0, n, op2, 0xffffff00u | n << 4 | op2);
	for (u8 op2 = 4; op2 < 8; op2++)
		for (u8 n = 0; n < 16; n++)
			KTAP_EQ(rd(0, n, op2), n < (op2 < 6 ? 6 : 4) ?
				((0xffffff00u | n << 4 | op2) & masks[op2 - 4]) : 0);
	wr(DSCREXT, 0xffffffff);
	KTAP_EQ(rd(DSCREXT), 0x7903e);
	wr(DSCRINT, 0);
	KTAP_EQ(rd(DSCRINT), 0x7903e);
	wr(VCR, 0xffffffff);
	KTAP_EQ(rd(VCR), 0xc6000000);
	wr(OSLAR, 0);
	KTAP_EQ(rd(OSLSR), 0x8);
	wr(OSLAR, 0xc5acce55);
	KTAP_EQ(rd(OSLSR), 0xa);
	wr(OSLAR, 0xc5acce54);
	KTAP_EQ(rd(OSLSR), 0x8);
	wr(OSLSR, 0xffffffff);
	KTAP_EQ(rd(OSLSR), 0x8);
	wr(OSDLR, 0xffffffff);
	KTAP_EQ(rd(OSDLR), 1);
	KTAP_EQ(rd(PRSR), 0x41);
	wr(PRSR, 0);
	KTAP_EQ(rd(PRSR), 0x41);
	wr(CLAIMSET, 0x1f5);
	wr(CLAIMCLR, 0x04);
	KTAP_EQ(rd(CLAIMCLR), 0xf1);
	wr(DIDR, 0);
	KTAP_EQ(rd(DIDR), 0x3515d021);
	/* The channel to a debugger, which does not exist, and the ROM table. */
	wr(DTRINT, 0x55);
	KTAP_EQ(rd(DTRINT), 0);
	KTAP_EQ(rd(DRAR) | rd(DSAR), 0);
}

static void test_pl0(void)
{
	cp14_reset(&g);
	for (u32 udccdis = 0; udccdis < 2; udccdis++) {
		unsigned int reads = 0, writes = 0;

		wr(DSCREXT, udccdis << 12);
		for (u32 i = 0; i < 16 * 16 * 8; i++) {
			struct cp15_access a = access_of(i >> 7, i >> 3 & 15, i & 7);

			reads += cp14_access(&g, &a15, &a, true) == CP15_DONE;
			a.is_write = true;
			a.val = 0;
			writes += cp14_access(&g, &a15, &a, true) == CP15_DONE;
		}
		/* DBGDIDR, DBGDSCRint, DBGDRAR, DBGDSAR and DBGDTRRXint; DBGDTRTXint */
		KTAP_EQ(reads, udccdis ? 0 : 5);
		KTAP_EQ(writes, udccdis ? 0 : 1);
		for (u8 crm = 0; crm < 16; crm++) {
			struct cp15_access a = { .crn = crm, .is64 = true, .val = 7 };
			bool may = !udccdis && (crm == 0 || crm == 1 || crm == 2);

			KTAP_EQ(cp14_access(&g, &a15, &a, true), may ? CP15_DONE : CP15_UNDEFINED);
			KTAP_TRUE(!may || !a.val);
		}
	}
}

/* If the host has none, a guest has none either: all is zero, nothing is undefined. */
static void test_none(void)
{
	struct armvmm_debug_host none = { 0 };
	u32 val;

	cp14_reset(&g);
	for (u32 i = 0; i < 16 * 16 * 8; i++) {
		struct cp15_access a = access_of(i >> 7, i >> 3 & 15, i & 7);

		a.is_write = i & 1;
		a.val = 0x55;
		KTAP_EQ(cp14_access(&g, &none, &a, i & 2), CP15_DONE);
		KTAP_TRUE(a.is_write || !a.val);
	}
	KTAP_EQ(cp14_id(&none, 0), 0);
	KTAP_EQ(cp14_get(&g, &none, ARM_CP14_REG32(0, 0ull, 0ull, 0ull), &val),
		(unsigned long long)-ENOENT);
	KTAP_TRUE(!cp14_load(&g, &none, &regs));
	/* Trace (opc1 1) does not exist for anybody. */
	for (u32 pl0 = 0; pl0 < 2; pl0++) {
		struct cp15_access a = { .op1 = 1, .val = 0x55 };

		KTAP_EQ(cp14_access(&g, &a15, &a, pl0), CP15_DONE);
		KTAP_EQ(a.val, 0);
	}
}

static void arm_debug(void)
{
	cp14_reset(&g);
	wr(OSLAR, 0);
	wr(DSCREXT, DBGDSCR_MDBGEN);
}

static void test_armed(void)
{
	arm_debug();
	KTAP_TRUE(!cp14_load(&g, &a15, &regs));
	wr(0, 3, 4, 0x8000);
	wr(0, 3, 5, 0x1e7);
	KTAP_TRUE(cp14_load(&g, &a15, &regs));
	KTAP_EQ(regs.bvr[3], 0x8000);
	KTAP_EQ(regs.bcr[3], 0x41e7);		/* in the Non-secure state alone */
	KTAP_EQ(regs.bcr[0] | regs.wcr[0], 0);
	/* Each of three switches turns it off. */
	wr(OSLAR, DBGOSLAR_KEY);
	KTAP_TRUE(!cp14_load(&g, &a15, &regs));
	wr(OSLAR, 0);
	wr(OSDLR, 1);
	KTAP_TRUE(!cp14_load(&g, &a15, &regs));
	wr(OSDLR, 0);
	wr(DSCREXT, 0);
	KTAP_TRUE(!cp14_load(&g, &a15, &regs));
	KTAP_EQ(regs.bcr[3], 0);
	/* A watchpoint, or a vector catch, suffices. */
	arm_debug();
	wr(0, 1, 6, 0x9000);
	wr(0, 1, 7, 0x1fff);
	KTAP_TRUE(cp14_load(&g, &a15, &regs));
	KTAP_EQ(regs.wvr[1], 0x9000);
	KTAP_EQ(regs.wcr[1], 0x5fff);
	arm_debug();
	wr(VCR, 1u << 25);
	KTAP_TRUE(cp14_load(&g, &a15, &regs));
	KTAP_EQ(regs.vcr, 1u << 25);
}

/* With context matches to link to in 4 and 5, unless @n is one of them. */
static u32 loaded_bcr(u8 n, u32 bcr)
{
	arm_debug();
	wr(0, 4, 5, 0x3001e7);
	wr(0, 5, 5, 0x3001e7);
	wr(0, n, 4, 0x8003);
	wr(0, n, 5, bcr);
	cp14_load(&g, &a15, &regs);
	return regs.bcr[n];
}

/*
 * C11.11.2 and C3.3: the types, which registers can have each, and what each may link to. A
 * mismatch or a context match is for PL0, or for USR, SYS and SVC (PMC of zero).
 */
static u32 want_bcr(u8 n, u32 bcr, u32 bt, u32 lbn)
{
	bool ctx = n >= 4, link = (lbn == 4 || lbn == 5) && lbn != n;
	u32 alone = (bcr & ~0xf0000u) | 0x4000, narrow = alone;

	if ((bcr & 6) == 6)
		narrow = (alone & ~6u) | 4;
	else if ((bcr & 6) == 2)
		narrow = 0;
	switch (bt) {
	case 0:
		return alone;
	case 1:
		return link ? bcr | 0x4000 : 0;
	case 2:
		return ctx ? narrow : 0;
	case 3:
		return ctx ? 0x3001e7 : 0;
	case 4:
		return narrow;
	case 5:
		return link && narrow ? narrow | lbn << 16 : 0;
	default:
		return 0;
	}
}

static void test_types(void)
{
	for (u32 i = 0; i < 16 * 6 * 8 * 4; i++) {
		u32 bt = i >> 2 & 7, lbn = i >> 5 & 15;
		u32 bcr = 0x1e1 | (i & 3) << 1 | bt << 20 | lbn << 16;
		u8 n = (u8)(i >> 9);
		u32 want = want_bcr(n, bcr, bt, lbn), got = loaded_bcr(n, bcr);

		if (got != want)
			KTAP_FAIL("BCR%u %08x: %08x, not %08x", n, bcr, got, want);
		/* Never anything for HYP mode (HMC), and always the Non-secure state. */
		if (got & (1 << 13 | 1 << 15 | 1 << 23))
			KTAP_FAIL("BCR%u %08x: %08x", n, bcr, got);
		/* An address is that of a word; a context has all bits. */
		if (want)
			KTAP_EQ(regs.bvr[n], bt == 2 || bt == 3 ? 0x8003 : 0x8000);
		KTAP_EQ(rd(0, n, 5), bcr);
	}
	KTAP_EQ(loaded_bcr(4, 0x2001e7), 0x2041e5);
	KTAP_EQ(regs.bvr[4], 0x8003);
	KTAP_EQ(loaded_bcr(4, 0x2001e1), 0x2041e1);
	KTAP_EQ(loaded_bcr(0, 0x4001e1), 0x4041e1);
	/* Not enabled; the Secure state; masks, which do not exist. */
	KTAP_EQ(loaded_bcr(0, 0x1e6), 0);
	KTAP_EQ(loaded_bcr(0, 0x1e7 | 1 << 14), 0x41e7);
	KTAP_EQ(loaded_bcr(0, 0x1e7 | 2 << 14), 0);
	KTAP_EQ(loaded_bcr(0, 0x1e7 | 3 << 14), 0);
	KTAP_EQ(loaded_bcr(0, 0x1e7 | 5 << 24), 0x41e7);
	/* HYP mode and VMIDs cannot be written. */
	KTAP_EQ(loaded_bcr(0, 0x1e7 | 1 << 13), 0x41e7);
	KTAP_EQ(rd(0, 0, 5), 0x1e7);
	KTAP_EQ(loaded_bcr(0, 0x1e7 | 8 << 20), 0x41e7);
	KTAP_EQ(rd(0, 0, 5), 0x1e7);
	/* Halves of a word, or all of it; without a byte, a mismatch is for every address. */
	for (u32 bas = 0; bas < 16; bas++) {
		u32 bcr = bas << 5 | 5;
		bool part = bas == 3 || bas == 12 || bas == 15;

		KTAP_EQ(loaded_bcr(0, bcr), part ? bcr | 0x4000 : 0);
		KTAP_EQ(loaded_bcr(0, bcr | 0x140000), part ? bcr | 0x144000 : 0);
		KTAP_EQ(loaded_bcr(0, bcr | 0x400000), part || !bas ? bcr | 0x404000 : 0);
		KTAP_EQ(loaded_bcr(0, bcr | 0x540000), part || !bas ? bcr | 0x544000 : 0);
		/* Contexts have no bytes. */
		KTAP_EQ(loaded_bcr(4, bcr | 0x200000), 0x2041e5);
	}
}

static u32 loaded_wcr(u32 wcr, u32 wvr)
{
	arm_debug();
	wr(0, 4, 5, 0x3001e7);
	wr(0, 5, 5, 0x3001e7);
	wr(0, 2, 6, wvr);
	wr(0, 2, 7, wcr);
	cp14_load(&g, &a15, &regs);
	return regs.wcr[2];
}

static void test_watch(void)
{
	for (u32 lbn = 0; lbn < 16; lbn++)
		for (u32 wt = 0; wt < 2; wt++) {
			u32 wcr = 0x1fff | wt << 20 | lbn << 16;

			KTAP_EQ(loaded_wcr(wcr, 0x9ff8), !wt ? 0x5fff : lbn == 4 || lbn == 5 ?
				wcr | 0x4000 : 0);
			KTAP_EQ(regs.wvr[2], 0x9ff8);
		}
	/* In no mode, for no access, for no byte; the Secure state; HYP mode does not exist. */
	KTAP_EQ(loaded_wcr(0x1fff & ~6u, 0x9ff8), 0);
	KTAP_EQ(loaded_wcr(0x1fff & ~0x18u, 0x9ff8), 0);
	KTAP_EQ(loaded_wcr(0x1f, 0x9ff8), 0);
	KTAP_EQ(loaded_wcr(0x1fff | 2 << 14, 0x9ff8), 0);
	KTAP_EQ(loaded_wcr(0x1fff | 1 << 13, 0x9ff8), 0x5fff);
	KTAP_EQ(rd(0, 2, 7), 0x1fff);
	for (u32 mask = 1; mask < 32; mask++) {
		KTAP_EQ(loaded_wcr(0x1fff | mask << 24, 0x9ffc),
			mask < 3 ? 0 : 0x5fff | mask << 24);
		KTAP_EQ(regs.wvr[2], mask < 3 ? 0x9ffc : 0x9ffc & ~((1u << mask) - 1));
		KTAP_EQ(loaded_wcr(0x1dff | mask << 24, 0x9ff8), 0);
	}
	/* Consecutive bytes, in the addressed word; the client's rule (debug_check.h). */
	for (u32 bas = 0; bas < 256; bas++) {
		u32 wcr = bas << 5 | 0x1f;

		KTAP_EQ(loaded_wcr(wcr, 0x9000), debug_check_wcr(wcr, 0x9000) ? wcr | 0x4000 : 0);
		KTAP_EQ(loaded_wcr(wcr, 0x9004), debug_check_wcr(wcr, 0x9004) ? wcr | 0x4000 : 0);
	}
	KTAP_EQ(loaded_wcr(5 << 5 | 0x1f, 0x9000), 0);
	KTAP_EQ(loaded_wcr(0x10 << 5 | 0x1f, 0x9004), 0);
}

/* A link must be to an enabled context match for links, wherever that is. */
static void test_links(void)
{
	static const struct { u32 to; bool ok; } v[] = {
		{ 0x3001e7, true }, { 0x3001e1, true }, { 0x3001e6, false }, { 0, false },
		{ 0x0001e7, false }, { 0x2001e5, false }, { 0x4001e5, false },
		{ 0x3081e7, false },	/* Secure */
		{ 0x1501e7, false },	/* links on, to 5 */
	};

	for (unsigned int i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		for (u8 from = 0; from < 6; from++) {
			if (from == 4)
				continue;
			arm_debug();
			wr(0, from, 5, 0x1401e5);
			wr(0, 1, 7, 0x141ff5);
			wr(0, 4, 5, v[i].to);
			cp14_load(&g, &a15, &regs);
			KTAP_EQ(regs.bcr[from], v[i].ok ? 0x1441e5 : 0);
			KTAP_EQ(regs.wcr[1], v[i].ok ? 0x145ff5 : 0);
			/* What the guest wrote stays. */
			KTAP_EQ(rd(0, from, 5), 0x1401e5);
		}
	/* A breakpoint that links to itself, as the first of all; nothing else: all is off. */
	arm_debug();
	wr(0, 4, 5, 0x1401e5);
	wr(0, 0, 7, 0x141ff5);
	KTAP_TRUE(!cp14_load(&g, &a15, &regs));
}

/* All listed registers, written into another vCPU, make it the same. */
static void test_one_reg(void)
{
	struct armvmm_cp14 from;
	unsigned int n;
	u64 id;
	u32 val;

	cp14_reset(&g);
	for (u8 op2 = 4; op2 < 8; op2++)
		for (u8 i = 0; i < 16; i++)
			wr(0, i, op2, 0x12345678u * (i + op2));
	wr(DSCREXT, 0xffffffff);
	wr(VCR, 0xffffffff);
	wr(OSLAR, 0);
	wr(OSDLR, 1);
	wr(CLAIMSET, 0x5a);
	from = g;
	cp14_reset(&g);
	for (n = 0; (id = cp14_id(&a15, n)); n++) {
		KTAP_EQ(id >> 32, 0x40200000);
		KTAP_EQ(id >> 16 & 0xfff, 14);
		for (unsigned int other = 0; other < n; other++)
			KTAP_TRUE(cp14_id(&a15, other) != id);
		KTAP_EQ(cp14_get(&from, &a15, id, &val), 0);
		KTAP_EQ(cp14_set(&g, &a15, id, val), 0);
	}
	KTAP_EQ(n, 6 + 12 + 8);
	KTAP_TRUE(!memcmp(&from, &g, sizeof(g)));

	/* DBGDIDR: another revision of the same kind is accepted; then all changes of the kind. */
	for (u32 bit = 0; bit < 32; bit++)
		KTAP_EQ(cp14_set(&g, &a15, cp14_id(&a15, 0), 0x3515d021 ^ 1u << bit),
			bit < 12 ? 0 : (unsigned long long)-EINVAL);
	KTAP_EQ(rd(DIDR), 0x3515d021);
	KTAP_TRUE(!memcmp(&from, &g, sizeof(g)));
	/* BVR6, a 64-bit DBGDIDR, cp15's MIDR, opc1 of 1 */
	KTAP_EQ(cp14_get(&g, &a15, ARM_CP14_REG32(0, 0ull, 6ull, 4ull), &val),
		(unsigned long long)-ENOENT);
	KTAP_EQ(cp14_get(&g, &a15, ARM_CP14_REG32(0, 0ull, 0ull, 0ull) ^ KVM_REG_SIZE_U32 ^
			 KVM_REG_SIZE_U64, &val), (unsigned long long)-ENOENT);
	KTAP_EQ(cp14_get(&g, &a15, ARM_CP15_REG32(0, 0ull, 0ull, 0ull), &val),
		(unsigned long long)-ENOENT);
	KTAP_EQ(cp14_set(&g, &a15, ARM_CP14_REG32(1ull, 0ull, 2ull, 2ull), 0),
		(unsigned long long)-ENOENT);
}

/* The client's registers: every BCR and WCR that differs by one bit, against the rule. */
static void test_client(void)
{
	struct kvm_guest_debug_arch arch = { 0 };

	KTAP_TRUE(debug_check_arch(&arch, 6, 4));
	for (u32 bas = 0; bas < 16; bas++)
		KTAP_EQ(debug_check_bcr(bas << 5 | 7), bas == 3 || bas == 12 || bas == 15);
	for (u32 bas = 0; bas < 256; bas++) {
		u32 low = bas ? bas / (bas & -bas) : 0;
		bool row = bas && !(low & (low + 1));

		KTAP_EQ(debug_check_wcr(bas << 5 | 0x1f, 0x9000), row);
		KTAP_EQ(debug_check_wcr(bas << 5 | 0x1f, 0x9004), row && bas < 16);
		KTAP_TRUE(!debug_check_wcr(bas << 5 | 0x1f, 0x9002));
	}
	for (u32 bit = 9; bit < 32; bit++)
		KTAP_TRUE(!debug_check_bcr(0x1e7 | 1u << bit));
	for (u32 bit = 13; bit < 24; bit++)
		KTAP_TRUE(!debug_check_wcr(0x1fffu | 1u << bit, 0x9000));
	for (u32 mask = 0; mask < 32; mask++)
		KTAP_EQ(debug_check_wcr(0xffu << 5 | 0x1f | mask << 24, 0x80000000),
			!mask || mask > 2);
	KTAP_TRUE(!debug_check_wcr(0xffu << 5 | 0x1f | 13u << 24, 0x9000));
	KTAP_TRUE(!debug_check_wcr(0xfu << 5 | 0x1f | 12u << 24, 0x9000));
	KTAP_TRUE(!debug_check_wcr(0xffu << 5 | 0x07, 0x9000));
	KTAP_TRUE(!debug_check_wcr(0xffu << 5 | 0x19, 0x9000));
	/* As many as there are; and any others if they are disabled. */
	for (unsigned int i = 0; i < KVM_ARM_MAX_DBG_REGS; i++) {
		memset(&arch, 0, sizeof(arch));
		arch.dbg_bcr[i] = 0x1e7;
		KTAP_EQ(debug_check_arch(&arch, 6, 4), i < 6);
		arch.dbg_bvr[i] = 2;
		KTAP_TRUE(!debug_check_arch(&arch, 6, 4));
		memset(&arch, 0, sizeof(arch));
		arch.dbg_wcr[i] = 0x1e0 | 0x1f;
		KTAP_EQ(debug_check_arch(&arch, 6, 4), i < 4);
		arch.dbg_wcr[i] = 0xfffffffe;
		KTAP_TRUE(debug_check_arch(&arch, 6, 4));
	}
	KTAP_EQ(debug_check_load(0x1e7), 0x41e7);
	KTAP_EQ(debug_check_load(0x1e6), 0);
}

KTAP_MAIN(KTAP_CASE(test_reset), KTAP_CASE(test_storage), KTAP_CASE(test_pl0),
	  KTAP_CASE(test_none), KTAP_CASE(test_armed), KTAP_CASE(test_types), KTAP_CASE(test_watch),
	  KTAP_CASE(test_links), KTAP_CASE(test_one_reg), KTAP_CASE(test_client))
