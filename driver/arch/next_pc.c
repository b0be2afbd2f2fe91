// SPDX-License-Identifier: GPL-2.0-only
/*
 * The next PC of an A32 or T32 instruction (DDI 0406C A5, A6, A8). After an
 * instruction that does not write the PC comes the one behind it. Exceptions are
 * not considered here: an undefined or aborting instruction goes on at a vector,
 * a trapped one in the exit handler.
 */
#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/swab.h>
#include <linux/types.h>

#include "arch/archregs.h"
#include "arch/dbgregs.h"
#include "arch/decode.h"
#include "arch/exception.h"
#include "arch/next_pc.h"

#define PC_BITS(v, hi, lo)	(((v) >> (lo)) & ((1u << ((hi) - (lo) + 1)) - 1))
#define PC_BIT(v, n)		(((v) >> (n)) & 1)

static u32 pc_sign_extend(u32 val, unsigned int bits)
{
	u32 top = 1u << (bits - 1);

	return (val ^ top) - top;
}

/* Data accesses follow CPSR.E (A3.3). */
static bool pc_read32(const struct next_pc_state *s, u32 va, u32 *val)
{
	if (!s->read(s->ctx, va, val, sizeof(*val)))
		return false;
	if (s->cpsr & CPSR_E)
		*val = swab32(*val);
	return true;
}

/* Rn as an operand: R15 reads two instructions ahead (A2.3). */
static u32 pc_reg(const struct next_pc_state *s, unsigned int n)
{
	if (n != 15)
		return s->r[n];
	return s->r[15] + (s->cpsr & CPSR_T ? 4 : 8);
}

static bool pc_to(struct next_pc_target *next, u32 pc, bool thumb)
{
	next->pc = pc & (thumb ? ~1u : ~3u);
	next->thumb = thumb;
	return true;
}

/* BXWritePC(), A2.3.1; LoadWritePC() is the same in ARMv7, and ALUWritePC() in A32. */
static bool pc_interwork(struct next_pc_target *next, u32 val)
{
	return pc_to(next, val, val & 1);
}

static bool pc_load_pc(const struct next_pc_state *s, u32 va, struct next_pc_target *next)
{
	u32 val;

	return pc_read32(s, va, &val) && pc_interwork(next, val);
}

/* Returns to the state that SPSR holds (B9.3.20, B9.3.5, B9.3.3). USR and SYS have no SPSR. */
static bool pc_return(const struct next_pc_state *s, u32 pc, struct next_pc_target *next)
{
	return s->has_spsr && pc_to(next, pc, s->spsr & CPSR_T);
}

static bool pc_svc(const struct next_pc_state *s, struct next_pc_target *next)
{
	return pc_to(next, s->vectors + VECTOR_SVC, s->vectors_thumb);
}

/* RFE loads the PC from @va, and CPSR from the next word (B9.3.13). */
static bool pc_rfe(const struct next_pc_state *s, u32 va, struct next_pc_target *next)
{
	u32 pc, cpsr;

	return pc_read32(s, va, &pc) && pc_read32(s, va + 4, &cpsr) &&
	       pc_to(next, pc, cpsr & CPSR_T);
}

/* Shift() of A8.4.3, without RRX. */
static u32 pc_shift(u32 val, unsigned int type, unsigned int n)
{
	switch (type) {
	case 0:
		return n < 32 ? val << n : 0;
	case 1:
		return n < 32 ? val >> n : 0;
	case 2:
		return (u32)((s32)val >> (n < 32 ? n : 31));
	default:
		n &= 31;
		return n ? val >> n | val << (32 - n) : val;
	}
}

/* DecodeImmShift(), A8.4.3: an amount of zero stands for 32, or for RRX. */
static u32 pc_shift_imm(const struct next_pc_state *s, u32 val, unsigned int type, unsigned int n)
{
	if (n || !type)
		return pc_shift(val, type, n);
	if (type == 3)
		return val >> 1 | (s->cpsr & CPSR_C ? 1u << 31 : 0);
	return pc_shift(val, type, 32);
}

static u32 pc_a32_operand(const struct next_pc_state *s, u32 insn)
{
	u32 rm;

	if (PC_BIT(insn, 25))
		return pc_shift(insn & 0xff, 3, PC_BITS(insn, 11, 8) * 2);
	rm = pc_reg(s, insn & 15);
	if (PC_BIT(insn, 4))
		return pc_shift(rm, PC_BITS(insn, 6, 5),
				pc_reg(s, PC_BITS(insn, 11, 8)) & 0xff);
	return pc_shift_imm(s, rm, PC_BITS(insn, 6, 5), PC_BITS(insn, 11, 7));
}

