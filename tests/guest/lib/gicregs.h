/* SPDX-License-Identifier: GPL-2.0-only */
/* The GIC's registers for bare programs, by the manual (IHI 0048B 4.3, 4.4). */
#ifndef GICREGS_H
#define GICREGS_H

#include "board.h"

#define GICD(off)	(GICD_BASE + (off))
#define GICC(off)	(GICC_BASE + (off))
#define GICD_CTLR	GICD(0x000)
#define GICD_TYPER	GICD(0x004)
#define GICD_IIDR	GICD(0x008)
#define GICD_IGROUPR	GICD(0x080)
#define GICD_ISENABLER	GICD(0x100)
#define GICD_ICENABLER	GICD(0x180)
#define GICD_ISPENDR	GICD(0x200)
#define GICD_ICPENDR	GICD(0x280)
#define GICD_ISACTIVER	GICD(0x300)
#define GICD_ICACTIVER	GICD(0x380)
#define GICD_IPRIORITYR	GICD(0x400)
#define GICD_ITARGETSR	GICD(0x800)
#define GICD_ICFGR	GICD(0xc00)
#define GICD_SGIR	GICD(0xf00)
#define GICD_CPENDSGIR	GICD(0xf10)
#define GICD_SPENDSGIR	GICD(0xf20)
#define GICC_CTLR	GICC(0x00)
#define GICC_PMR	GICC(0x04)
#define GICC_BPR	GICC(0x08)
#define GICC_IAR	GICC(0x0c)
#define GICC_EOIR	GICC(0x10)
#define GICC_RPR	GICC(0x14)
#define GICC_HPPIR	GICC(0x18)
#define GICC_DIR	GICC(0x1000)

#define SGI_TARGETS(mask, id)	((mask) << 16 | (id))
#define SGI_OTHERS(id)		(1u << 24 | (id))
#define SGI_SELF(id)		(2u << 24 | (id))
#define IRQ_VTIMER		27
#define IRQ_PTIMER		30
#define IRQ_SPURIOUS		1023

#endif
