/* SPDX-License-Identifier: GPL-2.0-only */
/* Which debug registers a client may load (DDI 0406C C11.11.2, C11.11.44). Pure. */
#ifndef ARMVMM_DEBUG_CHECK_H
#define ARMVMM_DEBUG_CHECK_H

#include <linux/types.h>

#include <linux/armvmm.h>

#include "arch/dbgregs.h"

/* The byte selections that a breakpoint may have: a whole word, or either half. */
static inline bool debug_check_half(u32 bas)
{
	return bas == DBGBCR_BAS || bas == DBGBCR_BAS_LOW || bas == DBGBCR_BAS_HIGH;
}

/* A watchpoint selects bytes of a doubleword, bytes of a word (BAS[3:0]), or a range by a mask. */
static inline bool debug_check_bytes(u32 wcr, u32 wvr)
{
	u32 mask = DBGCR_MASK_GET(wcr), bas = DBGWCR_BAS_GET(wcr);

	/* The bytes must be contiguous: other selections are deprecated, and CPUs differ. */
	if (!bas || (bas + (bas & -bas)) & bas)
		return false;
	if (!mask)
		return !(wvr & 4) || bas < 0x10;
	return mask > 2 && bas == 0xff && !(wvr & ((1u << mask) - 1));
}

/* A client may only ask for unlinked address matches. */
static inline bool debug_check_bcr(u32 bcr)
{
	if (!(bcr & DBGCR_E))
		return true;
	if (bcr & ~(DBGCR_E | DBGCR_PMC | DBGBCR_BAS) || !(bcr & DBGCR_PMC))
		return false;
	return debug_check_half(bcr & DBGBCR_BAS);
}

static inline bool debug_check_wcr(u32 wcr, u32 wvr)
{
	if (!(wcr & DBGCR_E))
		return true;
	if (wcr & ~(DBGCR_E | DBGCR_PMC | DBGWCR_LSC | DBGWCR_BAS | DBGCR_MASK) ||
	    !(wcr & DBGCR_PMC) || !(wcr & DBGWCR_LSC) || wvr & 3)
		return false;
	return debug_check_bytes(wcr, wvr);
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

/* The control register for the hardware: Non-secure PL0 and PL1 only; zero if disabled. */
static inline u32 debug_check_load(u32 cr)
{
	return cr & DBGCR_E ? cr | DBGCR_SSC_NS : 0;
}

#endif