/* Data processing with the PC as destination, A5.2.1 to A5.2.3. */
static bool pc_a32_alu(const struct next_pc_state *s, u32 insn, struct next_pc_target *next)
{
	u32 rn = pc_reg(s, PC_BITS(insn, 19, 16)), op2 = pc_a32_operand(s, insn), val;
	u32 carry = s->cpsr & CPSR_C ? 1 : 0;

	switch (PC_BITS(insn, 24, 21)) {
	case 0:			/* AND */
		val = rn & op2;
		break;
	case 1:			/* EOR */
		val = rn ^ op2;
		break;
	case 2:			/* SUB */
		val = rn - op2;
		break;
	case 3:			/* RSB */
		val = op2 - rn;
		break;
	case 4:			/* ADD */
		val = rn + op2;
		break;
	case 5:			/* ADC */
		val = rn + op2 + carry;
		break;
	case 6:			/* SBC */
		val = rn + ~op2 + carry;
		break;
	case 7:			/* RSC */
		val = op2 + ~rn + carry;
		break;
	case 12:		/* ORR */
		val = rn | op2;
		break;
	case 13:		/* MOV and the shifts */
		val = op2;
		break;
	case 14:		/* BIC */
		val = rn & ~op2;
		break;
	case 15:		/* MVN */
		val = ~op2;
		break;
	default:		/* TST, TEQ, CMP, CMN write flags alone */
		return pc_to(next, s->r[15] + 4, false);
	}
	return PC_BIT(insn, 20) ? pc_return(s, val, next) : pc_interwork(next, val);
}

/* The instructions between TST and CMN that set no flags: A5.2.12. */
static bool pc_a32_misc(const struct next_pc_state *s, u32 insn, struct next_pc_target *next)
{
	switch (insn & 0x0ff000f0) {
	case 0x01200010:	/* BX */
	case 0x01200020:	/* BXJ: a BX where Jazelle is trivial (A8.8.28) */
	case 0x01200030:	/* BLX */
		return pc_interwork(next, pc_reg(s, insn & 15));
	case 0x01600060:	/* ERET: outside HYP mode it is SUBS PC, LR, #0 (B9.3.3) */
		return pc_return(s, s->r[14], next);
	default:
		return pc_to(next, s->r[15] + 4, false);
	}
}

static bool pc_a32_data(const struct next_pc_state *s, u32 insn, struct next_pc_target *next)
{
	bool imm = PC_BIT(insn, 25);

	/* Multiplies, extra loads and stores, synchronization: none writes the PC. */
	if (!imm && (insn & 0x90) == 0x90)
		return pc_to(next, s->r[15] + 4, false);
	if ((insn & 0x01900000) == 0x01000000)
		return imm ? pc_to(next, s->r[15] + 4, false) : pc_a32_misc(s, insn, next);
	if (PC_BITS(insn, 15, 12) != 15)
		return pc_to(next, s->r[15] + 4, false);
	return pc_a32_alu(s, insn, next);
}

/* LDR to the PC, A8.8.63 to A8.8.66. */
static bool pc_a32_load(const struct next_pc_state *s, u32 insn, struct next_pc_target *next)
{
	u32 rn = pc_reg(s, PC_BITS(insn, 19, 16)), offset;

	/* Media instructions share the encoding space; LDRB and STR do not load the PC. */
	if ((PC_BIT(insn, 25) && PC_BIT(insn, 4)) || !PC_BIT(insn, 20) ||
	    PC_BIT(insn, 22) || PC_BITS(insn, 15, 12) != 15)
		return pc_to(next, s->r[15] + 4, false);

	if (PC_BIT(insn, 25))
		offset = pc_shift_imm(s, pc_reg(s, insn & 15), PC_BITS(insn, 6, 5),
				      PC_BITS(insn, 11, 7));
	else
		offset = insn & 0xfff;
	if (!PC_BIT(insn, 24))	/* post-indexed */
		offset = 0;
	return pc_load_pc(s, PC_BIT(insn, 23) ? rn + offset : rn - offset, next);
}

