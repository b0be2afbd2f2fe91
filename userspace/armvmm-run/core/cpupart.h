/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The CPUs that vCPUs run on. On a host with CPUs of several parts (big.LITTLE) a vCPU stays on
 * those of one, whose MIDR the guest sees.
 */
#ifndef ARMVMM_RUN_CPUPART_H
#define ARMVMM_RUN_CPUPART_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/error.h"

struct cpupart {
	bool bound;		/* else any CPU will do, and the rest is unset */
	cpu_set_t cpus;
	char text[160];		/* what is bound to what, for a person */
};

/*
 * A part's name, "a7", or its number as Linux tells it, "0xc07". Returns the number (the
 * implementer's above bit 12), or 0 when it is neither.
 */
uint32_t cpupart_find(const char *name);

/*
 * Chooses of the CPUs that @cpuinfo (/proc/cpuinfo's text) tells and @allowed has: those of the
 * part @want, or where that is NULL, of the boot CPU's, and of the first allowed one's where that
 * is not allowed. Binds nothing where all are of one part. Returns 0, or -errno with @err set.
 */
int cpupart_choose(struct cpupart *p, FILE *cpuinfo, const cpu_set_t *allowed, const char *want,
		   struct error *err);

/* The same for this thread on this host. */
int cpupart_choose_here(struct cpupart *p, const char *want, struct error *err);

#endif /* ARMVMM_RUN_CPUPART_H */
