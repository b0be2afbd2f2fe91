/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A debugger's session with the machine: handles its requests, packet by packet, and reports stops.
 * All vCPUs stop together. Each is a thread: vCPU n is thread n + 1.
 */
#ifndef ARMVMM_RUN_GDB_SESSION_H
#define ARMVMM_RUN_GDB_SESSION_H

#include "gdb/points.h"
#include "gdb/regfile.h"
#include "gdb/reply.h"
#include "gdb/target.h"

enum session_stop {
	SESSION_STOP_CAME,	/* the debugger itself */
	SESSION_STOP_ASKED,	/* a person */
	SESSION_STOP_STEP,
	SESSION_STOP_SOFT,
	SESSION_STOP_HARD,
	SESSION_STOP_WATCH,
};

struct session {
	struct target target;
	struct armvmm_debug_caps caps;
	struct regfile file;
	struct points points;
	char *xml;
	bool attached;
	bool running;
	bool no_ack;
	bool told_kind;		/* the debugger knows swbreak and hwbreak */
	unsigned int cpu;	/* the one whose registers and memory are asked for */
	int run_cpu;		/* the one that s and c are for; -1: all */
	uint32_t runs, steps;	/* bit n: vCPU n goes on; it does so for one instruction */
	enum session_stop stop;	/* why it is stopped, and what was watched then */
	uint32_t watched;
	enum point_type watched_type;
};

/* A debugger has come: stops the machine. The session must be zeroed, except .target. */
void session_attach(struct session *s);

/* The debugger leaves, or is gone: removes all its points, and lets the guest go on. */
void session_detach(struct session *s);

/* Handles the packet of @len bytes, and fills in the answer. */
void session_packet(struct session *s, const char *data, size_t len, struct reply *reply);

/* A person wants the guest stopped. Fills in the answer, unless it is stopped already. */
void session_interrupt(struct session *s, struct reply *reply);

/*
 * vCPU @cpu met a point, and all are stopped. Fills in the answer; or, if the event is the guest's
 * own, lets the guest go on (.none).
 */
void session_event(struct session *s, unsigned int cpu, const struct armvmm_exit *exit,
		   struct reply *reply);

/* The guest has ended, and armvmm-run ends with @status. Fills in the answer, if one is awaited. */
void session_ended(struct session *s, int status, struct reply *reply);

/* The machine was reset: memory was loaded anew, and there are new vCPUs. */
void session_reset(struct session *s);

/* ---- For the session's own files ---- */

/* The packets q and Q. */
void session_query(struct session *s, const char *data, size_t len, struct reply *reply);
/* qRcmd: what a person types behind `monitor`. */
void session_monitor(struct session *s, const char *text, struct reply *reply);

/* s, c, S, C and vCont. */
void session_vcont(struct session *s, const char *data, size_t len, struct reply *reply);
void session_continue(struct session *s, const char *data, size_t len, struct reply *reply);

/* Lets the guest go on as .runs and .steps say. After an error it stays stopped. */
void session_go(struct session *s, struct reply *reply);

/* Answers why the guest is stopped. */
void session_tell_stop(const struct session *s, struct reply *reply);

#endif /* ARMVMM_RUN_GDB_SESSION_H */
