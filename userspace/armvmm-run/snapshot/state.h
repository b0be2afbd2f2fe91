/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a snapshot has besides memory. It is collected on the main thread while the guest stands
 * still and its devices are idle; any thread may write it then.
 */
#ifndef ARMVMM_RUN_STATE_H
#define ARMVMM_RUN_STATE_H

#include <glib.h>
#include <stdbool.h>

#include "core/error.h"
#include "core/machine.h"
#include "core/record.h"
#include "snapshot/part.h"

struct state {
	GArray *parts;
};

/* An empty one. */
void state_init(struct state *state);
void state_free(struct state *state);

/* Returns 0, or -errno with @why a sentence. */
int state_collect(struct state *state, struct machine *m, struct error *why);

/* Writes all parts. Returns 0 or what the writer returned. */
int state_write(const struct state *state, struct part_writer *w);

/*
 * What the guest believes to be on its disks is there afterwards. A thread of
 * the kind MACHINE_THREAD_DISK. Returns 0, or -errno with @why a sentence.
 */
int state_flush(struct machine *m, struct error *why);

/* Does any vCPU write past the caches? All are stopped. */
bool state_is_uncached(struct machine *m);

/* Why the guest cannot be saved now; NULL: it can. */
const char *state_obstacle(struct machine *m);

#endif /* ARMVMM_RUN_STATE_H */