/* LDM with the PC, which is loaded from the highest address (A8.8.58 to A8.8.61). */
static bool pc_a32_ldm(const struct next_pc_state *s, u32 insn, struct next_pc_target *next)
{
	u32 va = pc_reg(s, PC_BITS(insn, 19, 16)), pc;
	unsigned int n = hweight16(insn & 0xffff);
	bool before = PC_BIT(insn, 24);

	if (!PC_BIT(insn, 20) || !PC_BIT(insn, 15))
		return pc_to(next, s->r[15] + 4, false);
	if (PC_BIT(insn, 23))
		va += 4 * (before ? n : n - 1);
	else if (before)
		va -= 4;
	if (!PC_BIT(insn, 22))
		return pc_load_pc(s, va, next);
	/* LDM with ^: an exception return (B9.3.5) */
	return pc_read32(s, va, &pc) && pc_return(s, pc, next);
}

static u32 pc_a32_branch(const struct next_pc_state *s, u32 insn)
{
	return s->r[15] + 8 + (pc_sign_extend(insn & 0xffffff, 24) << 2);
}

/* Condition field 0b1111: A5.7. */
static bool pc_a32_uncond(const struct next_pc_state *s, u32 insn, struct next_pc_target *next)
{
	u32 rn = s->r[PC_BITS(insn, 19, 16)];

	if ((insn & 0xfe000000) == 0xfa000000)	/* BLX: H is bit 1 of the target */
		return pc_to(next, pc_a32_branch(s, insn) + (PC_BIT(insn, 24) << 1), true);
	if ((insn & 0xfe500000) == 0xf8100000) {
		switch (PC_BITS(insn, 24, 23)) {
		case 0:		/* DA */
			return pc_rfe(s, rn - 4, next);
		case 1:		/* IA */
			return pc_rfe(s, rn, next);
		case 2:		/* DB */
			return pc_rfe(s, rn - 8, next);
		default:	/* IB */
			return pc_rfe(s, rn + 4, next);
		}
	}
	return pc_to(next, s->r[15] + 4, false);
}

static bool pc_a32(const struct next_pc_state *s, u32 insn, struct next_pc_target *next)
{
	if (insn >> 28 == 15)
		return pc_a32_uncond(s, insn, next);
	if (!armvmm_exception_cond_holds(insn >> 28, s->cpsr))
		return pc_to(next, s->r[15] + 4, false);

	switch (PC_BITS(insn, 27, 25)) {
	case 0:
	case 1:
		return pc_a32_data(s, insn, next);
	case 2:
	case 3:
		return pc_a32_load(s, insn, next);
	case 4:
		return pc_a32_ldm(s, insn, next);
	case 5:
		return pc_to(next, pc_a32_branch(s, insn), false);
	case 7:
		if (PC_BIT(insn, 24))
			return pc_svc(s, next);
		break;
	}
	return pc_to(next, s->r[15] + 4, false);
}

/* Sixteen bits, A6.2. */
static bool pc_t16(const struct next_pc_state *s, u32 insn, struct next_pc_target *next)
{
	u32 pc = s->r[15] + 4;

	if ((insn & 0xf000) == 0xd000 && (insn & 0xf00) != 0xe00) {
		if ((insn & 0xf00) == 0xf00)
			return pc_svc(s, next);
		if (armvmm_exception_cond_holds(PC_BITS(insn, 11, 8), s->cpsr))
			return pc_to(next, pc + (pc_sign_extend(insn & 0xff, 8) << 1), true);
	} else if ((insn & 0xf800) == 0xe000) {
		return pc_to(next, pc + (pc_sign_extend(insn & 0x7ff, 11) << 1), true);
	} else if ((insn & 0xff00) == 0x4700) {		/* BX, BLX */
		return pc_interwork(next, pc_reg(s, PC_BITS(insn, 6, 3)));
	} else if ((insn & 0xff87) == 0x4487) {		/* ADD PC, Rm: no change of state */
		return pc_to(next, pc + pc_reg(s, PC_BITS(insn, 6, 3)), true);
	} else if ((insn & 0xff87) == 0x4687) {		/* MOV PC, Rm: likewise */
		return pc_to(next, pc_reg(s, PC_BITS(insn, 6, 3)), true);
	} else if ((insn & 0xff00) == 0xbd00) {		/* POP */
		return pc_load_pc(s, s->r[13] + 4 * hweight8(insn & 0xff), next);
	} else if ((insn & 0xf500) == 0xb100) {		/* CBZ, CBNZ */
		u32 offset = PC_BIT(insn, 9) << 6 | PC_BITS(insn, 7, 3) << 1;

		if (!s->r[insn & 7] == !PC_BIT(insn, 11))
			return pc_to(next, pc + offset, true);
	}
	return pc_to(next, s->r[15] + 2, true);
}

