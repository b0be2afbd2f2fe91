// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/arch/next_pc.c driver/arch/exception.c driver/core/exception_entry.c driver/arch/decode.c
// cflags: -Itests/unit/fake -Iinclude/uapi -fno-strict-aliasing -Idriver
//
// The next PC of every instruction that writes it, and the breakpoints around a
// step: DDI 0406C A2.3, A5, A6, A8, B9.3, C3.3. kselftest/debug runs the forms.
#include "arch/archregs.h"
#include "arch/dbgregs.h"
#include "arch/next_pc.h"
#include "ktap.h"

enum state {
	STATE_A32,
	STATE_T32,
	STATE_SPSR,	/* what the SPSR says */
	STATE_VECTOR,	/* what SCTLR.TE says */
};

struct next_pc_case {
	u32 insn;
	u32 pc;
	enum state state;
	const char *text;
};

#include "next_pc_cases.h"

#define PC		0x1000u
#define VECTORS		0x70000000u
#define FLAGS		(CPSR_Z | CPSR_C)

static u32 no_read;	/* an address that cannot be read */

/* Each word of memory holds its address; in every other one bit 0 is set. */
static u32 memory_word(u32 va)
{
	return ((0x50000000u + (va << 1)) & ~3u) | (va >> 2 & 1);
}

static bool memory_read(void *ctx, u32 va, void *buf, unsigned int len)
{
	u8 *p = buf;

	if (no_read && va == no_read)
		return false;
	for (unsigned int i = 0; i < len; i++, va++)
		p[i] = memory_word(va & ~3u) >> 8 * (va & 3);
	return true;
}

static struct next_pc_state state(u32 cpsr)
{
	struct next_pc_state s = {
		.r = { 0, 0x8001, 0x9000, 4, 0xffffffff, 0x80000000, [13] = 0xa000, [14] = 0xb000,
		       [15] = PC },
		.cpsr = cpsr, .has_spsr = true, .vectors = VECTORS, .read = memory_read,
	};

	no_read = 0;
	return s;
}

static void check(const struct next_pc_case *c, const struct next_pc_state *s, u32 pc, bool thumb)
{
	struct next_pc_target next = { .pc = 0xdead };
	bool known = armvmm_next_pc_find(s, c->insn, &next);

	if (!known || next.pc != pc || next.thumb != thumb)
		KTAP_FAIL("%s: %s%08x %s, not %08x %s", c->text, known ? "" : "unknown, ", next.pc,
			  next.thumb ? "T32" : "A32", pc, thumb ? "T32" : "A32");
}

static void check_case(const struct next_pc_case *c, u32 cpsr)
{
	struct next_pc_state s = state(cpsr);

	for (int thumb = 0; thumb < 2; thumb++) {
		s.spsr = thumb ? CPSR_T : 0;
		s.vectors_thumb = thumb;
		switch (c->state) {
		case STATE_A32:
		case STATE_T32:
			check(c, &s, c->pc, c->state == STATE_T32);
			break;
		case STATE_SPSR:
			check(c, &s, c->pc & (thumb ? ~1u : ~3u), thumb);
			break;
		case STATE_VECTOR:
			check(c, &s, c->pc, thumb);
			break;
		}
	}
}

static void test_a32(void)
{
	for (size_t i = 0; i < sizeof(a32_cases) / sizeof(a32_cases[0]); i++)
		check_case(&a32_cases[i], CPSR_M_SVC | FLAGS);
}

static void test_t32(void)
{
	for (size_t i = 0; i < sizeof(t32_cases) / sizeof(t32_cases[0]); i++)
		check_case(&t32_cases[i], CPSR_M_SVC | CPSR_T | FLAGS);
}

static bool cond_reference(unsigned int cond, u32 flags)
{
	bool n = flags & 8, z = flags & 4, c = flags & 2, v = flags & 1;
	bool results[] = { z, !z, c, !c, n, !n, v, !v, c && !z, !(c && !z), n == v, n != v,
			   !z && n == v, z || n != v, true };

	return results[cond];
}

