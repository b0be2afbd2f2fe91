// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads and stores of A32 and T32. An encoding whose behaviour is UNPREDICTABLE
 * or UNDEFINED is not decoded: the guest must not learn from an emulated device
 * access what its CPU would never have done.
 */
#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/types.h>

#include "arch/decode.h"

#define SP	13
#define LR	14
#define PC	15

/* Field of @insn: bits hi to lo, as the manual writes them. */
static u32 bits(u32 insn, unsigned int hi, unsigned int lo)
{
	return (insn >> lo) & ((2u << (hi - lo)) - 1);
}

static bool bit(u32 insn, unsigned int n)
{
	return insn >> n & 1;
}

/* R15 as an operand reads two instructions ahead (A2.3.1). */
static u32 decode_reg(const struct decode_state *s, unsigned int n)
{
	return n == PC ? s->r[PC] + (s->thumb ? 4 : 8) : s->r[n];
}

/* Base register of an address: the PC is aligned to a word (A4.6.3). */
static u32 decode_base(const struct decode_state *s, unsigned int n)
{
	return n == PC ? decode_reg(s, PC) & ~3u : s->r[n];
}

/* Shift(), with an immediate amount (A8.4.3, DecodeImmShift). */
static u32 decode_shift(u32 val, unsigned int type, unsigned int imm, bool carry)
{
	switch (type) {
	case 0:
		return val << imm;
	case 1:
		return imm ? val >> imm : 0;
	case 2:
		return imm ? (u32)((s32)val >> imm) : (u32)((s32)val >> 31);
	default:
		/* ROR, or RRX for an amount of zero */
		return imm ? val >> imm | val << (32 - imm) : val >> 1 | (u32)carry << 31;
	}
}

/*
 * Address and writeback of an access at @rn +- @offset. @index: the access
 * itself uses the offset, not only the writeback.
 */
static void decode_address(const struct decode_state *s, struct decode_insn *d, u32 offset,
			   bool add, bool index, bool writeback)
{
	u32 base = decode_base(s, d->rn);
	u32 moved = add ? base + offset : base - offset;

	d->addr = index ? moved : base;
	d->writeback = writeback;
	d->wb_value = moved;
}

/* Writeback is defined only where the base is not the PC and is not transferred itself. */
static bool decode_writeback_ok(const struct decode_insn *d)
{
	if (!d->writeback)
		return true;
	if (d->rn == PC || d->rn == d->rt)
		return false;
	return d->kind != DECODE_DUAL || d->rn != d->rt2;
}

/* LDM and STM of all forms: @before, @up as in A32's P and U. */
static bool decode_multiple(const struct decode_state *s, struct decode_insn *d, bool before,
			    bool up)
{
	u32 base = s->r[d->rn], bytes = 4 * hweight16(d->regs);

	d->kind = DECODE_MULTIPLE;
	d->size = 4;
	if (d->rn == PC || !d->regs)
		return false;
	/* LDM's base is UNKNOWN after a load into it with writeback. */
	if (d->is_load && d->writeback && bit(d->regs, d->rn))
		return false;
	if (up) {
		d->addr = before ? base + 4 : base;
		d->wb_value = base + bytes;
	} else {
		d->addr = before ? base - bytes : base - bytes + 4;
		d->wb_value = base - bytes;
	}
	return true;
}

/* A5.3: LDR, STR, LDRB, STRB and their unprivileged forms. */
static bool decode_a32_word_byte(u32 insn, const struct decode_state *s, struct decode_insn *d)
{
	bool p = bit(insn, 24), w = bit(insn, 21);
	unsigned int rm = bits(insn, 3, 0);
	u32 offset = bits(insn, 11, 0);

	d->is_load = bit(insn, 20);
	d->size = bit(insn, 22) ? 1 : 4;
	d->rt = bits(insn, 15, 12);
	d->rn = bits(insn, 19, 16);
	if (bit(insn, 25)) {
		if (rm == PC)
			return false;
		offset = decode_shift(s->r[rm], bits(insn, 6, 5), bits(insn, 11, 7), s->carry);
	}
	d->unprivileged = !p && w;
	if (d->rt == PC && (d->size == 1 || d->unprivileged))
		return false;
	decode_address(s, d, offset, bit(insn, 23), p, !p || w);
	return decode_writeback_ok(d);
}

