/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keeps the vCPUs from running for a part of the time, so that the guest writes less memory while
 * it is copied. Its time goes on: it sees less of its CPUs, as on a busy host. Main thread.
 */
#ifndef ARMVMM_RUN_THROTTLE_H
#define ARMVMM_RUN_THROTTLE_H

#include <glib.h>
#include <stdbool.h>

struct machine;
struct vcpus;

/* Begins with @m and @vcpus set, and the rest zeroed. */
struct throttle {
	struct machine *m;
	struct vcpus *vcpus;
	unsigned int percent;	/* of the time that they are out; 0: none */
	bool out;
	guint timer;
};

/* @percent is 0 to 99. Not to be left on beyond the life of the vCPUs. */
void throttle_set(struct throttle *t, unsigned int percent);

#endif /* ARMVMM_RUN_THROTTLE_H */
