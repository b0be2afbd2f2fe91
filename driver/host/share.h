/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is the kernel's memory shared? A kernel without SMP, or one with SMP_ON_UP that found one CPU,
 * maps its memory non-shareable. HYP mode, its walks and guests have the same memory by the same
 * shareability: aliases of which one is shareable and one is not need not be coherent (DDI 0406C
 * A3.5.7), and a core whose ACTLR.SMP is clear may not cache what is shareable.
 *
 * A guest that maps its memory shareable has it so, whatever stage 2 says (B3.8.3). Where ACTLR.SMP
 * is clear as well that is not mended here: the load tells of the bit, which firmware has to set.
 */
#ifndef ARMVMM_HOST_SHARE_H
#define ARMVMM_HOST_SHARE_H

#include <linux/pgtable.h>
#include <linux/types.h>

static inline bool armvmm_host_shareable(void)
{
	return pgprot_val(pgprot_kernel) & L_PTE_SHARED;
}

#endif
