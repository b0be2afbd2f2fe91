/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fields of ARMv7-A registers, by the manual's names (DDI 0406C), for C and for assembly. Those of
 * the debug registers are in dbgregs.h, of the performance monitors in pmuregs.h, of long
 * descriptors' translation in lpae.h, of the GIC in gic.h; codes of faults that only a walk makes
 * are in gva.c. Outside arch/ no file of driver/ defines any: there are only whole values, such as
 * what a register is reset to and which of its bits a guest may write. Pure.
 */
#ifndef ARMVMM_ARCHREGS_H
#define ARMVMM_ARCHREGS_H

#include "arch/regbits.h"

/* CPSR and SPSR, B1.3.3 */
#define CPSR_M_MASK		REG_U(0x0000001f)
#define CPSR_M_USR		REG_U(0x10)
#define CPSR_M_FIQ		REG_U(0x11)
#define CPSR_M_IRQ		REG_U(0x12)
#define CPSR_M_SVC		REG_U(0x13)
#define CPSR_M_ABT		REG_U(0x17)
#define CPSR_M_HYP		REG_U(0x1a)
#define CPSR_M_UND		REG_U(0x1b)
#define CPSR_M_SYS		REG_U(0x1f)
#define CPSR_T			REG_U(0x00000020)
#define CPSR_F			REG_U(0x00000040)
#define CPSR_I			REG_U(0x00000080)
#define CPSR_A			REG_U(0x00000100)
#define CPSR_E			REG_U(0x00000200)
#define CPSR_IT_HI		REG_U(0x0000fc00)	/* IT[7:2] */
#define CPSR_IT_LO		REG_U(0x06000000)	/* IT[1:0] */
#define CPSR_IT			(CPSR_IT_HI | CPSR_IT_LO)
#define CPSR_IT_LEFT		REG_U(0x06000c00)	/* IT[3:0]: zero outside an IT block */
#define CPSR_J			REG_U(0x01000000)
#define CPSR_RES0		REG_U(0x00f00000)
#define CPSR_NZCV		REG_U(0xf0000000)
#define CPSR_N			REG_U(0x80000000)
#define CPSR_Z			REG_U(0x40000000)
#define CPSR_C			REG_U(0x20000000)
#define CPSR_V			REG_U(0x10000000)

/* Offsets of the vectors, and where SCTLR.V puts them: B1.8.1 */
#define VECTOR_UNDEF		0x04
#define VECTOR_SVC		0x08
#define VECTOR_PABT		0x0c
#define VECTOR_DABT		0x10
#define VECTOR_IRQ		0x18
#define VECTOR_FIQ		0x1c
#define VECTORS_HIGH		REG_U(0xffff0000)

/* FPEXC, B4.1.57; FP2V is of the common VFP subarchitecture */
#define FPEXC_FP2V		REG_BIT(28)
#define FPEXC_EN		REG_BIT(30)
#define FPEXC_EX		REG_BIT(31)

/* TEECR and TEEHBR, A2.10: what is not reserved */
#define TEECR_XED		REG_BIT(0)
#define TEEHBR_BASE		REG_U(0xfffffffc)

/* SCTLR, B4.1.130 */
#define SCTLR_M			REG_BIT(0)
#define SCTLR_C			REG_BIT(2)
#define SCTLR_I			REG_BIT(12)
#define SCTLR_V			REG_BIT(13)
#define SCTLR_EE		REG_BIT(25)
#define SCTLR_TRE		REG_BIT(28)
#define SCTLR_AFE		REG_BIT(29)
#define SCTLR_TE		REG_BIT(30)

/* HSCTLR, B4.1.71: its own, and bits that are one */
#define HSCTLR_M		REG_BIT(0)
#define HSCTLR_A		REG_BIT(1)
#define HSCTLR_C		REG_BIT(2)
#define HSCTLR_CP15BEN		REG_BIT(5)
#define HSCTLR_I		REG_BIT(12)
#define HSCTLR_WXN		REG_BIT(19)
#define HSCTLR_RES1		REG_U(0x30c50818)