/* Every condition with all flags: B<c> in its three encodings, and BX<c>. */
static void test_conditions(void)
{
	struct next_pc_case c = { .text = "condition" };

	for (u32 cond = 0; cond < 15; cond++)
		for (u32 flags = 0; flags < 16; flags++) {
			bool taken = cond_reference(cond, flags);
			struct next_pc_state s = state(CPSR_M_SVC | flags << 28);

			c.insn = cond << 28 | 0x0a00003e;	/* B<c> .+0x100 */
			check(&c, &s, taken ? PC + 0x100 : PC + 4, false);
			c.insn = cond << 28 | 0x012fff11;	/* BX<c> r1 */
			check(&c, &s, taken ? 0x8000 : PC + 4, taken);
			if (cond == 14)
				continue;
			s.cpsr |= CPSR_T;
			c.insn = 0xd01e | cond << 8;		/* B<c> .+0x40 */
			check(&c, &s, taken ? PC + 0x40 : PC + 2, true);
			c.insn = 0xf000807e | cond << 22;	/* B<c>.W .+0x100 */
			check(&c, &s, taken ? PC + 0x100 : PC + 4, true);
		}
}

static u32 cpsr_it(u32 it)
{
	return CPSR_M_SVC | CPSR_T | (it << 8 & CPSR_IT_HI) | (it << 25 & CPSR_IT_LO);
}

/* In an IT block, every instruction has the block's condition. */
static void test_it(void)
{
	static const struct { u32 insn; unsigned int len; u32 pc; bool thumb; } insns[] = {
		{ 0xbf00, 2, PC + 2, true },		/* nop */
		{ 0xf3af8000, 4, PC + 4, true },	/* nop.w */
		{ 0xe07e, 2, PC + 0x100, true },	/* b */
		{ 0xf000b87e, 4, PC + 0x100, true },	/* b.w */
		{ 0x4708, 2, 0x8000, true },		/* bx r1 */
		{ 0x4710, 2, 0x9000, false },		/* bx r2 */
		{ 0xf8d2f000, 4, 0x50012000, false },	/* ldr.w pc, [r2] */
		{ 0xdf00, 2, VECTORS + 8, false },	/* svc */
	};
	struct next_pc_case c = { .text = "in IT" };

	for (u32 cond = 0; cond < 15; cond++)
		for (u32 flags = 0; flags < 16; flags++)
			for (size_t i = 0; i < sizeof(insns) / sizeof(insns[0]); i++)
				for (u32 mask = 1; mask < 16; mask++) {
					struct next_pc_state s = state(cpsr_it(cond << 4 | mask) |
								       flags << 28);
					bool done = cond_reference(cond, flags);

					c.insn = insns[i].insn;
					check(&c, &s, done ? insns[i].pc : PC + insns[i].len,
					      done ? insns[i].thumb : true);
				}
}

/* From the second halfword of a word the PC that is read has bit 1 set (A2.3). */
static void test_t32_unaligned(void)
{
	static const struct next_pc_case cases[] = {
		{ 0xe07e, PC + 0x102, STATE_T32, "b .+0x100" },
		{ 0x4778, PC + 4, STATE_A32, "bx pc" },
		{ 0x449f, PC + 2 + 4 + 4, STATE_T32, "add pc, r3" },
		{ 0xf000e820, PC + 4 + 0x40, STATE_A32, "blx" },
		{ 0xf000f87e, PC + 0x102, STATE_T32, "bl .+0x100" },
	};
	struct next_pc_case literal = { 0xf8dff014, 0, STATE_A32, "ldr.w pc, [pc, #0x14]" };
	struct next_pc_state s = state(CPSR_M_SVC | CPSR_T);
	u32 val = memory_word(PC + 4 + 0x14);

	s.r[15] = PC + 2;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check(&cases[i], &s, cases[i].pc, cases[i].state == STATE_T32);
	check(&literal, &s, val & (val & 1 ? ~1u : ~3u), val & 1);
}

/* Big-endian data (CPSR.E): words, halfwords, and what RFE loads. */
static void test_big_endian(void)
{
	struct next_pc_state s = state(CPSR_M_SVC | CPSR_E);
	struct next_pc_case c = { 0xe592f000, 0, STATE_A32, "ldr pc, [r2] of big-endian data" };
	u32 val = __builtin_bswap32(memory_word(0x9000));
	u16 half = __builtin_bswap16((u16)(memory_word(0x9008)));

	check(&c, &s, val & (val & 1 ? ~1u : ~3u), val & 1);
	s.cpsr |= CPSR_T;
	c.insn = 0xe8d2f013;	/* tbh [r2, r3, lsl #1] */
	check(&c, &s, PC + 4 + 2 * half, true);
}

