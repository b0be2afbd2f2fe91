// SPDX-License-Identifier: GPL-2.0-only
// sources: driver/arch/decode.c
// cflags: -Itests/unit/fake -Idriver
//
// The decoder of loads and stores: every form against the manual, every 16-bit
// encoding against a second description of them, and noise.
#include <stdlib.h>

#include "decode_cases.h"
#include "fake/fake_kernel.h"
#include "ktap.h"

static const struct decode_state *state(bool thumb)
{
	static struct decode_state s;
	int i;

	for (i = 0; i < 15; i++)
		s.r[i] = 0x1000 * (i + 1);
	s.r[15] = 0x8000;
	s.thumb = thumb;
	s.carry = true;
	return &s;
}

static bool is_access(enum decode_kind kind)
{
	return kind == DECODE_SINGLE || kind == DECODE_DUAL || kind == DECODE_MULTIPLE ||
	       kind == DECODE_SWAP;
}

static void check_case(const struct decode_case *c)
{
	struct decode_insn d;

	if (!armvmm_decode_ldst(c->insn, state(c->thumb), &d)) {
		KTAP_FAIL("%s: not decoded", c->text);
		return;
	}
	if (d.kind != c->kind || d.len != (c->thumb && c->insn < 0x10000 ? 2 : 4))
		KTAP_FAIL("%s: kind %d, length %u", c->text, d.kind, d.len);
	if (c->kind != DECODE_HINT && d.is_load != c->is_load)
		KTAP_FAIL("%s: load %d", c->text, d.is_load);
	if (!is_access(c->kind))
		return;
	if (d.size != c->size || d.sign != c->sign)
		KTAP_FAIL("%s: size %u, sign %d", c->text, d.size, d.sign);
	if (d.rt != c->rt || d.rt2 != c->rt2 || d.rn != c->rn || d.regs != c->regs)
		KTAP_FAIL("%s: rt %u, rt2 %u, rn %u, regs %04x", c->text, d.rt, d.rt2, d.rn,
			  d.regs);
	if (d.addr != c->addr)
		KTAP_FAIL("%s: address %x", c->text, d.addr);
	if (d.writeback != c->writeback || (d.writeback && d.wb_value != c->wb_value))
		KTAP_FAIL("%s: writeback %d of %x", c->text, d.writeback, d.wb_value);
	if (d.user_bank != c->user_bank || d.exception_return != c->exception_return)
		KTAP_FAIL("%s: user %d, return %d", c->text, d.user_bank, d.exception_return);
}

static void check_cases(bool thumb)
{
	for (size_t i = 0; i < ARRAY_SIZE(decode_cases); i++)
		if (decode_cases[i].thumb == thumb)
			check_case(&decode_cases[i]);
}

static void test_a32(void)
{
	check_cases(false);
}

static void test_t32(void)
{
	check_cases(true);
}

static void check_refused(const struct decode_refused *r, size_t n)
{
	struct decode_insn d;

	for (size_t i = 0; i < n; i++)
		if (armvmm_decode_ldst(r[i].insn, state(r[i].thumb), &d))
			KTAP_FAIL("%s (%x): decoded", r[i].text, r[i].insn);
}

static void test_others_refused(void)
{
	check_refused(decode_others, ARRAY_SIZE(decode_others));
}

static void test_unpredictable_refused(void)
{
	check_refused(decode_unpredictable, ARRAY_SIZE(decode_unpredictable));
}

/* With every condition of A32 it is a load; the sixteenth value is another encoding space. */
static void test_conditions(void)
{
	struct decode_insn d;

	for (u32 cond = 0; cond < 15; cond++)
		KTAP_TRUE(armvmm_decode_ldst(cond << 28 | 0x05901004, state(false), &d));
	KTAP_TRUE(!armvmm_decode_ldst(0xf5901004, state(false), &d) || d.kind == DECODE_HINT);
}

