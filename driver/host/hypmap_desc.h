/* SPDX-License-Identifier: GPL-2.0-only */
/* The descriptors of HYP's pages (DDI 0406C B3.6.2). Pure, for the unit tests. */
#ifndef ARMVMM_HYPMAP_DESC_H
#define ARMVMM_HYPMAP_DESC_H

#include "arch/lpae.h"
#include "host/hypmap.h"
#include "host/share.h"
#include "hyp/offsets.h"

#define HYPMAP_PAGE_DESC	(LPAE_TYPE_PAGE | LPAE_AF | LPAE_S1_AP1)

/* All but the address. */
static inline u64 hypmap_prot_desc(enum hypmap_prot prot)
{
	u64 normal = LPAE_S1_ATTR(HYP_MAIR_NORMAL) | (armvmm_host_shareable() ? LPAE_SH_INNER : 0);

	switch (prot) {
	case HYPMAP_TEXT:
		return HYPMAP_PAGE_DESC | normal | LPAE_S1_AP2_RO;
	case HYPMAP_DATA:
		return HYPMAP_PAGE_DESC | normal | LPAE_XN;
	case HYPMAP_DEVICE:
		break;
	}
	return HYPMAP_PAGE_DESC | LPAE_S1_ATTR(HYP_MAIR_DEVICE) | LPAE_XN;
}

#endif
