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

/* Asks the CPUs, and tries their breakpoints. HYP mode is taken over. May sleep. */
void armvmm_debug_probe_init(void);

/*
 * IRQs off, on a CPU that is being taken over: may HYP mode touch its debug
 * registers? After load only where they are of the kind that was found then.
 */
bool armvmm_debug_probe_cpu_ok(void);

#endif
