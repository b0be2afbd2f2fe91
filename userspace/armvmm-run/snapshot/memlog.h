/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which pages of the machine's memory were written since: a bitmap for each range of its memory,
 * filled from the log of written pages. There is one log in a machine, so one memlog at a time may
 * be started. Memory that a device keeps counts as written as a whole.
 */
#ifndef ARMVMM_RUN_MEMLOG_H
#define ARMVMM_RUN_MEMLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/machine.h"
#include "snapshot/pages.h"

/* Where a range's log is. */
struct memlog_range {
	int region;		/* of guest memory; -1: memory of a device */
	const struct device *dev;
	unsigned int writes;	/* of the device's, when the log was taken last */
};

struct memlog {
	struct machine *m;
	struct pages_layout layout;	/* with bitmaps */
	struct memlog_range range[PAGES_RANGES];
	uint32_t *room;		/* a bitmap, for machine_log_take() */
	bool started;
};

/* Makes the bitmaps, in which all pages count as written. Main thread. Returns 0 or -ENOMEM. */
int memlog_open(struct memlog *log, struct machine *m);

/* Stops it, too. One of zeroes is ignored. Main thread. */
void memlog_close(struct memlog *log);

/* From here on written pages are logged. Main thread. Returns 0 or -errno. */
int memlog_start(struct memlog *log);

/* Ends that; the bitmaps stay. Does nothing if it was not started. Main thread. */
void memlog_stop(struct memlog *log);

/* Adds what was written since to the bitmaps. Any thread. Returns 0 or -errno. */
int memlog_take(struct memlog *log);

void memlog_mark_all(struct memlog *log);
void memlog_clear(struct memlog *log);

/* How many pages the bitmaps have. */
uint64_t memlog_count(const struct memlog *log);

/* Words of a range's bitmap. */
size_t memlog_words(const struct pages_range *range);

#endif /* ARMVMM_RUN_MEMLOG_H */