/* ACTLR of ARM's own CPUs: the A15's TRM, 4.3.28 */
#define ACTLR_IBE		REG_BIT(0)
#define ACTLR_LOOP_BUFFER_OFF	REG_BIT(1)
#define ACTLR_SMP		REG_BIT(6)
#define ACTLR_STREAMING_OFF	REG_U(0x1e000000)	/* all four bits */
/* ACTLR2 of the Cortex-A15 from r3p0 on: each clean by address also invalidates (827671) */
#define ACTLR2_INV_DCC		REG_BIT(0)

/* NSACR, B4.1.111 */
#define NSACR_RFR		REG_BIT(19)

/* TTBCR, B4.1.153: short format, then long */
#define TTBCR_N(ttbcr)		((ttbcr) & 7)
#define TTBCR_PD0		REG_BIT(4)
#define TTBCR_PD1		REG_BIT(5)
#define TTBCR_T0SZ(ttbcr)	((ttbcr) & 7)
#define TTBCR_BIT_EPD0		REG_BIT(7)
#define TTBCR_T1SZ(ttbcr)	(((ttbcr) >> 16) & 7)
#define TTBCR_BIT_EPD1		REG_BIT(23)
#define TTBCR_BIT_EAE		REG_BIT(31)

/* DFSR and IFSR, B4.1.52 and B4.1.96 */
#define FSR_LPAE		REG_BIT(9)
#define DFSR_WNR		REG_BIT(11)
#define FSR_SHORT_SYNC_EXT	REG_U(0x008)	/* FS = 0b01000, table B3-23 */
#define FSR_LONG_SYNC_EXT	REG_U(0x010)	/* STATUS = 0b010000, table B3-24 */
#define FSR_SHORT_DEBUG		REG_U(0x002)	/* FS = 0b00010 */
#define FSR_LONG_DEBUG		REG_U(0x022)	/* STATUS = 0b100010 */
#define DFSR_CM			REG_BIT(13)

/* PAR, B4.1.112, and ISR, B4.1.97 */
#define PAR_F			REG_BIT(0)
/* PAR as the short-descriptor format has it: a supersection; NOS, SH, and both cacheabilities */
#define PAR_SHORT_SS		REG_BIT(1)
#define PAR_SHORT_ATTR		(REG_BIT(10) | REG_BIT(7) | REG_U(0x7c))
#define ISR_F			REG_BIT(6)
#define ISR_I			REG_BIT(7)
#define ISR_A			REG_BIT(8)

/* HPFAR, B4.1.70: bits 39-12 of an address, in bits 31-4 */
#define HPFAR_FIPA		REG_U(0xfffffff0)
#define HPFAR_FIPA_SHIFT	8

/* CNTHCTL, B4.1.22: what PL1 may use of the physical counter and timer */
#define CNTHCTL_PL1PCTEN	REG_BIT(0)
#define CNTHCTL_PL1PCEN		REG_BIT(1)

/* HCPTR, B4.1.64 */
#define HCPTR_TCP10		REG_BIT(10)
#define HCPTR_TCP11		REG_BIT(11)
#define HCPTR_TTA		REG_BIT(20)

/* HCR, B4.1.65 */
#define HCR_VM			REG_BIT(0)
#define HCR_SWIO		REG_BIT(1)
#define HCR_PTW			REG_BIT(2)	/* a stage 1 walk of device memory faults */
#define HCR_FMO			REG_BIT(3)
#define HCR_IMO			REG_BIT(4)
#define HCR_AMO			REG_BIT(5)
#define HCR_VF			REG_BIT(6)
#define HCR_VI			REG_BIT(7)
#define HCR_VA			REG_BIT(8)
#define HCR_FB			REG_BIT(9)
#define HCR_BSU_IS		REG_BIT(10)
#define HCR_DC			REG_BIT(12)
#define HCR_TWI			REG_BIT(13)
#define HCR_TWE			REG_BIT(14)
#define HCR_TID3		REG_BIT(18)
#define HCR_TSC			REG_BIT(19)
#define HCR_TIDCP		REG_BIT(20)
#define HCR_TAC			REG_BIT(21)
#define HCR_TSW			REG_BIT(22)
#define HCR_TVM			REG_BIT(26)

