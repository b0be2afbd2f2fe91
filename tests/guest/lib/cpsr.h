/* SPDX-License-Identifier: GPL-2.0-only */
/* CPSR for the guests, by the manual (DDI 0406C B1.3.3), in C and assembly. */
#ifndef CPSR_H
#define CPSR_H

#define MODE_USR	0x10
#define MODE_FIQ	0x11
#define MODE_IRQ	0x12
#define MODE_SVC	0x13
#define MODE_ABT	0x17
#define MODE_UND	0x1b
#define MODE_SYS	0x1f

#define CPSR_MODE	0x1f
#define CPSR_T		(1 << 5)
#define CPSR_F		(1 << 6)
#define CPSR_I		(1 << 7)
#define CPSR_A		(1 << 8)
#define CPSR_AIF	(CPSR_A | CPSR_I | CPSR_F)
#define CPSR_IT		0x0600fc00

#endif
