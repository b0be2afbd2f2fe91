/* SPDX-License-Identifier: GPL-2.0-only */
/* What the debug logic of this host's CPUs can do, found out at load (debug_probe.c). */
#ifndef ARMVMM_DEBUG_HOST_H
#define ARMVMM_DEBUG_HOST_H

#include <linux/types.h>

struct armvmm_debug_host {
	u32 didr;		/* DBGDIDR */
	u32 devid;		/* DBGDEVID, or zero */
	u32 nr_brp;		/* zero: the debug registers are out of reach */
	u32 nr_wrp;
	bool mismatch;		/* address mismatch breakpoints work in PL1 */
};

extern struct armvmm_debug_host armvmm_debug_host;

#endif
