/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A connection between two armvmm-run, by which a guest moves. Nothing here waits for a far end
 * that is slow, deaf or hostile longer than its owner allows. One thread at a time.
 */
#ifndef ARMVMM_RUN_WIRE_H
#define ARMVMM_RUN_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/rate.h"

/*
 * The stream, by part.h's format. Towards the guest's new process:
 *
 *	header, WIRE_HELLO	the facts of the machine (facts.h)
 *	"memory" ...		rounds of pages (PAGES_LIVE), at last while the guest stands still
 *	WIRE_MARK ...		empty; anywhere among those that come while the guest runs
 *	WIRE_STATE		a snapshot without memory
 *	"end"			counts the memory (layout.h)
 *	WIRE_COMMIT		empty: from here on, the guest is the new process'
 *
 * And back: a header with the same id, then one word after the other, parts of their own:
 * WIRE_READY after WIRE_HELLO, WIRE_PASSED after each WIRE_MARK, when all pages before it are in
 * their place, WIRE_TAKEN after "end", WIRE_RUNNING after WIRE_COMMIT; or WIRE_REFUSED instead, with
 * a sentence, and nothing more. There are marks if WIRE_HELLO has said so by its version: by them
 * the old process knows what has arrived. A program on the way, such as ssh, may hold any amount.
 *
 * The guest's old process lets it go on, unless it has sent the whole WIRE_COMMIT and got no
 * WIRE_REFUSED. The new one never runs it without WIRE_COMMIT.
 *
 * Post-copy, for which WIRE_HELLO has asked by its version, hands the guest over before all of its
 * RAM has gone. Then WIRE_STATE has another version, and after it comes
 *
 *	WIRE_MISSING		for each range of memory, in ascending order, memlog_words(): bit n:
 *				page n is missing, and what was sent of it is old
 *	"end", WIRE_COMMIT
 *	"memory" ...		each missing page once, in any order
 *	WIRE_ALL		empty: these were all
 *
 * The old process goes on after WIRE_COMMIT only when it has read WIRE_RUNNING, and then never lets
 * the guest go on; the new one does not run it before it has read the first of these parts. So if
 * the connection breaks before the old process has read WIRE_RUNNING, the guest has not run there,
 * and will not.
 *
 * And back after WIRE_RUNNING:
 *
 *	WIRE_REQUEST ...	an address (8 bytes) of RAM: somebody waits for this page
 *	WIRE_WHOLE		empty: all is there, or not needed any more. Nothing follows.
 */
#define WIRE_HELLO	"migration"
#define WIRE_STATE	"state"
#define WIRE_COMMIT	"commit"
#define WIRE_READY	"ready"
#define WIRE_MARK	"mark"
#define WIRE_PASSED	"passed"
#define WIRE_TAKEN	"taken"
#define WIRE_RUNNING	"running"
#define WIRE_REFUSED	"refused"
#define WIRE_MISSING	"missing"
#define WIRE_ALL	"all"
#define WIRE_REQUEST	"request"
#define WIRE_WHOLE	"whole"
#define WIRE_VERSION	1	/* of all of these */
#define WIRE_POSTCOPY	2	/* of WIRE_HELLO: there may be, and of WIRE_STATE: there is */
#define WIRE_MARKS	3	/* of WIRE_HELLO: marks may come; older programs send none */
#define WIRE_MARKS_POSTCOPY 4	/* of WIRE_HELLO: both */

#define WIRE_PAGES	16u	/* that go at once when somebody may wait for others */

/*
 * No byte comes or goes for so long: the far end is dead. What the host's kernel has taken, and not
 * sent yet, goes as well.
 */
#define WIRE_STALL_MS	60000

struct wire {
	int in, out;		/* may be the same; do not block */
	bool sends;		/* memory: what has yet to leave this host counts as well */
	const bool *cancelled;	/* atomic: all waiting ends */
	int64_t deadline;	/* of g_get_monotonic_time(), when all waiting ends; 0: never */
	const uint64_t *per_second;	/* atomic: bytes that may be written; NULL or 0: any */
	struct rate rate;	/* the wire's */
	uint64_t written;	/* atomic: bytes so far */
};

/*
 * For part_writer.write and part_reader.read, with the wire as the first argument. Return what
 * these do; -ECANCELED, or -ETIMEDOUT.
 */
int wire_write(void *wire, const void *data, size_t len);
int64_t wire_read(void *wire, void *data, size_t len);

/* Bytes that have yet to leave this host, as far as it knows; 0 unless wire.sends. */
unsigned int wire_unsent(const struct wire *w);

/* Has the far end said something, or gone? */
bool wire_is_readable(const struct wire *w);

/* Reads and forgets all that comes, until the far end goes, or for @ms. */
void wire_drain(struct wire *w, unsigned int ms);

#endif /* ARMVMM_RUN_WIRE_H */
