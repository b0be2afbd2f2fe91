// SPDX-License-Identifier: GPL-2.0-only
/* The tables of cp15 registers. Data, and the arithmetic of encodings. */
#include <linux/kernel.h>
#include <linux/types.h>

#include "arch/archregs.h"
#include "hyp/hyp.h"
#include "regs/cp15_table.h"

#define ENC32(n, m, o1, o2)	.crn = (n), .crm = (m), .op1 = (o1), .op2 = (o2)
#define ENC64(m, o1)		.crn = (m), .op1 = (o1), .is64 = true
#define UNSAVED(fn)		.index = CP15_NOT_SAVED, .access = cp15_access_##fn
#define SAVED(reg, rst)		.index = CP15_##reg, .reset = CP15_RESET_##rst
#define SAVED_VAL(reg, v)	SAVED(reg, VALUE), .value = (v)
#define VM(reg, v)		SAVED_VAL(reg, v), .access = cp15_access_vm

/*
 * Registers without a handler move at the world switch and do not trap. What
 * is UNKNOWN at reset (DDI 0406C B3.17) is zero. SCTLR comes up as on the
 * Cortex-A7 and A15: MMU, caches and alignment checks off, SWP off, A32, LE
 * (B4.1.130). Performance monitors that a vCPU has not read as zero and ignore
 * writes: guests probe them whatever ID_DFR0 says.
 */
