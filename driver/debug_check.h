/* SPDX-License-Identifier: GPL-2.0-only */
/* Which debug registers a client may load (DDI 0406C C11.11.2, C11.11.44). Pure. */
#ifndef ARMVMM_DEBUG_CHECK_H
#define ARMVMM_DEBUG_CHECK_H

#include <linux/types.h>

#include <linux/armvmm.h>

#include "dbgregs.h"

/*
 * An address match with no links, for a part of a word that an instruction can
 * take: other types are the guest's alone to use.
 */
static inline bool debug_check_bcr(u32 bcr)
{
	u32 bas = bcr & DBGBCR_BAS;

	if (!(bcr & DBGCR_E))
		return true;
	if (bcr & ~(DBGCR_E | DBGCR_PMC | DBGBCR_BAS) || !(bcr & DBGCR_PMC))
		return false;
	return bas == DBGBCR_BAS || bas == DBGBCR_BAS_LOW || bas == DBGBCR_BAS_HIGH;
}

/* Bytes of a doubleword, or of a word in its low half; or a range by mask. */
static inline bool debug_check_wcr(u32 wcr, u32 wvr)
{
	u32 mask = DBGCR_MASK_GET(wcr), bas = DBGWCR_BAS_GET(wcr);

	if (!(wcr & DBGCR_E))
		return true;
	if (wcr & ~(DBGCR_E | DBGCR_PMC | DBGWCR_LSC | DBGWCR_BAS | DBGCR_MASK) ||
	    !(wcr & DBGCR_PMC) || !(wcr & DBGWCR_LSC) || !bas || wvr & 3)
		return false;
	/* Bytes in one row: others are deprecated, and differ among CPUs. */
	if ((bas + (bas & -bas)) & bas)
		return false;
	if (!mask)
		return !(wvr & 4) || bas < 0x10;
	return mask > 2 && bas == 0xff && !(wvr & ((1u << mask) - 1));
}

static inline bool debug_check_arch(const struct kvm_guest_debug_arch *arch, unsigned int nr_brp,
				    unsigned int nr_wrp)
{
	unsigned int i;

	for (i = 0; i < KVM_ARM_MAX_DBG_REGS; i++) {
		if (i < nr_brp ? !debug_check_bcr(arch->dbg_bcr[i]) ||
				 (arch->dbg_bcr[i] & DBGCR_E && arch->dbg_bvr[i] & 3) :
				 arch->dbg_bcr[i] & DBGCR_E)
			return false;
		if (i < nr_wrp ? !debug_check_wcr(arch->dbg_wcr[i], arch->dbg_wvr[i]) :
				 arch->dbg_wcr[i] & DBGCR_E)
			return false;
	}
	return true;
}

/* As it goes to the hardware: in the Non-secure state, PL0 and PL1, or not at all. */
static inline u32 debug_check_load(u32 cr)
{
	return cr & DBGCR_E ? cr | DBGCR_SSC_NS : 0;
}

#endif
