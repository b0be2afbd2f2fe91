/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A debugger's session with the machine: what it asks for, packet by packet, and what it is told.
 * All vCPUs stop together; each is a thread, vCPU n being thread n + 1.
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
	bool told_kind;		/* the debugger knows of swbreak and hwbreak */
	unsigned int cpu;	/* whose registers and memory are asked for */
	int run_cpu;		/* whom s and c are for; -1: all */
	uint32_t runs, steps;	/* bit n: vCPU n goes on, and for one instruction */
	enum session_stop stop;	/* why it stands, and what was watched then */
	uint32_t watched;
	enum point_type watched_type;
};

/* A debugger has come: the machine is stopped. The session was zeroed but for .target. */
void session_attach(struct session *s);

/* It leaves, or is gone: nothing of it stays in the guest, which goes on. */
void session_detach(struct session *s);

/* What the packet of @len bytes asks for, and the answer. */
void session_packet(struct session *s, const char *data, size_t len, struct reply *reply);

/* A person wants the guest stopped: the answer, unless it stands already. */
void session_interrupt(struct session *s, struct reply *reply);

/*
 * vCPU @cpu met one of the points, and all stand: the answer; or the guest goes on (.none), for
 * the event is the guest's own.
 */
void session_event(struct session *s, unsigned int cpu, const struct armvmm_exit *exit,
		   struct reply *reply);

/* The guest has ended, and armvmm-run ends with @status: the answer, if one is awaited. */
void session_ended(struct session *s, int status, struct reply *reply);

/* The machine was reset: memory was loaded anew, and the vCPUs are others. */
void session_reset(struct session *s);

/* ---- For the session's own files ---- */

/* The packets q and Q. */
void session_query(struct session *s, const char *data, size_t len, struct reply *reply);
/* qRcmd: what a person types behind `monitor`. */
void session_monitor(struct session *s, const char *text, struct reply *reply);

/* s, c, S, C and vCont. */
void session_vcont(struct session *s, const char *data, size_t len, struct reply *reply);
void session_continue(struct session *s, const char *data, size_t len, struct reply *reply);

/* Goes on, with .runs and .steps; an error leaves it stopped. */
void session_go(struct session *s, struct reply *reply);

/* Answers why it stands. */
void session_tell_stop(const struct session *s, struct reply *reply);

#endif /* ARMVMM_RUN_GDB_SESSION_H */