const struct cp15_reg cp15_regs[] = {
	{ ENC32(0, 0, 0, 5), SAVED(MPIDR, MPIDR) },
	{ ENC32(0, 0, 2, 0), SAVED_VAL(CSSELR, 0) },
	{ ENC32(1, 0, 0, 0), VM(SCTLR, 0x00c50078) },
	/* HCR.TAC: writes are ignored, as without NSACR.NS_SMP (A15 TRM 4.3.28). */
	{ ENC32(1, 0, 0, 1), SAVED(ACTLR, ACTLR), .access = cp15_access_saved },
	{ ENC32(1, 0, 0, 2), SAVED_VAL(CPACR, 0) },
	{ ENC64(2, 0), VM(TTBR0, 0) },
	{ ENC32(2, 0, 0, 0), VM(TTBR0, 0) },
	{ ENC32(2, 0, 0, 1), VM(TTBR1, 0) },
	{ ENC32(2, 0, 0, 2), VM(TTBCR, 0) },
	{ ENC64(2, 1), VM(TTBR1, 0) },
	{ ENC32(3, 0, 0, 0), VM(DACR, 0) },
	{ ENC32(5, 0, 0, 0), VM(DFSR, 0) },
	{ ENC32(5, 0, 0, 1), VM(IFSR, 0) },
	{ ENC32(5, 1, 0, 0), VM(ADFSR, 0) },
	{ ENC32(5, 1, 0, 1), VM(AIFSR, 0) },
	{ ENC32(6, 0, 0, 0), VM(DFAR, 0) },
	{ ENC32(6, 0, 0, 2), VM(IFAR, 0) },
	{ ENC64(7, 0), SAVED_VAL(PAR, 0) },
	/* DCISW, DCCSW, DCCISW */
	{ ENC32(7, 6, 0, 2), UNSAVED(set_way) },
	{ ENC32(7, 10, 0, 2), UNSAVED(set_way) },
	{ ENC32(7, 14, 0, 2), UNSAVED(set_way) },
	/* L2CTLR (number of CPUs) and L2ECTLR, trapped by HCR.TIDCP */
	{ ENC32(9, 0, 1, 2), SAVED(L2CTLR, L2CTLR), .access = cp15_access_saved },
	{ ENC32(9, 0, 1, 3), UNSAVED(raz_wi) },
	/* PMCR, PMCNTENSET, PMCNTENCLR, PMOVSR, PMSWINC, PMSELR, PMCEID0, PMCEID1 */
	{ ENC32(9, 12, 0, 0), UNSAVED(pmu) },
	{ ENC32(9, 12, 0, 1), UNSAVED(pmu) },
	{ ENC32(9, 12, 0, 2), UNSAVED(pmu) },
	{ ENC32(9, 12, 0, 3), UNSAVED(pmu) },
	{ ENC32(9, 12, 0, 4), UNSAVED(pmu) },
	{ ENC32(9, 12, 0, 5), UNSAVED(pmu) },
	{ ENC32(9, 12, 0, 6), UNSAVED(pmu) },
	{ ENC32(9, 12, 0, 7), UNSAVED(pmu) },
	/* PMCCNTR, PMXEVTYPER, PMXEVCNTR */
	{ ENC32(9, 13, 0, 0), UNSAVED(pmu) },
	{ ENC32(9, 13, 0, 1), UNSAVED(pmu) },
	{ ENC32(9, 13, 0, 2), UNSAVED(pmu) },
	/* PMUSERENR, PMINTENSET, PMINTENCLR, PMOVSSET */
	{ ENC32(9, 14, 0, 0), UNSAVED(pmu) },
	{ ENC32(9, 14, 0, 1), UNSAVED(pmu) },
	{ ENC32(9, 14, 0, 2), UNSAVED(pmu) },
	{ ENC32(9, 14, 0, 3), UNSAVED(pmu) },
	{ ENC32(10, 2, 0, 0), VM(PRRR, 0) },
	{ ENC32(10, 2, 0, 1), VM(NMRR, 0) },
	{ ENC32(10, 3, 0, 0), VM(AMAIR0, 0) },
	{ ENC32(10, 3, 0, 1), VM(AMAIR1, 0) },
	{ ENC32(12, 0, 0, 0), SAVED_VAL(VBAR, 0) },
	{ ENC32(13, 0, 0, 1), VM(CONTEXTIDR, 0) },
	{ ENC32(13, 0, 0, 2), SAVED_VAL(TPIDRURW, 0) },
	{ ENC32(13, 0, 0, 3), SAVED_VAL(TPIDRURO, 0) },
	{ ENC32(13, 0, 0, 4), SAVED_VAL(TPIDRPRW, 0) },
	/*
	 * CNTPCT: CNTHCTL.PL1PCTEN lets all read it, but the emulator (QEMU 7.2)
	 * traps PL0's reads by PL1PCEN.
	 */
	{ ENC64(14, 0), UNSAVED(cntpct) },
	/* CNTP_CVAL; the physical timer is the host's (CNTHCTL.PL1PCEN clear) */
	{ ENC64(14, 2), UNSAVED(cntp_cval) },
	{ ENC32(14, 1, 0, 0), SAVED_VAL(CNTKCTL, 0) },
	{ ENC32(14, 2, 0, 0), UNSAVED(cntp_tval) },
	{ ENC32(14, 2, 0, 1), UNSAVED(cntp_ctl) },
	/*
	 * HSTR.T15. The diagnostic and the internal feature register, in which
	 * Linux sets bits for errata of the Cortex-A12 and A17 without asking:
	 * the host has done so already. CBAR: no peripherals at a private base.
	 */
	{ ENC32(15, 0, 0, 1), UNSAVED(raz_wi) },
	{ ENC32(15, 0, 0, 2), UNSAVED(raz_wi) },
	{ ENC32(15, 0, 4, 0), UNSAVED(raz_ro) },
};

const unsigned int cp15_nr_regs = ARRAY_SIZE(cp15_regs);

#define ID(n, m, o1, o2)	{ ENC32(n, m, o1, o2), .index = CP15_NOT_SAVED }

struct cp15_reg cp15_invariants[] = {
	ID(0, 0, 0, 0),		/* MIDR */
	ID(0, 0, 0, 1),		/* CTR */
	ID(0, 0, 0, 2),		/* TCMTR */
	ID(0, 0, 0, 3),		/* TLBTR */
	ID(0, 0, 0, 6),		/* REVIDR */
	ID(0, 0, 1, 1),		/* CLIDR */
	ID(0, 0, 1, 7),		/* AIDR */
	ID(0, 1, 0, 0),		/* ID_PFR0 */
	ID(0, 1, 0, 1),		/* ID_PFR1 */
	ID(0, 1, 0, 2),		/* ID_DFR0 */
	ID(0, 1, 0, 3),		/* ID_AFR0 */
	ID(0, 1, 0, 4),		/* ID_MMFR0 */
	ID(0, 1, 0, 5),		/* ID_MMFR1 */
	ID(0, 1, 0, 6),		/* ID_MMFR2 */
	ID(0, 1, 0, 7),		/* ID_MMFR3 */
	ID(0, 2, 0, 0),		/* ID_ISAR0 */
	ID(0, 2, 0, 1),		/* ID_ISAR1 */
	ID(0, 2, 0, 2),		/* ID_ISAR2 */
	ID(0, 2, 0, 3),		/* ID_ISAR3 */
	ID(0, 2, 0, 4),		/* ID_ISAR4 */
	ID(0, 2, 0, 5),		/* ID_ISAR5 */
};

