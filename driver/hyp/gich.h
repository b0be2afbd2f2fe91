/* SPDX-License-Identifier: GPL-2.0-only */
/* GICH's registers, and GICD_SGIR of the host, as HYP mode reaches them: Device memory. */
#ifndef ARMVMM_HYP_GICH_H
#define ARMVMM_HYP_GICH_H

#include "hyp/sysreg.h"

__hyp_inline u32 gich_read(unsigned long gich, unsigned int offset)
{
	return *(volatile u32 *)(gich + offset);
}

__hyp_inline void gich_write(unsigned long gich, unsigned int offset, u32 val)
{
	*(volatile u32 *)(gich + offset) = val;
}

#endif
