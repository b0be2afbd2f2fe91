/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Decodes loads and stores of A32 and T32 (DDI 0406C A5.3, A5.5, A6.2.4, A6.3).
 * Pure: the caller passes the registers, nothing else is read.
 */
#ifndef ARMVMM_DECODE_H
#define ARMVMM_DECODE_H

#include <linux/types.h>

enum decode_kind {
	DECODE_SINGLE,		/* rt */
	DECODE_DUAL,		/* rt and rt2, two words */
	DECODE_MULTIPLE,	/* regs, a bit each, ascending addresses */
	DECODE_SWAP,		/* SWP, SWPB: rt is loaded, rt2 stored */
	DECODE_EXCLUSIVE,	/* LDREX, STREX and their kin: refused */
	DECODE_FP,		/* VLDR, VSTM, VLD1...: refused */
	DECODE_COPROC,		/* LDC, STC: refused */
	DECODE_HINT,		/* PLD, PLI: do not fault */
};

struct decode_insn {
	enum decode_kind kind;
	bool is_load;
	bool sign;		/* the loaded value is sign-extended */
	bool unprivileged;	/* LDRT, STRT and their kin: as from PL0 */
	bool user_bank;		/* LDM, STM with ^: they transfer User mode's registers */
	bool exception_return;	/* LDM ^ with PC, RFE: CPSR from SPSR or memory */
	u8 size;		/* bytes of each access: 1, 2 or 4 */
	u8 len;			/* bytes of the instruction */
	u8 rt;
	u8 rt2;
	u8 rn;			/* base */
	u16 regs;
	bool writeback;		/* rn becomes wb_value */
	u32 addr;		/* of the first access */
	u32 wb_value;
};

/* The CPU's state on which the result depends. */
struct decode_state {
	u32 r[16];		/* R15 is the instruction's own address */
	bool thumb;
	bool carry;		/* APSR.C: RRX */
};

/* Bytes of a T32 instruction whose first halfword is @hw (A6.1): 2 or 4. */
unsigned int armvmm_decode_thumb_len(u16 hw);

/*
 * @insn: an A32 word, a T32 halfword, or two T32 halfwords with the first one on
 * top. Returns true and fills in *out for a load or store with defined behaviour.
 */
bool armvmm_decode_ldst(u32 insn, const struct decode_state *state, struct decode_insn *out);

#endif