/* HSTR, B4.1.73, and HDCR, B4.1.66 */
#define HSTR_T15		REG_BIT(15)
#define HSTR_TTEE		REG_BIT(16)
#define HDCR_HPMN_MASK		REG_U(0x1f)
#define HDCR_TPMCR		REG_BIT(5)
#define HDCR_TPM		REG_BIT(6)
#define HDCR_TDE		REG_BIT(8)
#define HDCR_TDA		REG_BIT(9)
#define HDCR_TDOSA		REG_BIT(10)
#define HDCR_TDRA		REG_BIT(11)

/* HSR, B3.13.6 */
#define HSR_EC(hsr)		((hsr) >> 26)
#define HSR_IL			REG_BIT(25)
#define HSR_CV			REG_BIT(24)
#define HSR_COND(hsr)		(((hsr) >> 20) & 0xf)
#define HSR_EC_UNKNOWN		0x00
#define HSR_EC_WFX		0x01
#define HSR_EC_CP15_32		0x03
#define HSR_EC_CP15_64		0x04
#define HSR_EC_CP14_32		0x05
#define HSR_EC_CP14_LDST	0x06
#define HSR_EC_CP0_13		0x07
#define HSR_EC_CP10_ID		0x08
#define HSR_EC_JAZELLE		0x09
#define HSR_EC_BXJ		0x0a
#define HSR_EC_CP14_64		0x0c
#define HSR_EC_SVC		0x11
#define HSR_EC_HVC		0x12
#define HSR_EC_SMC		0x13
#define HSR_EC_IABT		0x20
#define HSR_EC_IABT_HYP		0x21
#define HSR_EC_DABT		0x24
#define HSR_EC_DABT_HYP		0x25
#define HSR_EC_V8_DEBUG		0x30	/* from here on: ARMv8 */
#define HSR_EC_NR		0x40

/* ISS of a trapped WFI or WFE */
#define HSR_WFX_IS_WFE		REG_BIT(0)

/* ISS of MCR, MRC, MCRR and MRRC */
#define HSR_CP_READ		REG_BIT(0)
#define HSR_CP_CRM(hsr)		(((hsr) >> 1) & 0xf)
#define HSR_CP_RT(hsr)		(((hsr) >> 5) & 0xf)
#define HSR_CP_CRN(hsr)		(((hsr) >> 10) & 0xf)
#define HSR_CP_RT2(hsr)		(((hsr) >> 10) & 0xf)
#define HSR_CP_OPC1(hsr)	(((hsr) >> 14) & 0x7)
#define HSR_CP_OPC1_64(hsr)	(((hsr) >> 16) & 0xf)
#define HSR_CP_OPC2(hsr)	(((hsr) >> 17) & 0x7)

/* HSR of such an instruction whose condition is AL, without EC, IL and Rt */
#define HSR_CP(opc1, crn, crm, opc2)						\
	(HSR_CV | REG_U(0xe) << 20 | (opc2) << 17 | (opc1) << 14 | (crn) << 10 | (crm) << 1)
#define HSR_CP_MASK		(HSR_CP(7, 0xf, 0xf, 7) | REG_U(0xf) << 20 | HSR_CP_READ)

/* ISS of a data abort */
#define HSR_DABT_ISV		REG_BIT(24)
#define HSR_DABT_SAS(hsr)	(((hsr) >> 22) & 0x3)
#define HSR_DABT_SSE		REG_BIT(21)
#define HSR_DABT_SRT(hsr)	(((hsr) >> 16) & 0xf)
#define HSR_DABT_CM		REG_BIT(8)
#define HSR_DABT_WNR		REG_BIT(6)
#define HSR_ABT_S1PTW		REG_BIT(7)	/* on the walk of a stage 1 table */
#define HSR_ABT_FSC		REG_U(0x3f)

