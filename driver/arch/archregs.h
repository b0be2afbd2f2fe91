/* SPDX-License-Identifier: GPL-2.0-only */
/* Fields of ARMv7-A registers, by the manual's names (DDI 0406C). Pure. */
#ifndef ARMVMM_ARCHREGS_H
#define ARMVMM_ARCHREGS_H

/* CPSR and SPSR, B1.3.3 */
#define CPSR_M_MASK		0x0000001fu
#define CPSR_M_USR		0x10u
#define CPSR_M_FIQ		0x11u
#define CPSR_M_IRQ		0x12u
#define CPSR_M_SVC		0x13u
#define CPSR_M_ABT		0x17u
#define CPSR_M_UND		0x1bu
#define CPSR_M_SYS		0x1fu
#define CPSR_T			0x00000020u
#define CPSR_F			0x00000040u
#define CPSR_I			0x00000080u
#define CPSR_A			0x00000100u
#define CPSR_E			0x00000200u
#define CPSR_IT_HI		0x0000fc00u	/* IT[7:2] */
#define CPSR_IT_LO		0x06000000u	/* IT[1:0] */
#define CPSR_IT			(CPSR_IT_HI | CPSR_IT_LO)
#define CPSR_IT_LEFT		0x06000c00u	/* IT[3:0]: zero outside an IT block */
#define CPSR_J			0x01000000u
#define CPSR_RES0		0x00f00000u
#define CPSR_NZCV		0xf0000000u
#define CPSR_N			0x80000000u
#define CPSR_Z			0x40000000u
#define CPSR_C			0x20000000u
#define CPSR_V			0x10000000u

/* SCTLR, B4.1.130 */
#define SCTLR_M			(1u << 0)
#define SCTLR_C			(1u << 2)
#define SCTLR_I			(1u << 12)
#define SCTLR_V			(1u << 13)
#define SCTLR_EE		(1u << 25)
#define SCTLR_TRE		(1u << 28)
#define SCTLR_AFE		(1u << 29)
#define SCTLR_TE		(1u << 30)

/* TTBCR, B4.1.153 */
#define TTBCR_BIT_EAE		(1u << 31)

/* ARM's Debug and fault status: DFSR and IFSR, B4.1.51 and B4.1.96 */
#define FSR_LPAE		(1u << 9)
#define DFSR_WNR		(1u << 11)
#define FSR_SHORT_SYNC_EXT	0x008u	/* FS = 0b01000, table B3-23 */
#define FSR_LONG_SYNC_EXT	0x010u	/* STATUS = 0b010000, table B3-24 */
#define FSR_SHORT_DEBUG		0x002u	/* FS = 0b00010 */
#define FSR_LONG_DEBUG		0x022u	/* STATUS = 0b100010 */
#define DFSR_CM			(1u << 13)

/* HCR, B4.1.65 */
#define HCR_VM			(1u << 0)
#define HCR_SWIO		(1u << 1)
#define HCR_PTW			(1u << 2)	/* a stage 1 walk of device memory faults */
#define HCR_FMO			(1u << 3)
#define HCR_IMO			(1u << 4)
#define HCR_AMO			(1u << 5)
#define HCR_VF			(1u << 6)
#define HCR_VI			(1u << 7)
#define HCR_VA			(1u << 8)
#define HCR_FB			(1u << 9)
#define HCR_BSU_IS		(1u << 10)
#define HCR_DC			(1u << 12)
#define HCR_TWI			(1u << 13)
#define HCR_TWE			(1u << 14)
#define HCR_TID3		(1u << 18)
#define HCR_TSC			(1u << 19)
#define HCR_TIDCP		(1u << 20)
#define HCR_TAC			(1u << 21)
#define HCR_TSW			(1u << 22)
#define HCR_TVM			(1u << 26)

/* HSTR, B4.1.74, and HDCR, B4.1.66 */
#define HSTR_T15		(1u << 15)
#define HDCR_HPMN_MASK		0x1fu
#define HDCR_TPMCR		(1u << 5)
#define HDCR_TPM		(1u << 6)
#define HDCR_TDE		(1u << 8)
#define HDCR_TDA		(1u << 9)
#define HDCR_TDOSA		(1u << 10)
#define HDCR_TDRA		(1u << 11)

/* HSR, B3.13.6 */
#define HSR_EC(hsr)		((hsr) >> 26)
#define HSR_IL			(1u << 25)
#define HSR_CV			(1u << 24)
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
#define HSR_WFX_IS_WFE		(1u << 0)

/* ISS of MCR, MRC, MCRR and MRRC */
#define HSR_CP_READ		(1u << 0)
#define HSR_CP_CRM(hsr)		(((hsr) >> 1) & 0xf)
#define HSR_CP_RT(hsr)		(((hsr) >> 5) & 0xf)
#define HSR_CP_CRN(hsr)		(((hsr) >> 10) & 0xf)
#define HSR_CP_RT2(hsr)		(((hsr) >> 10) & 0xf)
#define HSR_CP_OPC1(hsr)	(((hsr) >> 14) & 0x7)
#define HSR_CP_OPC1_64(hsr)	(((hsr) >> 16) & 0xf)
#define HSR_CP_OPC2(hsr)	(((hsr) >> 17) & 0x7)

/* ISS of a data abort */
#define HSR_DABT_ISV		(1u << 24)
#define HSR_DABT_SAS(hsr)	(((hsr) >> 22) & 0x3)
#define HSR_DABT_SSE		(1u << 21)
#define HSR_DABT_SRT(hsr)	(((hsr) >> 16) & 0xf)
#define HSR_DABT_CM		(1u << 8)
#define HSR_DABT_WNR		(1u << 6)
#define HSR_ABT_S1PTW		(1u << 7)	/* on the walk of a stage 1 table */
#define HSR_ABT_FSC		0x3fu

/* CNTV_CTL and CNTP_CTL, B8.1.8 and B8.1.13 */
#define CNT_CTL_ENABLE		(1u << 0)
#define CNT_CTL_IMASK		(1u << 1)
#define CNT_CTL_ISTATUS		(1u << 2)

/* MIDR[15:4] of ARM's own (implementer 0x41) CPUs with the Virtualization Extensions */
#define MIDR_IMPLEMENTER(midr)	((midr) >> 24)
#define MIDR_VARIANT(midr)	(((midr) >> 20) & 0xf)
#define MIDR_PART(midr)		(((midr) >> 4) & 0xfff)
#define MIDR_REVISION(midr)	((midr) & 0xf)
#define MIDR_ARM		0x41
#define MIDR_PART_A7		0xc07
#define MIDR_PART_A12		0xc0d
#define MIDR_PART_A15		0xc0f
#define MIDR_PART_A17		0xc0e

#endif
