/* SPDX-License-Identifier: GPL-2.0-only */
/* A trapped access to a coprocessor register, and its result. */
#ifndef ARMVMM_CP15_ACCESS_H
#define ARMVMM_CP15_ACCESS_H

#include <linux/types.h>

/* One trapped MCR, MRC, MCRR or MRRC. */
struct cp15_access {
	u8 crn;			/* 64 bits wide: the instruction's CRm */
	u8 crm;
	u8 op1;
	u8 op2;
	u8 rt;
	u8 rt2;
	bool is64;
	bool is_write;
	u64 val;		/* in for a write, out for a read */
};

enum cp15_result {
	CP15_DONE,		/* the instruction is complete */
	CP15_UNDEFINED,		/* the guest takes an Undefined Instruction exception */
};

#endif