const unsigned int cp15_nr_invariants = ARRAY_SIZE(cp15_invariants);

const struct cp15_reg *cp15_find(const struct cp15_reg *table, unsigned int nr, u32 key)
{
	unsigned int lo = 0, hi = nr;

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;
		u32 k = cp15_reg_key(&table[mid]);

		if (k == key)
			return &table[mid];
		if (k < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

bool cp15_sorted(const struct cp15_reg *table, unsigned int nr)
{
	unsigned int i;

	for (i = 1; i < nr; i++)
		if (cp15_reg_key(&table[i - 1]) >= cp15_reg_key(&table[i]))
			return false;
	return true;
}

/* A 64-bit register is named by the CRm of MCRR; in the table it stands under crn. */
u64 cp15_reg_id(const struct cp15_reg *r)
{
	return r->is64 ? ARM_CP15_REG64(r->op1, r->crn) :
			 ARM_CP15_REG32(r->op1, r->crn, r->crm, r->op2);
}

#define CP15_ID_COMMON	(KVM_REG_ARCH_MASK | KVM_REG_SIZE_MASK | KVM_REG_ARM_COPROC_MASK | \
			 KVM_REG_ARM_CRM_MASK | KVM_REG_ARM_OPC1_MASK)

bool cp15_id_key(u64 id, u32 *key)
{
	u8 op1 = (id & KVM_REG_ARM_OPC1_MASK) >> KVM_REG_ARM_OPC1_SHIFT;
	u8 crm = (id & KVM_REG_ARM_CRM_MASK) >> KVM_REG_ARM_CRM_SHIFT;
	u8 crn = (id & KVM_REG_ARM_32_CRN_MASK) >> KVM_REG_ARM_32_CRN_SHIFT;
	u8 op2 = id & KVM_REG_ARM_32_OPC2_MASK;

	if ((id & KVM_REG_ARM_COPROC_MASK) >> KVM_REG_ARM_COPROC_SHIFT != 15)
		return false;

	/* Index bits that the width does not use must be clear; so must the secure bank's. */
	switch (id & KVM_REG_SIZE_MASK) {
	case KVM_REG_SIZE_U32:
		if (id & ~(CP15_ID_COMMON | KVM_REG_ARM_32_CRN_MASK | KVM_REG_ARM_32_OPC2_MASK))
			return false;
		*key = cp15_key(crn, crm, op1, op2, false);
		return true;
	case KVM_REG_SIZE_U64:
		if (id & ~CP15_ID_COMMON)
			return false;
		*key = cp15_key(crm, 0, op1, 0, true);
		return true;
	default:
		return false;
	}
}

void cp15_decode32(u32 hsr, struct cp15_access *a)
{
	*a = (struct cp15_access) {
		.crn = HSR_CP_CRN(hsr),
		.crm = HSR_CP_CRM(hsr),
		.op1 = HSR_CP_OPC1(hsr),
		.op2 = HSR_CP_OPC2(hsr),
		.rt = HSR_CP_RT(hsr),
		.is_write = !(hsr & HSR_CP_READ),
	};
}

void cp15_decode64(u32 hsr, struct cp15_access *a)
{
	*a = (struct cp15_access) {
		.crn = HSR_CP_CRM(hsr),
		.op1 = HSR_CP_OPC1_64(hsr),
		.rt = HSR_CP_RT(hsr),
		.rt2 = HSR_CP_RT2(hsr),
		.is64 = true,
		.is_write = !(hsr & HSR_CP_READ),
	};
}