/* B.W, BL and BLX: a 25-bit offset. Two of its bits are encoded as an XOR with the sign. */
static u32 pc_t32_offset(u32 insn)
{
	u32 sign = PC_BIT(insn, 26);
	u32 i1 = !(PC_BIT(insn, 13) ^ sign), i2 = !(PC_BIT(insn, 11) ^ sign);

	return pc_sign_extend(sign << 24 | i1 << 23 | i2 << 22 | PC_BITS(insn, 25, 16) << 12 |
			      PC_BITS(insn, 10, 0) << 1, 25);
}

/* Branches and miscellaneous control, A6.3.4. */
static bool pc_t32_branch(const struct next_pc_state *s, u32 insn, struct next_pc_target *next)
{
	u32 pc = s->r[15] + 4, offset;

	switch (insn & 0x5000) {
	case 0x1000:		/* B.W */
	case 0x5000:		/* BL */
		return pc_to(next, pc + pc_t32_offset(insn), true);
	case 0x4000:		/* BLX: from the aligned PC, to A32 */
		return pc_to(next, (pc & ~3u) + pc_t32_offset(insn), false);
	}
	if (PC_BITS(insn, 25, 23) != 7) {		/* B<c>.W */
		offset = PC_BIT(insn, 26) << 20 | PC_BIT(insn, 11) << 19 |
			 PC_BIT(insn, 13) << 18 | PC_BITS(insn, 21, 16) << 12 |
			 PC_BITS(insn, 10, 0) << 1;
		if (armvmm_exception_cond_holds(PC_BITS(insn, 25, 22), s->cpsr))
			return pc_to(next, pc + pc_sign_extend(offset, 21), true);
	} else if ((insn & 0xffffff00) == 0xf3de8f00) {	/* SUBS PC, LR, #imm8; ERET */
		return pc_return(s, s->r[14] - (insn & 0xff), next);
	} else if ((insn & 0xfff0ffff) == 0xf3c08f00) {	/* BXJ */
		return pc_interwork(next, pc_reg(s, PC_BITS(insn, 19, 16)));
	}
	return pc_to(next, s->r[15] + 4, true);
}

/* LDM, POP and RFE, A6.3.5. */
static bool pc_t32_ldm(const struct next_pc_state *s, u32 insn, struct next_pc_target *next)
{
	u32 rn = s->r[PC_BITS(insn, 19, 16)];

	switch (PC_BITS(insn, 24, 23)) {
	case 0:			/* RFEDB */
		return pc_rfe(s, rn - 8, next);
	case 3:			/* RFEIA */
		return pc_rfe(s, rn, next);
	}
	if (!PC_BIT(insn, 15))
		return pc_to(next, s->r[15] + 4, true);
	if (PC_BIT(insn, 24))	/* DB */
		return pc_load_pc(s, rn - 4, next);
	return pc_load_pc(s, rn + 4 * (hweight16(insn & 0xffff) - 1), next);
}

/* TBB and TBH, A8.8.237: offsets forward, in halfwords. */
static bool pc_t32_table(const struct next_pc_state *s, u32 insn, struct next_pc_target *next)
{
	u32 base = pc_reg(s, PC_BITS(insn, 19, 16)), index = s->r[insn & 15];
	u16 half;
	u8 byte;

	if (!PC_BIT(insn, 4)) {
		if (!s->read(s->ctx, base + index, &byte, sizeof(byte)))
			return false;
		return pc_to(next, s->r[15] + 4 + 2 * byte, true);
	}
	if (!s->read(s->ctx, base + 2 * index, &half, sizeof(half)))
		return false;
	if (s->cpsr & CPSR_E)
		half = swab16(half);
	return pc_to(next, s->r[15] + 4 + 2 * half, true);
}

/* LDR.W to the PC, A8.8.62 to A8.8.65. */
static bool pc_t32_load(const struct next_pc_state *s, u32 insn, struct next_pc_target *next)
{
	unsigned int n = PC_BITS(insn, 19, 16);
	u32 rn = s->r[n], offset = insn & 0xff;

	if (n == 15) {
		rn = (s->r[15] + 4) & ~3u;
		offset = insn & 0xfff;
		return pc_load_pc(s, PC_BIT(insn, 23) ? rn + offset : rn - offset, next);
	}
	if (PC_BIT(insn, 23))
		return pc_load_pc(s, rn + (insn & 0xfff), next);
	if (!(insn & 0xfc0))
		return pc_load_pc(s, rn + (s->r[insn & 15] << PC_BITS(insn, 5, 4)), next);
	if (!PC_BIT(insn, 11))	/* undefined */
		return pc_to(next, s->r[15] + 4, true);
	if (!PC_BIT(insn, 10))	/* post-indexed */
		offset = 0;
	return pc_load_pc(s, PC_BIT(insn, 9) ? rn + offset : rn - offset, next);
}

