/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events and statistics as JSON lines (--metrics): one for each event, as QMP has it, and one for
 * each period. Nobody waits for the reader: lines wait in a queue of bounded length, from which a
 * thread writes; lines for which there is no room are counted, and left out. Main thread.
 */
#ifndef ARMVMM_RUN_METRICS_H
#define ARMVMM_RUN_METRICS_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/error.h"
#include "core/machine.h"

#define METRICS_QUEUE		(64u << 10)	/* bytes that wait */
#define METRICS_FILE_MAX	(64u << 20)	/* of a regular file, which then begins anew */

struct metrics;

/*
 * Is this a kind of file that lines may go to? Nobody means a disk's contents to be overwritten
 * with them. (For a folder, open() has an error.)
 */
bool metrics_takes(mode_t mode);

/*
 * Opens the file, a pipe, or a socket that listens, while the process may do so. Returns 0 or
 * -errno with @err set.
 */
int metrics_create(struct metrics **out, const char *text, struct error *err);

/* Begins to tell of @m, which outlives it. Returns 0 or -errno with @err set. NULL does nothing. */
int metrics_start(struct metrics *metrics, struct machine *m, struct error *err);

/* Writes what goes without waiting, and ends. NULL does nothing. */
void metrics_destroy(struct metrics *metrics);

#endif /* ARMVMM_RUN_METRICS_H */