/* FSC of HSR, B3.13.3: the two low bits of the first three are the level */
#define HSR_FSC_TYPE(hsr)	((hsr) & 0x3c)
#define HSR_FSC_TRANSLATION	REG_U(0x04)
#define HSR_FSC_ACCESS_FLAG	REG_U(0x08)
#define HSR_FSC_PERMISSION	REG_U(0x0c)
#define HSR_FSC_ASYNC_EXTERNAL	REG_U(0x11)
#define HSR_FSC_ASYNC_PARITY	REG_U(0x19)
#define HSR_FSC_DEBUG		REG_U(0x22)
#define HSR_FSC_TLB_CONFLICT	REG_U(0x30)

/* CNTP_CTL and CNTV_CTL, B4.1.27 and B4.1.31 */
#define CNT_CTL_ENABLE		REG_BIT(0)
#define CNT_CTL_IMASK		REG_BIT(1)
#define CNT_CTL_ISTATUS		REG_BIT(2)

/* CTR, B4.1.42: the smallest lines as log2 of words; the instruction cache's policy */
#define CTR_IMINLINE(ctr)	((ctr) & 0xf)
#define CTR_DMINLINE(ctr)	(((ctr) >> 16) & 0xf)
#define CTR_L1IP(ctr)		(((ctr) >> 14) & 3)
#define CTR_L1IP_AIVIVT		1
#define CTR_L1IP_VIPT		2
#define CTR_L1IP_PIPT		3

/* MPIDR, B4.1.106: affinity levels 0 to 2; the Multiprocessing Extensions are there */
#define MPIDR_AFF		REG_U(0x00ffffff)
#define MPIDR_AFF1_SHIFT	8
#define MPIDR_MP		REG_BIT(31)

/* ID_DFR0, B4.1.82, ID_MMFR3, B4.1.92, ID_PFR0, B4.1.93, and ID_PFR1, B4.1.94 */
#define ID_DFR0_PERFMON(dfr0)	(((dfr0) >> 24) & 0xf)
#define ID_DFR0_PERFMON_V2	2
#define ID_MMFR3_COHWALK(mmfr3)	(((mmfr3) >> 20) & 0xf)
#define ID_PFR0_STATE3(pfr0)	(((pfr0) >> 12) & 0xf)
#define ID_PFR1_SECURITY(pfr1)	(((pfr1) >> 4) & 0xf)
#define ID_PFR1_VIRT(pfr1)	(((pfr1) >> 12) & 0xf)

/* MIDR, and its bits 15-4 of ARM's own (implementer 0x41) CPUs and of Broadcom's */
#define MIDR_IMPLEMENTER(midr)	((midr) >> 24)
#define MIDR_VARIANT(midr)	(((midr) >> 20) & 0xf)
#define MIDR_PART(midr)		(((midr) >> 4) & 0xfff)
#define MIDR_REVISION(midr)	((midr) & 0xf)
#define MIDR_ARM		0x41
#define MIDR_BROADCOM		0x42
#define MIDR_PART_A7		0xc07
#define MIDR_PART_A12		0xc0d
#define MIDR_PART_A15		0xc0f
#define MIDR_PART_A17		0xc0e
#define MIDR_PART_A32		0xd01
#define MIDR_PART_A35		0xd04
#define MIDR_PART_A53		0xd03
#define MIDR_PART_A55		0xd05
#define MIDR_PART_A57		0xd07
#define MIDR_PART_A72		0xd08
#define MIDR_PART_A73		0xd09
#define MIDR_PART_A75		0xd0a
#define MIDR_PART_B15		0x00f

/*
 * Erratum 766422: the syndrome of a store by a 32-bit Thumb instruction may name the wrong
 * register on Cortex-A15 r0p0 to r0p4.
 */
#define MIDR_HAS_766422(midr)								\
	(MIDR_IMPLEMENTER(midr) == MIDR_ARM && MIDR_PART(midr) == MIDR_PART_A15 &&	\
	 MIDR_VARIANT(midr) == 0 && MIDR_REVISION(midr) <= 4)

#endif