static void test_unknown(void)
{
	static const u32 returns[] = { 0xe1b0f00e, 0xe25ef004, 0xe160006e, 0xe8d28001 };
	struct next_pc_state s = state(CPSR_M_USR | FLAGS);
	struct next_pc_target next;
	u32 insn;

	/* No SPSR: UNPREDICTABLE in both instruction sets. */
	s.has_spsr = false;
	for (size_t i = 0; i < sizeof(returns) / sizeof(returns[0]); i++)
		KTAP_TRUE(!armvmm_next_pc_find(&s, returns[i], &next));
	s.cpsr |= CPSR_T;
	KTAP_TRUE(!armvmm_next_pc_find(&s, 0xf3de8f00, &next));
	/* Jazelle and ThumbEE. */
	s = state(CPSR_M_USR | CPSR_J);
	KTAP_TRUE(!armvmm_next_pc_find(&s, 0xe320f000, &next));
	s.cpsr |= CPSR_T;
	KTAP_TRUE(!armvmm_next_pc_find(&s, 0xbf00, &next));
	/* Memory that cannot be read: data, or the instruction. */
	s = state(CPSR_M_SVC);
	no_read = 0x9000;
	KTAP_TRUE(!armvmm_next_pc_find(&s, 0xe592f000, &next));
	KTAP_TRUE(!armvmm_next_pc_find(&s, 0xf8920a00, &next));	/* rfeia r2 */
	no_read = 0x9004;
	KTAP_TRUE(!armvmm_next_pc_find(&s, 0xf8920a00, &next));
	s.cpsr |= CPSR_T;
	KTAP_TRUE(!armvmm_next_pc_find(&s, 0xe8d2f003, &next));	/* tbb [r2, r3] */
	KTAP_TRUE(!armvmm_next_pc_find(&s, 0xf8d2f004, &next));
	no_read = PC;
	KTAP_TRUE(!armvmm_next_pc_fetch(&s, &insn));
	s.cpsr &= ~CPSR_T;
	KTAP_TRUE(!armvmm_next_pc_fetch(&s, &insn));
}

static u8 code[8];

static bool code_read(void *ctx, u32 va, void *buf, unsigned int len)
{
	if (va < PC || va + len > PC + sizeof(code) || va == no_read)
		return false;
	memcpy(buf, code + (va - PC), len);
	return true;
}

static struct next_pc_state plan_state(u32 cpsr, u32 insn)
{
	struct next_pc_state s = state(cpsr);

	s.read = code_read;
	memcpy(code, &insn, 4);
	return s;
}

static void test_fetch(void)
{
	struct next_pc_state s = plan_state(CPSR_M_SVC | CPSR_E, 0xe320f000);
	u32 insn;

	/* Instructions are always little-endian. */
	KTAP_TRUE(armvmm_next_pc_fetch(&s, &insn));
	KTAP_EQ(insn, 0xe320f000);
	s = plan_state(CPSR_M_SVC | CPSR_T | CPSR_E, 0x8000f3af);
	KTAP_TRUE(armvmm_next_pc_fetch(&s, &insn));
	KTAP_EQ(insn, 0xf3af8000);
	no_read = PC + 2;
	KTAP_TRUE(!armvmm_next_pc_fetch(&s, &insn));
	s = plan_state(CPSR_M_SVC | CPSR_T, 0x8000bf00);
	no_read = PC + 2;
	KTAP_TRUE(armvmm_next_pc_fetch(&s, &insn));
	KTAP_EQ(insn, 0xbf00);
}

#define BP	(DBGCR_E | DBGCR_PMC | DBGCR_SSC_NS)

static void check_vectors(const struct next_pc_bp *bps, unsigned int n, u32 bas)
{
	u32 seen = 0;

	for (unsigned int i = 0; i < n; i++) {
		KTAP_EQ(bps[i].bcr, BP | bas);
		KTAP_EQ(bps[i].bvr & ~0x1cu, VECTORS);
		seen |= 1u << (bps[i].bvr & 0x1f) / 4;
	}
	/* UNDEF, both aborts, IRQ, FIQ. SVC is decoded; a guest has no others. */
	KTAP_EQ(seen, n == 5 ? 0xda : seen);
}

