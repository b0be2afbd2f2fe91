/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The end of a process whose guest runs elsewhere already, while its memory follows from here
 * (post-copy): without that, the guest cannot go on there. Main thread.
 */
#ifndef ARMVMM_RUN_FAREWELL_H
#define ARMVMM_RUN_FAREWELL_H

#include <glib.h>
#include <stdbool.h>

#include "core/machine.h"

struct board;
struct control;

struct farewell {
	struct board *board;
	struct control *control;	/* may be NULL */
	gint64 asked;			/* when a person last wanted the end; 0: nobody has */
	guint timer;
	unsigned int looks;		/* since all has followed */
	enum machine_cause cause;
};

/*
 * Somebody wants the end for @cause: a @person, or a clock. Returns false if nothing is in its way:
 * the caller goes on then. Else it comes when the guest's memory has followed, or at once when a
 * person asks again within some seconds.
 */
bool farewell_waits(struct farewell *f, enum machine_cause cause, bool person);

void farewell_forget(struct farewell *f);

#endif /* ARMVMM_RUN_FAREWELL_H */
