/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Saves the machine to a file while the guest stands still. The main loop goes on: devices end
 * their requests, then a thread writes. Whatever happens, the guest is afterwards as it was before.
 * Main thread.
 */
#ifndef ARMVMM_RUN_SAVE_H
#define ARMVMM_RUN_SAVE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "core/machine.h"

enum save_phase {
	SAVE_NONE,		/* none was begun yet */
	SAVE_ACTIVE,
	SAVE_CANCELLING,
	SAVE_COMPLETED,
	SAVE_FAILED,
	SAVE_CANCELLED,
};

/* Of the last one, or the one that is under way. */
struct save_status {
	enum save_phase phase;
	int64_t begun;		/* microseconds, of g_get_monotonic_time() */
	uint64_t total;		/* bytes of memory */
	uint64_t done;		/* those that were dealt with */
	uint64_t pages;		/* pages that were written, as others are zero */
	uint64_t written;	/* bytes of the snapshot */
	uint64_t setup_ms;	/* until all requests had ended */
	uint64_t total_ms;
	struct error why;	/* SAVE_FAILED: a sentence */
};

/* What save_start() is to do, or'ed. */
#define SAVE_GO_ON	(1u << 0)	/* the guest goes on afterwards, if it ran before */
/*
 * What is written to memory from then on is logged, for a snapshot with SAVE_ADD. That costs the
 * guest a fault for each page that it writes again. A reset and a migration end it.
 */
#define SAVE_TRACK	(1u << 1)
/*
 * Only memory that was written since the last snapshot with SAVE_TRACK or SAVE_ADD that was
 * completed: it adds to that one. Implies SAVE_TRACK.
 */
#define SAVE_ADD	(1u << 2)

struct save;

/* Never NULL. */
struct save *save_new(struct machine *m);

/* Cancels what is under way. NULL does nothing. */
void save_free(struct save *s);

/*
 * Begins to write to @fd, which belongs to the caller only if this fails. Without SAVE_GO_ON the
 * guest stays stopped until save_continue(), and so do its devices, for it may have begun to run
 * elsewhere. A failure always lets it go on, and a next one with SAVE_ADD has what this one had
 * not. Returns 0, or -errno with @err set: -ENOENT if there is nothing to add to.
 */
int save_start(struct save *s, int fd, unsigned int flags, struct error *err);

/* Ends it soon; save_get() tells when. Does nothing if none is under way. */
void save_cancel(struct save *s);

/* Lets a guest go on that save_start() left stopped. */
void save_continue(struct save *s);

/*
 * Ends the log that SAVE_TRACK began, if there is one: somebody else needs it. Nothing is under
 * way.
 */
void save_untrack(struct save *s);

/* Is the guest stopped because it was saved without @go_on? */
bool save_has_stopped(const struct save *s);

bool save_is_active(const struct save *s);
void save_get(struct save *s, struct save_status *status);

#endif /* ARMVMM_RUN_SAVE_H */
