/* SPDX-License-Identifier: GPL-2.0-only */
/* Decodes the instructions that matter to the checker (DDI 0406C A5, A6, A8). */
#ifndef COHERENCY_INSN_H
#define COHERENCY_INSN_H

#include <stdbool.h>
#include <stdint.h>

enum insn_kind {
	INSN_OTHER,
	INSN_MCR,
	INSN_MRC,
	INSN_MCRR,
	INSN_MRRC,
	INSN_DSB,
	INSN_DMB,
	INSN_ISB,
	INSN_ERET,
	INSN_FP,	/* floating point and SIMD, their loads, stores and registers */
};

/* A coprocessor register's encoding; those of 64-bit registers have CRn 0 and opc2 0. */
#define CP_REG(crn, opc1, crm, opc2)	((crn) << 12 | (opc1) << 8 | (crm) << 4 | (opc2))
#define CP_REG64(opc1, crm)		(0x10000 | (opc1) << 8 | (crm) << 4)

struct insn {
	enum insn_kind kind;
	uint8_t cond;	/* 14: always */
	uint8_t cp;	/* coprocessor of MCR to MRRC */
	uint8_t rt, rt2;
	uint32_t reg;	/* CP_REG() or CP_REG64() */
};

/* With @thumb, @bits holds two halfwords, the first in the upper half, or one in the lower half. */
struct insn insn_decode(uint32_t bits, bool thumb);
bool insn_cond_holds(unsigned int cond, uint32_t cpsr);

#endif