/* A5.2.8: halfwords, signed bytes, double words and unprivileged forms. */
static bool decode_a32_extra(u32 insn, const struct decode_state *s, struct decode_insn *d)
{
	bool p = bit(insn, 24), w = bit(insn, 21), load = bit(insn, 20);
	unsigned int op2 = bits(insn, 6, 5), rm = bits(insn, 3, 0);
	bool immediate = bit(insn, 22);
	u32 offset;

	d->rt = bits(insn, 15, 12);
	d->rn = bits(insn, 19, 16);
	d->is_load = load;
	if (!load && op2 != 1) {
		d->kind = DECODE_DUAL;
		d->is_load = op2 == 2;
		d->size = 4;
		d->rt2 = d->rt + 1;
		if ((d->rt & 1) || d->rt2 == PC || (!p && w))
			return false;
	} else {
		d->size = op2 == 2 ? 1 : 2;
		d->sign = op2 != 1;
		d->unprivileged = !p && w;
		if (d->rt == PC)
			return false;
	}
	if (immediate) {
		offset = bits(insn, 11, 8) << 4 | rm;
	} else {
		if (rm == PC || bits(insn, 11, 8))
			return false;
		if (d->kind == DECODE_DUAL && d->is_load && (rm == d->rt || rm == d->rt2))
			return false;
		offset = s->r[rm];
	}
	decode_address(s, d, offset, bit(insn, 23), p, !p || w);
	return decode_writeback_ok(d);
}

/* A5.2.10: SWP and the exclusives. */
static bool decode_a32_sync(u32 insn, const struct decode_state *s, struct decode_insn *d)
{
	d->rn = bits(insn, 19, 16);
	d->rt = bits(insn, 15, 12);
	d->rt2 = bits(insn, 3, 0);
	d->is_load = true;
	d->addr = decode_base(s, d->rn);
	if (bit(insn, 23)) {
		d->kind = DECODE_EXCLUSIVE;
		d->is_load = bit(insn, 20);
		return true;
	}
	if (bits(insn, 21, 20))
		return false;
	d->kind = DECODE_SWAP;
	d->size = bit(insn, 22) ? 1 : 4;
	return d->rt != PC && d->rt2 != PC && d->rn != PC && d->rn != d->rt && d->rn != d->rt2;
}

/* A5.5: block transfers. */
static bool decode_a32_block(u32 insn, const struct decode_state *s, struct decode_insn *d)
{
	bool user = bit(insn, 22);

	d->is_load = bit(insn, 20);
	d->rn = bits(insn, 19, 16);
	d->regs = (u16)insn;
	d->writeback = bit(insn, 21);
	if (user && d->is_load && bit(insn, PC))
		d->exception_return = true;
	else
		d->user_bank = user;
	if (d->user_bank && d->writeback)
		return false;
	return decode_multiple(s, d, bit(insn, 24), bit(insn, 23));
}

/* Coprocessor loads and stores, A5.6. MCRR and MRRC share the encoding, and are neither. */
static bool decode_coproc(u32 insn, struct decode_insn *d)
{
	if (!bits(insn, 24, 21) || bits(insn, 24, 21) == 2)
		return false;
	d->kind = bits(insn, 11, 9) == 5 ? DECODE_FP : DECODE_COPROC;
	d->is_load = bit(insn, 20);
	d->rn = bits(insn, 19, 16);
	return true;
}

/* A5.7: RFE and SRS, hints, Advanced SIMD, LDC2 and STC2. */
static bool decode_a32_unconditional(u32 insn, struct decode_insn *d)
{
	if (bits(insn, 27, 25) == 6)
		return decode_coproc(insn, d);
	if (bits(insn, 27, 24) == 4 && !bit(insn, 20)) {
		d->kind = DECODE_FP;
		d->is_load = bit(insn, 21);
		return true;
	}
	/* PLD, PLDW and PLI, immediate and register */
	if (bits(insn, 27, 26) == 1 && bits(insn, 22, 20) % 4 == 1 &&
	    (!bit(insn, 25) || !bit(insn, 4))) {
		d->kind = DECODE_HINT;
		return true;
	}
	return false;
}