static bool pc_t32(const struct next_pc_state *s, u32 insn, struct next_pc_target *next)
{
	if ((insn & 0xf8008000) == 0xf0008000)
		return pc_t32_branch(s, insn, next);
	if ((insn & 0xfe500000) == 0xe8100000)
		return pc_t32_ldm(s, insn, next);
	if ((insn & 0xfff0ffe0) == 0xe8d0f000)
		return pc_t32_table(s, insn, next);
	if ((insn & 0xff70f000) == 0xf850f000)
		return pc_t32_load(s, insn, next);
	return pc_to(next, s->r[15] + 4, true);
}

bool armvmm_next_pc_fetch(const struct next_pc_state *s, u32 *insn)
{
	u16 first, second;

	/* Instructions are little-endian, whatever CPSR.E says (A3.3.1). */
	if (!(s->cpsr & CPSR_T))
		return s->read(s->ctx, s->r[15], insn, sizeof(*insn));
	if (!s->read(s->ctx, s->r[15], &first, sizeof(first)))
		return false;
	*insn = first;
	if (armvmm_decode_thumb_len(first) == 2)
		return true;
	if (!s->read(s->ctx, s->r[15] + 2, &second, sizeof(second)))
		return false;
	*insn = (u32)first << 16 | second;
	return true;
}

bool armvmm_next_pc_find(const struct next_pc_state *s, u32 insn, struct next_pc_target *next)
{
	u32 it = (s->cpsr & CPSR_IT_HI) >> 8 | (s->cpsr & CPSR_IT_LO) >> 25;
	bool wide;

	if (s->cpsr & CPSR_J)
		return false;
	if (!(s->cpsr & CPSR_T))
		return pc_a32(s, insn, next);
	wide = insn >> 16;
	/* An instruction that its IT block's condition skips (A2.5.2) writes no PC. */
	if (it && !armvmm_exception_cond_holds(it >> 4, s->cpsr))
		return pc_to(next, s->r[15] + (wide ? 4 : 2), true);
	return wide ? pc_t32(s, insn, next) : pc_t16(s, insn, next);
}

/* A breakpoint on one instruction, in PL0 and PL1 of the Non-secure world (C3.3.7). */
static struct next_pc_bp pc_bp(u32 pc, bool thumb, u32 type)
{
	u32 bas = !thumb ? DBGBCR_BAS : pc & 2 ? DBGBCR_BAS_HIGH : DBGBCR_BAS_LOW;

	return (struct next_pc_bp) {
		.bvr = pc & ~3u,
		.bcr = DBGCR_E | DBGCR_PMC | DBGCR_SSC_NS | bas | type,
	};
}

unsigned int armvmm_next_pc_plan(const struct next_pc_state *s, bool mismatch,
				 struct next_pc_bp *bps, unsigned int nr)
{
	/* The likeliest first: a CPU may have too few registers for all. */
	static const u32 vectors[] = {
		VECTOR_IRQ, VECTOR_DABT, VECTOR_UNDEF, VECTOR_PABT, VECTOR_FIQ,
	};
	struct next_pc_target next = {};
	unsigned int i, n = 0;
	u32 insn;
	bool known;

	nr = min_t(unsigned int, nr, STEP_MAX_BPS);
	known = armvmm_next_pc_fetch(s, &insn) && armvmm_next_pc_find(s, insn, &next);
	if (mismatch && nr) {
		bps[n++] = pc_bp(s->r[15], s->cpsr & CPSR_T, DBGBCR_BT_MISMATCH);
		/* A branch to itself never mismatches: match it, and it stops before it runs. */
		if (n < nr && known && next.pc == s->r[15])
			bps[n++] = pc_bp(next.pc, next.thumb, 0);
		return n;
	}
	if (n < nr && known)
		bps[n++] = pc_bp(next.pc, next.thumb, 0);
	/* A match at r15 itself would stop an instruction at a vector before it ran. */
	for (i = 0; i < ARRAY_SIZE(vectors) && n < nr; i++)
		if (s->vectors + vectors[i] != s->r[15])
			bps[n++] = pc_bp(s->vectors + vectors[i], s->vectors_thumb, 0);
	return n;
}
