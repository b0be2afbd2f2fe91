/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers of registers' fields, unsigned in C, and as the assembler takes them. Pure. */
#ifndef ARMVMM_ARCH_REGBITS_H
#define ARMVMM_ARCH_REGBITS_H

#include <linux/const.h>

#define REG_U(n)	_AC(n, u)
#define REG_BIT(n)	(REG_U(1) << (n))
#define REG_U64(n)	_AC(n, ull)
#define REG_BIT64(n)	(REG_U64(1) << (n))

#endif