static bool decode_a32(u32 insn, const struct decode_state *s, struct decode_insn *d)
{
	if (bits(insn, 31, 28) == 15)
		return decode_a32_unconditional(insn, d);

	switch (bits(insn, 27, 25)) {
	case 0:
		if (!bit(insn, 7) || !bit(insn, 4))
			return false;
		if (bits(insn, 6, 5))
			return decode_a32_extra(insn, s, d);
		/* A clear bit 24 makes it a multiplication. */
		return bit(insn, 24) && decode_a32_sync(insn, s, d);
	case 3:
		if (bit(insn, 4))
			return false;
		fallthrough;
	case 2:
		return decode_a32_word_byte(insn, s, d);
	case 4:
		return decode_a32_block(insn, s, d);
	case 6:
		return decode_coproc(insn, d);
	default:
		return false;
	}
}

/* A6.2.4: low registers, immediate or register offset. */
static bool decode_t16_single(u16 hw, const struct decode_state *s, struct decode_insn *d)
{
	static const struct {
		u8 size;
		bool load;
		bool sign;
	} by_register[8] = {
		{ 4, false, false }, { 2, false, false }, { 1, false, false }, { 1, true, true },
		{ 4, true, false }, { 2, true, false }, { 1, true, false }, { 2, true, true },
	};
	unsigned int op = bits(hw, 11, 9);
	u32 offset;

	d->rt = bits(hw, 2, 0);
	d->rn = bits(hw, 5, 3);
	d->is_load = bit(hw, 11);
	switch (bits(hw, 15, 12)) {
	case 5:
		d->size = by_register[op].size;
		d->is_load = by_register[op].load;
		d->sign = by_register[op].sign;
		offset = s->r[bits(hw, 8, 6)];
		break;
	case 6:
		d->size = 4;
		offset = bits(hw, 10, 6) * 4;
		break;
	case 7:
		d->size = 1;
		offset = bits(hw, 10, 6);
		break;
	case 8:
		d->size = 2;
		offset = bits(hw, 10, 6) * 2;
		break;
	default:
		/* LDR and STR relative to SP */
		d->size = 4;
		d->rt = bits(hw, 10, 8);
		d->rn = SP;
		offset = bits(hw, 7, 0) * 4;
		break;
	}
	decode_address(s, d, offset, true, true, false);
	return true;
}

static bool decode_t16(u16 hw, const struct decode_state *s, struct decode_insn *d)
{
	switch (bits(hw, 15, 12)) {
	case 4:
		if (!bit(hw, 11))
			return false;
		/* LDR (literal) */
		d->is_load = true;
		d->size = 4;
		d->rt = bits(hw, 10, 8);
		d->rn = PC;
		decode_address(s, d, bits(hw, 7, 0) * 4, true, true, false);
		return true;
	case 5:
	case 6:
	case 7:
	case 8:
	case 9:
		return decode_t16_single(hw, s, d);
	case 11:
		/* PUSH: 1011010M, POP: 1011110P */
		if (bits(hw, 10, 9) != 2)
			return false;
		d->is_load = bit(hw, 11);
		d->rn = SP;
		d->writeback = true;
		d->regs = bits(hw, 7, 0) | (bit(hw, 8) ? 1u << (d->is_load ? PC : LR) : 0);
		return decode_multiple(s, d, !d->is_load, d->is_load);
	case 12:
		d->is_load = bit(hw, 11);
		d->rn = bits(hw, 10, 8);
		d->regs = bits(hw, 7, 0);
		/* LDM writes the base back, unless the base is loaded. */
		d->writeback = !d->is_load || !bit(d->regs, d->rn);
		return decode_multiple(s, d, false, true);
	default:
		return false;
	}
}

/* A6.3.5: block transfers. */
static bool decode_t32_block(u32 insn, const struct decode_state *s, struct decode_insn *d)
{
	bool before = bit(insn, 24), up = bit(insn, 23);

	/* The others are RFE and SRS. */
	if (before == up)
		return false;
	d->is_load = bit(insn, 20);
	d->rn = bits(insn, 19, 16);
	d->regs = (u16)insn;
	d->writeback = bit(insn, 21);
	if (bit(d->regs, SP) || hweight16(d->regs) < 2)
		return false;
	if (d->is_load ? bit(d->regs, PC) && bit(d->regs, LR) : bit(d->regs, PC))
		return false;
	if (d->writeback && bit(d->regs, d->rn))
		return false;
	return decode_multiple(s, d, before, up);
}

