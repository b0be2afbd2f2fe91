/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registers of a GICv2 (IHI 0048B): offsets and fields, by the manual's names, for the module and
 * for user space. Pure.
 */
#ifndef ARMVMM_ARCH_GIC_H
#define ARMVMM_ARCH_GIC_H

#include "arch/regbits.h"

/* INTIDs (2.2.1, 3.2.5): SGIs, then PPIs, then SPIs; the last four are never interrupts. */
#define GIC_NR_SGIS		16
#define GIC_NR_PRIVATE		32	/* SGIs and PPIs: each CPU has its own */
#define GIC_SPECIAL_INTIDS	1020	/* from here on: answers of the CPU interface */
#define GIC_MAX_IRQS		1024

/* Distributor (4.3) */
#define GICD_CTLR		0x000
#define GICD_TYPER		0x004
#define GICD_IIDR		0x008
#define GICD_IGROUPR		0x080
#define GICD_ISENABLER		0x100
#define GICD_ICENABLER		0x180
#define GICD_ISPENDR		0x200
#define GICD_ICPENDR		0x280
#define GICD_ISACTIVER		0x300
#define GICD_ICACTIVER		0x380
#define GICD_IPRIORITYR		0x400
#define GICD_ITARGETSR		0x800
#define GICD_ICFGR		0xc00
#define GICD_SGIR		0xf00
#define GICD_CPENDSGIR		0xf10
#define GICD_SPENDSGIR		0xf20
#define GICD_ICPIDR4		0xfd0
#define GICD_ICPIDR2		0xfe8
#define GICD_SIZE		0x1000

#define GICD_CTLR_EnableGrp0	REG_BIT(0)

/* KVM's product, and its implementer: Arm, by JEP106 */
#define VGIC_PRODUCT		REG_U(0x4b)
#define VGIC_IMPLEMENTER	REG_U(0x43b)

/* ProductID, Revision and Implementer of the distributor (4.3.3) */
#define VGIC_IIDR(revision)	(VGIC_PRODUCT << 24 | (revision) << 12 | VGIC_IMPLEMENTER)
/* Early versions of armvmm had revision 2 in the field Variant. */
#define VGIC_IIDR_OLD		(VGIC_PRODUCT << 24 | REG_U(2) << 16 | VGIC_IMPLEMENTER)

#define GICD_SGIR_INTID(v)	((v) & 0xf)
#define GICD_SGIR_TARGETS(v)	(((v) >> 16) & 0xff)
#define GICD_SGIR_FILTER(v)	(((v) >> 24) & 3)
#define GICD_SGIR_FILTER_LIST	0
#define GICD_SGIR_FILTER_OTHERS	1
#define GICD_SGIR_FILTER_SELF	2

/* CPU interface (4.4): these offsets are also the CPU_REGS attributes' */
#define GICC_CTLR		0x00
#define GICC_PMR		0x04
#define GICC_BPR		0x08
#define GICC_ABPR		0x1c
#define GICC_APR0		0xd0
#define GICC_IIDR		0xfc
#define GICC_SIZE		0x2000	/* the second page holds GICC_DIR */
#define GICC_IIDR_ARCH(iidr)	(((iidr) >> 16) & 0xf)
#define GICC_IIDR_GICV2		REG_U(2)
#define VGIC_CPUIF_IIDR		(VGIC_PRODUCT << 20 | GICC_IIDR_GICV2 << 16 | VGIC_IMPLEMENTER)

#define GICC_CTLR_EnableGrp0	REG_BIT(0)
#define GICC_CTLR_EnableGrp1	REG_BIT(1)
#define GICC_CTLR_AckCtl	REG_BIT(2)
#define GICC_CTLR_FIQEn		REG_BIT(3)
#define GICC_CTLR_CBPR		REG_BIT(4)
#define GICC_CTLR_EOImode	REG_BIT(9)

/* Hypervisor's control of the virtual CPU interface (5.3) */
#define GICH_HCR		0x000
#define GICH_VTR		0x004
#define GICH_VMCR		0x008
#define GICH_MISR		0x010
#define GICH_EISR0		0x020
#define GICH_ELRSR0		0x030
#define GICH_ELRSR1		0x034
#define GICH_APR		0x0f0
#define GICH_LR(n)		(0x100 + 4 * (n))

#define GICH_HCR_En		REG_BIT(0)
#define GICH_HCR_UIE		REG_BIT(1)
#define GICH_HCR_NPIE		REG_BIT(3)
/* Maintenance while the guest has a group enabled, or not: bits 4 and 5, 6 and 7 for group 1 */
#define GICH_HCR_VGrpEIE(g)	REG_BIT(4 + 2 * (g))
#define GICH_HCR_VGrpDIE(g)	REG_BIT(5 + 2 * (g))

#define GICH_VTR_NR_LR(v)	(((v) & 0x3f) + 1)
#define GICH_VTR_PRIBITS(v)	(((v) >> 29) + 1)

#define GICH_LR_VIRTUALID	REG_U(0x3ff)
#define GICH_LR_CPUID_SHIFT	10
#define GICH_LR_CPUID_MASK	(REG_U(7) << GICH_LR_CPUID_SHIFT)
#define GICH_LR_CPUID(lr)	(((lr) >> GICH_LR_CPUID_SHIFT) & 7)
#define GICH_LR_PHYSID_SHIFT	10
#define GICH_LR_EOI		REG_BIT(19)	/* where HW is 0 */
#define GICH_LR_PRIORITY_SHIFT	23
#define GICH_LR_PRIORITY(lr)	(((lr) >> GICH_LR_PRIORITY_SHIFT) & 0x1f)
#define GICH_LR_PENDING		REG_BIT(28)
#define GICH_LR_ACTIVE		REG_BIT(29)
#define GICH_LR_STATE		(REG_U(3) << 28)
#define GICH_LR_GRP1		REG_BIT(30)
#define GICH_LR_HW		REG_BIT(31)

/* GICH_VMCR keeps GICC_CTLR's bits 0-4 and 9 where GICC_CTLR has them (5.3.3). */
#define GICH_VMCR_CTLR_MASK	(GICC_CTLR_EnableGrp0 | GICC_CTLR_EnableGrp1 |	\
				 GICC_CTLR_AckCtl | GICC_CTLR_FIQEn |		\
				 GICC_CTLR_CBPR | GICC_CTLR_EOImode)
#define GICH_VMCR_ABP_SHIFT	18
#define GICH_VMCR_ABP_MASK	(REG_U(7) << GICH_VMCR_ABP_SHIFT)
#define GICH_VMCR_BP_SHIFT	21
#define GICH_VMCR_BP_MASK	(REG_U(7) << GICH_VMCR_BP_SHIFT)
#define GICH_VMCR_PRIMASK_SHIFT	27
#define GICH_VMCR_PRIMASK_MASK	(REG_U(0x1f) << GICH_VMCR_PRIMASK_SHIFT)

/* Priorities have five bits, at the top of the byte (5.3.8: a list register holds no more). */
#define VGIC_PRIORITY_MASK	0xf8
#define VGIC_PRIORITY_SHIFT	3

#endif
