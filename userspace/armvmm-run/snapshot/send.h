/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live migration, the guest's old process: a thread copies memory to the far end (wire.h) while the
 * guest runs, round after round, each with the pages that were written meanwhile. When little is
 * left, the guest is stopped, and the rest goes. Whatever happens before the far end was told to
 * run the guest, the guest goes on here. Main thread.
 *
 * With post-copy the guest may be handed over earlier, and the far end asks for the pages that the
 * guest touches there, while the others follow. From then on the guest is in two places, and
 * neither has all of it: if the connection breaks, it cannot go on in either.
 */
#ifndef ARMVMM_RUN_SEND_H
#define ARMVMM_RUN_SEND_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "core/machine.h"

enum send_phase {
	SEND_NONE,		/* none was begun yet */
	SEND_ACTIVE,		/* the guest runs, and its memory is copied */
	SEND_HANDOVER,		/* it stands still, and its last part goes */
	SEND_POSTCOPY,		/* it runs there, and its pages follow */
	SEND_CANCELLING,
	SEND_COMPLETED,		/* it runs there */
	SEND_FAILED,
	SEND_CANCELLED,
};

/* What a client may set, also while a migration is under way. */
struct send_params {
	uint64_t bandwidth;	/* bytes a second while the guest runs; 0: any */
	uint64_t downtime_ms;	/* how long the guest may stand still, by an estimate */
	unsigned int throttle_initial, throttle_step, throttle_max;	/* per cent, 1 to 99 */
};

/* Of the last one, or the one that is under way. */
struct send_status {
	enum send_phase phase;
	int64_t begun;		/* microseconds, of g_get_monotonic_time() */
	uint64_t total;		/* bytes of memory */
	uint64_t left;		/* bytes that are still to be dealt with, in this round */
	uint64_t written;	/* bytes of the stream */
	uint64_t pages, zeroes;	/* pages that were sent, and others that were dirty */
	unsigned int rounds;
	unsigned int throttle;	/* per cent of time that the guest's vCPUs are kept from running */
	uint64_t requests;	/* of pages that somebody waits for at the far end */
	uint64_t expected_ms;	/* how long it would stand still now */
	uint64_t setup_ms, total_ms;
	uint64_t down_ms;	/* how long it stood still; 0 before that */
	struct error why;	/* SEND_FAILED: a sentence */
};

/* What else send_start() may do. */
#define SEND_MAY_CONVERGE	1u	/* slow vCPUs down that write faster than is sent */
#define SEND_MAY_SWITCH		2u	/* to post-copy, when told, or if nothing else helps */

struct send;

/* Never NULL. */
struct send *send_new(struct machine *m);

/* Cancels what is under way. NULL does nothing. */
void send_free(struct send *s);

struct send_params *send_params(struct send *s);

/* Would send_start() begin? Returns 0, or -errno with @err set. */
int send_may_start(struct send *s, int fd, struct error *err);

/*
 * Begins to send the guest by the connected socket @fd, which belongs to the caller only if this
 * fails. @may: SEND_MAY_... Returns 0, or -errno with @err set.
 */
int send_start(struct send *s, int fd, unsigned int may, struct error *err);

/*
 * Hands the guest over as soon as the far end can take it, whatever its memory still lacks. @may is
 * what the caller would have begun with. Returns 0, or -errno with @err set.
 */
int send_switch(struct send *s, unsigned int may, struct error *err);

/* Ends it soon, and the guest goes on here; unless it was handed over already. */
void send_cancel(struct send *s);

bool send_is_active(const struct send *s);

/* Does the guest stand still, as it is being handed over? */
bool send_is_handing_over(const struct send *s);

/* Does the guest run at the far end, while its memory follows? */
bool send_is_following(const struct send *s);

/* Is the guest stopped because it runs elsewhere, or may do so? */
bool send_has_stopped(const struct send *s);

/*
 * Lets such a guest go on here, if nobody else uses its disks, and it is not known to have run
 * elsewhere; if it may have, only where locks show that it does not. @anyway: a person has looked,
 * and knows better, unless memory from here is missing there. Returns 0, or -errno with @err set.
 */
int send_continue(struct send *s, bool anyway, struct error *err);

void send_get(struct send *s, struct send_status *status);

#endif /* ARMVMM_RUN_SEND_H */
