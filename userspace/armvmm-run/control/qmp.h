/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * QMP, the protocol of QEMU's monitor (QEMU's "QMP protocol specification"): turns the text of a
 * message into the text of its answer. Every text is one line, with \r\n at its end. Main thread.
 */
#ifndef ARMVMM_RUN_QMP_H
#define ARMVMM_RUN_QMP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "control/command.h"
#include "core/runstate.h"

#define QMP_CAPABILITIES	"qmp_capabilities"

/* One for each connection. */
struct qmp {
	const struct command_target *target;
	bool negotiated;	/* it takes commands, and gets events */
	struct command_session session;	/* to be ended by command_session_end() */
};

/* What a new connection gets first. Free all these texts by g_free(). */
char *qmp_greeting(void);

/*
 * The answer to a message of @len bytes, whose depth is bounded (splitter.h). NULL: qmp_later()
 * will have it, and no other message may come before.
 */
char *qmp_answer(struct qmp *qmp, const char *text, size_t len);

/* Does the last message still have no answer? */
bool qmp_waits(const struct qmp *qmp);

/* Its answer if there is one now, and qmp_waits(); else NULL. */
char *qmp_later(struct qmp *qmp);

/* Refuses what cannot be read, or is not served: an error of the class GenericError. */
char *qmp_refusal(const char *why);

/* What connections get for an event, or NULL if QMP has no such event. */
char *qmp_event(const struct machine_event *event);

/* The version as query-version returns it. */
json_t *qmp_version(void);

#endif /* ARMVMM_RUN_QMP_H */
