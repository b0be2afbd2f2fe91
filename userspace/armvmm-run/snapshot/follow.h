/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Post-copy, the guest's old process: the pages that the guest lacks at the far end, where it runs
 * already (wire.h), those first that somebody waits for there. The far end may be an attacker.
 */
#ifndef ARMVMM_RUN_FOLLOW_H
#define ARMVMM_RUN_FOLLOW_H

#include "core/error.h"
#include "snapshot/memlog.h"
#include "snapshot/pages.h"
#include "snapshot/part.h"
#include "snapshot/wire.h"

/* Atomic. */
struct follow_count {
	uint64_t left;		/* bytes that the far end lacks */
	uint64_t sent, zero;	/* pages that were sent, and that are zero */
	uint64_t requests;	/* how often somebody has waited there */
};

struct follow {
	struct memlog *log;	/* has the pages that the far end lacks, and nothing of devices */
	struct pages_writer *pages;
	struct part_writer *writer;
	struct part_reader *answers;
	struct wire *wire;	/* of these two */
	struct follow_count *count;
	struct error *why;	/* empty at first */
	/* Which pages go next, unless somebody wants others. Zero at first. */
	unsigned int range;
	uint64_t at;
};

/*
 * Sends them all. Returns 0 when the far end says that it needs no more; or -errno, with ->why set
 * unless it is the connection's. Any thread.
 */
int follow_send(struct follow *f);

#endif /* ARMVMM_RUN_FOLLOW_H */
