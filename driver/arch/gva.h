/* SPDX-License-Identifier: GPL-2.0-only */
/* Walks a guest's stage 1 tables in software (DDI 0406C B3.5, B3.6). Pure. */
#ifndef ARMVMM_GVA_H
#define ARMVMM_GVA_H

#include <linux/types.h>

struct gva_mmu {
	u32 sctlr;
	u32 ttbcr;
	u64 ttbr0;
	u64 ttbr1;
	u32 dacr;		/* for armvmm_gva_access() alone */
	/* Reads @len bytes of guest physical memory. False if it is not RAM. */
	bool (*read)(void *ctx, u64 ipa, void *buf, unsigned int len);
	void *ctx;
};

/* Guest physical address of @va, regardless of permissions. False: not mapped. */
bool armvmm_gva_translate(const struct gva_mmu *mmu, u32 va, u64 *ipa);

/*
 * The same for a data access, and checks access flag, domain and AP (B3.7). Returns 0, or the DFSR
 * of the abort that the access would cause.
 */
u32 armvmm_gva_access(const struct gva_mmu *mmu, u32 va, bool write, bool user, u64 *ipa);

#endif
