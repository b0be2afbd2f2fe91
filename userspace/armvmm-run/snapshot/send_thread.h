/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live migration, the guest's old process: what its thread and the main thread have in common. The
 * thread does one step, and ends; then the main thread looks what comes next (send.c).
 */
#ifndef ARMVMM_RUN_SEND_THREAD_H
#define ARMVMM_RUN_SEND_THREAD_H

#include <glib.h>
#include <pthread.h>

#include "snapshot/facts.h"
#include "snapshot/follow.h"
#include "snapshot/layout.h"
#include "snapshot/memlog.h"
#include "snapshot/send.h"
#include "snapshot/state.h"
#include "snapshot/wire.h"

#define SEND_HANDOVER_MS	10000	/* the longest wait for its disks, and for the far end */

enum send_step {
	STEP_COPY,	/* the thread: rounds, while the guest runs */
	STEP_STOP,	/* devices come to rest */
	STEP_REST,	/* the thread: the last round, and the state */
	/* The thread: the guest is the far end's, which says that it runs, and gets pages. */
	STEP_AWAIT,
	STEP_RECLAIM,	/* it failed, and the disks are not ours again yet */
};

struct send {
	struct machine *m;
	struct machine_listener listener;
	struct send_params params;
	enum send_phase phase;
	struct error why;
	/* Microseconds; copying: when the far end was ready. */
	int64_t begun, copying, stopped, ended;

	/* What follows is of the one that is under way. */
	enum send_step step;
	unsigned int may;	/* SEND_MAY_... */
	bool uncached;		/* the guest has written past its caches: see send_start() */
	bool unclaimed;		/* the disks are not ours any more */
	bool lost;		/* the guest may run elsewhere, and nobody here knows */
	bool away;		/* it has run there, and lacked pages that only we have */
	unsigned int throttled;	/* what the vCPUs were told */
	guint timer;
	int64_t until;		/* of STEP_RECLAIM */
	enum send_phase result;	/* likewise: what it is then */
	uint8_t id[PART_ID_SIZE];
	struct state state;
	GByteArray *tail;	/* the contents of WIRE_STATE */
	struct record facts;

	/* While there is a thread, it has these, ... */
	bool running;
	pthread_t thread;
	struct wire wire;
	struct part_writer writer;
	struct part_reader answers;
	struct memlog log;
	struct pages_writer *pages;
	struct layout_end count;
	unsigned int marks;	/* that the far end has not passed yet */
	uint64_t marked;	/* .wire.written at the last of them */
	bool switched;		/* to post-copy */
	int ret;
	bool refused;		/* the far end has said that it will not run the guest */
	bool kept;		/* it was not told to: this could not be said as a whole */
	struct error thread_why;
	/* ... and these are atomic. */
	bool finished;		/* it has set .ret, and ends */
	bool cancelled;		/* it must end */
	bool switches;		/* a person wants post-copy */
	bool runs_there;	/* and that is what it is */
	struct follow_count following;
	uint64_t left, nr_sent, nr_zero, expected_ms;
	int64_t ready_at, ran_at;
	unsigned int rounds, throttle;
};

/* Does send.step with the struct send @opaque, and tells by .finished. */
void *send_thread(void *opaque);

/* For part_writer.write: appends to the GByteArray @opaque. */
int send_tail_write(void *opaque, const void *data, size_t len);

#endif /* ARMVMM_RUN_SEND_THREAD_H */
