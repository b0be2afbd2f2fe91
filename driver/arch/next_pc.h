/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Single step: where the CPU goes after one instruction, and which breakpoints
 * stop it there. Pure functions of registers and memory.
 */
#ifndef ARMVMM_NEXT_PC_H
#define ARMVMM_NEXT_PC_H

#include <linux/types.h>

#define STEP_MAX_BPS	6

struct next_pc_state {
	u32 r[16];		/* of the current mode; r[15] is the instruction's address */
	u32 cpsr;
	u32 spsr;		/* where has_spsr: not in USR and SYS */
	bool has_spsr;
	bool vectors_thumb;	/* SCTLR.TE */
	u32 vectors;		/* VBAR, or the high vectors */
	/* Reads @len bytes at a guest virtual address. False if they cannot be read. */
	bool (*read)(void *ctx, u32 va, void *buf, unsigned int len);
	void *ctx;
};

struct next_pc_target {
	u32 pc;
	bool thumb;
};

/* DBGBVR and DBGBCR (DDI 0406C C11.11.2) */
struct next_pc_bp {
	u32 bvr;
	u32 bcr;
};

/* Reads the instruction at the PC. A four-byte T32 one has its first half in bits 31-16. */
bool armvmm_next_pc_fetch(const struct next_pc_state *s, u32 *insn);

/*
 * Where the CPU goes after @insn at r[15], if that takes no exception other than
 * SVC. False where this cannot be known: Jazelle and ThumbEE state, an exception
 * return without an SPSR, a table that cannot be read.
 */
bool armvmm_next_pc_find(const struct next_pc_state *s, u32 insn, struct next_pc_target *next);

/*
 * Fills in the breakpoints that stop the CPU after the instruction at r[15], at
 * most @nr of them. Returns their number. @mismatch: the CPU has working address
 * mismatch breakpoints (C3.3.1), and one stops it wherever it goes. Otherwise each
 * place where it may go has a match: the decoded target, and the vectors.
 */
unsigned int armvmm_next_pc_plan(const struct next_pc_state *s, bool mismatch,
				 struct next_pc_bp *bps, unsigned int nr);

#endif
