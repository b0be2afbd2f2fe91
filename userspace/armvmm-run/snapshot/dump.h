/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes the guest's memory and registers to a file, for debuggers: an ELF core (elfcore.h). The
 * guest stands still meanwhile; the main loop goes on, and a thread writes. Nobody waits for
 * devices, so that a guest can be looked at whose disk hangs. Main thread.
 */
#ifndef ARMVMM_RUN_DUMP_H
#define ARMVMM_RUN_DUMP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "core/machine.h"

enum dump_phase {
	DUMP_NONE,		/* none was begun yet */
	DUMP_ACTIVE,
	DUMP_COMPLETED,
	DUMP_FAILED,
};

/* Of the last one, or the one that is under way. */
struct dump_status {
	enum dump_phase phase;
	uint64_t total;		/* bytes of memory */
	uint64_t done;		/* those that were dealt with */
	struct error why;	/* DUMP_FAILED: a sentence */
};

struct dump;

/* Never NULL. */
struct dump *dump_new(struct machine *m);

/* Cancels what is under way. NULL does nothing. */
void dump_free(struct dump *d);

/*
 * Begins to write what the guest has of @size bytes at @begin to @fd, which belongs to the caller
 * only if this fails. Zero pages are holes in an empty file. Afterwards the guest goes on, if it
 * ran before, and then MACHINE_EVENT_DUMP comes. Returns 0, or -errno with @err set.
 */
int dump_start(struct dump *d, int fd, uint64_t begin, uint64_t size, struct error *err);

/* Makes it fail soon. Does nothing if none is under way. */
void dump_cancel(struct dump *d);

bool dump_is_active(const struct dump *d);
void dump_get(const struct dump *d, struct dump_status *status);

#endif /* ARMVMM_RUN_DUMP_H */
