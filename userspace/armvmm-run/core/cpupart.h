/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The CPUs that vCPUs run on. On a host with CPUs of several parts (big.LITTLE), a vCPU stays on
 * CPUs of one part, whose MIDR the guest sees.
 */
#ifndef ARMVMM_RUN_CPUPART_H
#define ARMVMM_RUN_CPUPART_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/error.h"

struct cpupart {
	bool bound;		/* else any CPU will do, and the other fields are unset */
	cpu_set_t cpus;
	char text[160];		/* says to a person what is bound to what */
};

/*
 * Takes a part's name, "a7", or its number as Linux prints it, "0xc07". Returns the number (with
 * the implementer's above bit 12), or 0 if it is neither.
 */
uint32_t cpupart_find(const char *name);

/*
 * Chooses the CPUs of one part among those that @cpuinfo (/proc/cpuinfo's text) lists and @allowed
 * has. The part is @want; if that is NULL, the boot CPU's; if that has no allowed CPU, the first
 * one that has. Binds nothing if all CPUs are of one part. Returns 0, or -errno with @err set.
 */
int cpupart_choose(struct cpupart *p, FILE *cpuinfo, const cpu_set_t *allowed, const char *want,
		   struct error *err);

/* The same for this thread on this host. */
int cpupart_choose_here(struct cpupart *p, const char *want, struct error *err);

#endif /* ARMVMM_RUN_CPUPART_H */