/* A6.3.6: double words, exclusives, table branches. */
static bool decode_t32_dual(u32 insn, const struct decode_state *s, struct decode_insn *d)
{
	bool p = bit(insn, 24), u = bit(insn, 23), w = bit(insn, 21), load = bit(insn, 20);

	d->is_load = load;
	d->rn = bits(insn, 19, 16);
	d->rt = bits(insn, 15, 12);
	d->rt2 = bits(insn, 11, 8);
	if (!p && !w) {
		/* TBB and TBH are branches. */
		if (u && load && bits(insn, 7, 5) == 0)
			return false;
		d->kind = DECODE_EXCLUSIVE;
		d->addr = decode_base(s, d->rn);
		return true;
	}
	d->kind = DECODE_DUAL;
	d->size = 4;
	if (d->rt == SP || d->rt == PC || d->rt2 == SP || d->rt2 == PC)
		return false;
	if (load ? d->rt == d->rt2 : d->rn == PC)
		return false;
	decode_address(s, d, bits(insn, 7, 0) * 4, u, p, w);
	return decode_writeback_ok(d);
}

/* A6.3.7 to A6.3.10: single registers. */
static bool decode_t32_single(u32 insn, const struct decode_state *s, struct decode_insn *d)
{
	unsigned int size = bits(insn, 22, 21), rm = bits(insn, 3, 0);
	bool sign = bit(insn, 24);

	d->is_load = bit(insn, 20);
	d->sign = sign;
	d->rn = bits(insn, 19, 16);
	d->rt = bits(insn, 15, 12);
	if (sign && !d->is_load) {
		d->kind = DECODE_FP;
		d->is_load = bit(insn, 21);
		return true;
	}
	if (size == 3 || (sign && size == 2) || (!d->is_load && d->rn == PC))
		return false;
	d->size = 1 << size;

	if (d->rn == PC) {
		decode_address(s, d, bits(insn, 11, 0), bit(insn, 23), true, false);
	} else if (bit(insn, 23)) {
		decode_address(s, d, bits(insn, 11, 0), true, true, false);
	} else if (bit(insn, 11)) {
		bool p = bit(insn, 10), w = bit(insn, 8);

		if (!p && !w)
			return false;
		d->unprivileged = bits(insn, 10, 8) == 6;
		decode_address(s, d, bits(insn, 7, 0), bit(insn, 9), p, w);
	} else if (!bits(insn, 11, 6)) {
		if (rm == SP || rm == PC)
			return false;
		decode_address(s, d, s->r[rm] << bits(insn, 5, 4), true, true, false);
	} else {
		return false;
	}

	/* Byte and halfword loads to the PC are PLD, PLI and unallocated hints. */
	if (d->rt == PC && d->is_load && size < 2) {
		d->kind = DECODE_HINT;
		return !d->writeback;
	}
	if (d->rt == PC && !d->is_load)
		return false;
	if (d->rt == SP && size < 2)
		return false;
	return decode_writeback_ok(d);
}

static bool decode_t32(u32 insn, const struct decode_state *s, struct decode_insn *d)
{
	if (bits(insn, 27, 25) == 6)
		return decode_coproc(insn, d);
	switch (bits(insn, 31, 25)) {
	case 0x74:
		return bit(insn, 22) ? decode_t32_dual(insn, s, d) : decode_t32_block(insn, s, d);
	case 0x7c:
		return decode_t32_single(insn, s, d);
	default:
		return false;
	}
}

unsigned int armvmm_decode_thumb_len(u16 hw)
{
	return bits(hw, 15, 11) >= 0x1d ? 4 : 2;
}

bool armvmm_decode_ldst(u32 insn, const struct decode_state *state, struct decode_insn *out)
{
	*out = (struct decode_insn) { .kind = DECODE_SINGLE, .len = 4 };

	if (!state->thumb)
		return decode_a32(insn, state, out);
	if (insn >> 16)
		return decode_t32(insn, state, out);
	out->len = 2;
	return decode_t16(insn, state, out);
}
