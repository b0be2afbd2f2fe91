/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Post-copy, the guest's new process: the guest runs, and pages that it lacks come over the
 * connection (wire.h): the one that somebody waits for is asked for, and the others follow. What
 * was written here since, or given back, is never overwritten by what comes late. This holds for
 * the guest, for this process' own threads, and for the kernel on behalf of either.
 *
 * If the connection breaks, or the far end lies, the process ends (machine.broken): those who wait
 * for a page cannot go on, nor be stopped in any other way.
 */
#ifndef ARMVMM_RUN_POSTCOPY_H
#define ARMVMM_RUN_POSTCOPY_H

#include "core/error.h"
#include "core/machine.h"
#include "snapshot/part.h"
#include "snapshot/wire.h"

struct postcopy;

/*
 * Gets from the host what this needs, before the sandbox takes the right to it, if the host has it.
 * The VM and the devices are there. Never NULL.
 */
struct postcopy *postcopy_new(struct machine *m);

/* NULL does nothing. Nobody may touch RAM afterwards that is not here yet. Main thread. */
void postcopy_free(struct postcopy *p);

/* Returns 0 if this host can, or -errno with @err set. Any thread. */
int postcopy_may(const struct postcopy *p, struct error *err);

/*
 * Takes the part WIRE_MISSING, which @r has read. Returns 0 or -errno with @err set. Once, any
 * thread.
 */
int postcopy_missing(struct postcopy *p, const struct part_reader *r, struct error *err);

/*
 * Forgets what memory has of missing pages: from here on, who touches one waits. Nobody has touched
 * RAM yet. Returns 0 or -errno with @err set. Main thread.
 */
int postcopy_prepare(struct postcopy *p, struct error *err);

/* Nothing is missing: nobody waits any more. NULL, or one that was started, does nothing. */
void postcopy_abandon(struct postcopy *p);

/*
 * Says WIRE_RUNNING, and takes what comes from then on, until all is here. Returns when the first
 * of it has come, and serves the main loop meanwhile. @wire, @reader and @words are taken over, and
 * their opaque pointers set anew; unless this fails: returns 0 or -errno with @err set, and the
 * guest may not run; -EINTR if somebody wants to end the machine. Main thread.
 */
int postcopy_start(struct postcopy *p, const struct wire *wire, struct part_reader *reader,
		   struct part_writer *words, struct error *err);

/*
 * The guest runs no more: only what somebody waits for matters now. NULL does nothing. Main thread.
 */
void postcopy_over(struct postcopy *p);

#endif /* ARMVMM_RUN_POSTCOPY_H */
