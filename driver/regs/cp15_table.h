/* SPDX-License-Identifier: GPL-2.0-only */
/* The tables of cp15 registers: what traps, what is saved, what never changes. */
#ifndef ARMVMM_CP15_TABLE_H
#define ARMVMM_CP15_TABLE_H

#include <linux/types.h>

#include "arch/cp15_access.h"

struct armvmm_vcpu;
struct cp15_reg;

enum cp15_reset {
	CP15_RESET_NONE,
	CP15_RESET_VALUE,
	CP15_RESET_MPIDR,
	CP15_RESET_ACTLR,
	CP15_RESET_L2CTLR,
};

#define CP15_NOT_SAVED	(-1)

struct cp15_reg {
	u8 crn;
	u8 crm;
	u8 op1;
	u8 op2;
	bool is64;
	s8 index;		/* in struct hyp_vcpu.cp15, or CP15_NOT_SAVED */
	enum cp15_reset reset;
	u32 value;		/* CP15_RESET_VALUE; of an invariant register: what it is */
	/* NULL: never trapped. */
	enum cp15_result (*access)(struct armvmm_vcpu *vcpu, struct cp15_access *a,
				   const struct cp15_reg *r);
};

/* Sorted by (crn, crm, op1, op2), 64-bit registers before 32-bit ones. */
extern const struct cp15_reg cp15_regs[];
extern const unsigned int cp15_nr_regs;

/* The ID registers, in the same order: .value is filled in by cp15_invariants_init(). */
extern struct cp15_reg cp15_invariants[];
extern const unsigned int cp15_nr_invariants;

/* The sort key, unique for a register. */
static inline u32 cp15_key(u8 crn, u8 crm, u8 op1, u8 op2, bool is64)
{
	return crn << 12 | crm << 8 | op1 << 4 | op2 << 1 | !is64;
}

static inline u32 cp15_reg_key(const struct cp15_reg *r)
{
	return cp15_key(r->crn, r->crm, r->op1, r->op2, r->is64);
}

/* NULL where the table has no such register. */
const struct cp15_reg *cp15_find(const struct cp15_reg *table, unsigned int nr, u32 key);
bool cp15_sorted(const struct cp15_reg *table, unsigned int nr);

/* The ONE_REG id of a register, and the register's key of an id (false: not a cp15 id). */
u64 cp15_reg_id(const struct cp15_reg *r);
bool cp15_id_key(u64 id, u32 *key);

/* Fields of a trapped access by HSR (DDI 0406C B3.13.6, tables B3-39 and B3-40). */
void cp15_decode32(u32 hsr, struct cp15_access *a);
void cp15_decode64(u32 hsr, struct cp15_access *a);

/* The handlers that the table names, in cp15_access.c. */
#define CP15_ACCESS(name)							\
	enum cp15_result cp15_access_##name(struct armvmm_vcpu *vcpu,		\
					    struct cp15_access *a, const struct cp15_reg *r)
CP15_ACCESS(vm);	/* HCR.TVM */
CP15_ACCESS(saved);	/* reads what is saved, ignores writes */
CP15_ACCESS(raz_wi);
CP15_ACCESS(raz_ro);
CP15_ACCESS(set_way);	/* HCR.TSW */
CP15_ACCESS(pmu);	/* HDCR.TPM */
CP15_ACCESS(cntpct);
CP15_ACCESS(cntp_ctl);
CP15_ACCESS(cntp_tval);
CP15_ACCESS(cntp_cval);

#endif
