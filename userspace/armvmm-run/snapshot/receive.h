/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live migration, the guest's new process: takes a guest that send.h sends, and whose old process
 * may be an attacker. Main thread.
 */
#ifndef ARMVMM_RUN_RECEIVE_H
#define ARMVMM_RUN_RECEIVE_H

#include "core/error.h"
#include "core/machine.h"
#include "snapshot/facts.h"

/* Where the guest comes from. The files do not block. */
struct receive_source {
	const char *name;	/* for messages */
	int listen;		/* a socket that listens; -1: the guest comes by the next two */
	int in, out;		/* may be the same; -1: see .listen */
};

struct postcopy;
struct receive;

/*
 * Takes what @source has open, and closes it in the end. The guest may come with pages that are
 * missing if @postcopy, the caller's, can get them. Never NULL.
 */
struct receive *receive_new(struct machine *m, struct receive_source *source,
			    struct postcopy *postcopy);

/* Gives up. NULL does nothing. */
void receive_free(struct receive *r);

/*
 * Waits for the guest, in the main loop, for a machine that is made alike, whose memory is zero,
 * and whose vCPUs have never run. Returns 0 when the guest is here, and nowhere else: its devices
 * are paused, and its disks are ours. Fills in @facts. Then either receive_confirm() or
 * receive_refuse() has to follow. Returns -EINTR if somebody wants the machine to end, or -errno
 * with @err set. Then the machine is good for nothing.
 */
int receive_guest(struct receive *r, struct facts *facts, struct error *err);

/*
 * Tells the guest's old process that it runs here. Nothing of it may have run before. Returns 0, or
 * -errno with @err set if pages are missing that will not come: then it may not run.
 */
int receive_confirm(struct receive *r, struct error *err);

/* Tells it that it does not, and never will: it goes on there. */
void receive_refuse(struct receive *r, const struct error *why);

#endif /* ARMVMM_RUN_RECEIVE_H */