/* LDRT and the like access as from PL0, wherever they are executed. */
static void test_unprivileged(void)
{
	static const struct {
		u32 insn;
		bool thumb, unprivileged;
	} cases[] = {
		{ 0xe4b01008, false, true },	/* ldrt r1, [r0], #8 */
		{ 0xe4a23000, false, true },	/* strt r3, [r2], #0 */
		{ 0xe4e23001, false, true },	/* strbt r3, [r2], #1 */
		{ 0xe6723001, false, true },	/* ldrbt r3, [r2], -r1 */
		{ 0xe0f230b2, false, true },	/* ldrht r3, [r2], #2 */
		{ 0xe4901004, false, false },	/* ldr r1, [r0], #4 */
		{ 0xe5b01004, false, false },	/* ldr r1, [r0, #4]! */
		{ 0xe05230f2, false, false },	/* ldrsh r3, [r2], #-2 */
		{ 0xf8528e0c, true, true },	/* ldrt r8, [r2, #12] */
		{ 0xf8028e06, true, true },	/* strbt r8, [r2, #6] */
		{ 0xf8528c0c, true, false },	/* ldr.w r8, [r2, #-12] */
		{ 0xf8528f0c, true, false },	/* ldr.w r8, [r2, #12]! */
		{ 0xf8528b0c, true, false },	/* ldr.w r8, [r2], #12 */
	};
	struct decode_insn d;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (!armvmm_decode_ldst(cases[i].insn, state(cases[i].thumb), &d) ||
		    d.unprivileged != cases[i].unprivileged)
			KTAP_FAIL("%08x: unprivileged %d", cases[i].insn, d.unprivileged);
}

static void test_thumb_len(void)
{
	KTAP_EQ(armvmm_decode_thumb_len(0xe7ff), 2);
	KTAP_EQ(armvmm_decode_thumb_len(0xe800), 4);
	KTAP_EQ(armvmm_decode_thumb_len(0xf000), 4);
	KTAP_EQ(armvmm_decode_thumb_len(0xf800), 4);
	KTAP_EQ(armvmm_decode_thumb_len(0x0000), 2);
}

/* A6.2: loads and stores among the 16-bit encodings, by their first bits. */
static bool t16_is_ldst(u32 hw)
{
	if (hw >= 0x4800 && hw < 0x5000)	/* LDR literal */
		return true;
	if (hw >= 0x5000 && hw < 0xa000)	/* register and immediate offsets, SP */
		return true;
	if ((hw & 0xfe00) == 0xb400)		/* PUSH */
		return hw & 0x1ff;
	if ((hw & 0xfe00) == 0xbc00)		/* POP */
		return hw & 0x1ff;
	if (hw >= 0xc000 && hw < 0xd000)	/* STM, LDM */
		return hw & 0xff;
	return false;
}

static void test_t16_space(void)
{
	struct decode_insn d;

	for (u32 hw = 0; hw < 0xe800; hw++)
		if (armvmm_decode_ldst(hw, state(true), &d) != t16_is_ldst(hw))
			KTAP_FAIL("%04x: decoded %d", hw, !t16_is_ldst(hw));
}

/* For any bits, the answer is one that the emulation can handle. */
static void test_noise(void)
{
	struct decode_insn d;
	u32 insn = 1;

	for (int i = 0; i < 4000000; i++) {
		/* xorshift32: every value but zero, in an order that repeats */
		insn ^= insn << 13;
		insn ^= insn >> 17;
		insn ^= insn << 5;
		if (!armvmm_decode_ldst(insn, state(i & 1), &d) || !is_access(d.kind))
			continue;
		if ((d.size != 1 && d.size != 2 && d.size != 4) || d.rt > 15 || d.rt2 > 15 ||
		    d.rn > 15 || (d.kind == DECODE_MULTIPLE) != !!d.regs) {
			KTAP_FAIL("%08x: size %u rt %u rt2 %u rn %u", insn, d.size, d.rt, d.rt2,
				  d.rn);
			return;
		}
		if (d.writeback && d.rn == 15) {
			KTAP_FAIL("%08x: writes the PC back", insn);
			return;
		}
	}
}

KTAP_MAIN(KTAP_CASE(test_a32), KTAP_CASE(test_t32), KTAP_CASE(test_others_refused),
	  KTAP_CASE(test_unpredictable_refused), KTAP_CASE(test_conditions),
	  KTAP_CASE(test_unprivileged),
	  KTAP_CASE(test_thumb_len), KTAP_CASE(test_t16_space), KTAP_CASE(test_noise))