/* Address match: the next instruction, and every vector. */
static void test_plan_match(void)
{
	struct next_pc_state s = plan_state(CPSR_M_SVC, 0xe320f000);
	struct next_pc_bp bps[STEP_MAX_BPS + 1];

	memset(bps, 0xff, sizeof(bps));
	KTAP_EQ(armvmm_next_pc_plan(&s, false, bps, 6), 6);
	KTAP_EQ(bps[0].bvr, PC + 4);
	KTAP_EQ(bps[0].bcr, BP | DBGBCR_BAS);
	check_vectors(bps + 1, 5, DBGBCR_BAS);
	/* More registers change nothing. With fewer, vectors are left out, not the next PC. */
	KTAP_EQ(armvmm_next_pc_plan(&s, false, bps, 16), 6);
	KTAP_EQ(bps[6].bcr, 0xffffffff);
	KTAP_EQ(armvmm_next_pc_plan(&s, false, bps, 2), 2);
	KTAP_EQ(bps[0].bvr, PC + 4);
	KTAP_EQ(armvmm_next_pc_plan(&s, false, bps, 0), 0);

	/* The first instruction of a handler: do not stop at its own vector. */
	s.vectors = PC - 0x18;
	KTAP_EQ(armvmm_next_pc_plan(&s, false, bps, 6), 5);
	for (unsigned int i = 0; i < 5; i++)
		KTAP_TRUE(bps[i].bvr != PC);

	/* Halves of words in Thumb. */
	s = plan_state(CPSR_M_SVC | CPSR_T, 0xbf00);
	s.vectors_thumb = true;
	KTAP_EQ(armvmm_next_pc_plan(&s, false, bps, 6), 6);
	KTAP_EQ(bps[0].bvr, PC);
	KTAP_EQ(bps[0].bcr, BP | DBGBCR_BAS_HIGH);
	check_vectors(bps + 1, 5, DBGBCR_BAS_LOW);
	s = plan_state(CPSR_M_SVC | CPSR_T, 0x8000f3af);
	KTAP_EQ(armvmm_next_pc_plan(&s, false, bps, 6), 6);
	KTAP_EQ(bps[0].bvr, PC + 4);
	KTAP_EQ(bps[0].bcr, BP | DBGBCR_BAS_LOW);

	/* If the instruction cannot be read, it aborts: only vectors. */
	s = plan_state(CPSR_M_SVC, 0);
	no_read = PC;
	KTAP_EQ(armvmm_next_pc_plan(&s, false, bps, 6), 5);
	check_vectors(bps, 5, DBGBCR_BAS);
}

/* Address mismatch: stops everywhere except at the instruction itself. */
static void test_plan_mismatch(void)
{
	struct next_pc_state s = plan_state(CPSR_M_SVC, 0xe320f000);
	struct next_pc_bp bps[STEP_MAX_BPS];

	KTAP_EQ(armvmm_next_pc_plan(&s, true, bps, 6), 1);
	KTAP_EQ(bps[0].bvr, PC);
	KTAP_EQ(bps[0].bcr, BP | DBGBCR_BAS | DBGBCR_BT_MISMATCH);
	KTAP_EQ(armvmm_next_pc_plan(&s, true, bps, 0), 0);

	/* A branch to itself: stop at its target, too. */
	s = plan_state(CPSR_M_SVC, 0xeafffffe);
	KTAP_EQ(armvmm_next_pc_plan(&s, true, bps, 6), 2);
	KTAP_EQ(bps[0].bcr, BP | DBGBCR_BAS | DBGBCR_BT_MISMATCH);
	KTAP_EQ(bps[1].bvr, PC);
	KTAP_EQ(bps[1].bcr, BP | DBGBCR_BAS);
	KTAP_EQ(armvmm_next_pc_plan(&s, true, bps, 1), 1);
	s = plan_state(CPSR_M_SVC, 0x0afffffe);	/* beq, not taken */
	KTAP_EQ(armvmm_next_pc_plan(&s, true, bps, 6), 1);

	s = plan_state(CPSR_M_SVC | CPSR_T, 0xbf00bf00);
	s.r[15] = PC + 2;
	KTAP_EQ(armvmm_next_pc_plan(&s, true, bps, 6), 1);
	KTAP_EQ(bps[0].bvr, PC);
	KTAP_EQ(bps[0].bcr, BP | DBGBCR_BAS_HIGH | DBGBCR_BT_MISMATCH);
	/* It need not know the instruction. */
	no_read = PC + 2;
	KTAP_EQ(armvmm_next_pc_plan(&s, true, bps, 6), 1);
}

KTAP_MAIN(KTAP_CASE(test_a32), KTAP_CASE(test_t32), KTAP_CASE(test_conditions), KTAP_CASE(test_it),
	  KTAP_CASE(test_t32_unaligned), KTAP_CASE(test_big_endian), KTAP_CASE(test_unknown),
	  KTAP_CASE(test_fetch), KTAP_CASE(test_plan_match), KTAP_CASE(test_plan_mismatch))
