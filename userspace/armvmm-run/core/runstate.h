/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether the guest runs, and who must know. Several holders may stop it, each for its own reasons:
 * it runs while nobody holds it. While it is stopped, its vCPUs are parked outside the kernel, so
 * that their registers can be read and written, and its virtual counter stands still, unless --time
 * follow lets it catch up when it goes on. Devices and the wall clock go on. Main thread, except
 * for machine_debugged().
 */
#ifndef ARMVMM_RUN_RUNSTATE_H
#define ARMVMM_RUN_RUNSTATE_H

#include <libarmvmm.h>
#include <stdbool.h>
#include <sys/types.h>

#include "core/machine.h"

enum machine_holder {
	MACHINE_HOLDER_CONTROL,	/* a person, by the control socket */
	MACHINE_HOLDER_GDB,
	MACHINE_HOLDER_SNAPSHOT,	/* while it is saved, and perhaps afterwards */
	MACHINE_HOLDER_MIGRATION,	/* while it is handed over, and when it runs elsewhere */
	MACHINE_HOLDER_INCOMING,	/* until it has come from another process */
	MACHINE_HOLDER_DUMP,	/* while its memory is written to a file */
	MACHINE_HOLDER_SHELL,	/* while this process is stopped (SIGTSTP) */
};

enum machine_event_type {
	MACHINE_EVENT_STOP,	/* the first holder came: the vCPUs are parked */
	MACHINE_EVENT_RESUME,	/* the last holder left: they are about to go on */
	/*
	 * Some vCPUs have met a debugger's points (machine_debug_exit()), and all are parked.
	 * Unless a listener holds the machine before this returns, it goes on.
	 */
	MACHINE_EVENT_DEBUG,
	MACHINE_EVENT_POWERDOWN,	/* the guest's power button was pressed */
	/*
	 * The guest's run is over, for a reset or for good. Its vCPUs are gone, but memory and
	 * devices are still as they were.
	 */
	MACHINE_EVENT_LEAVE,
	MACHINE_EVENT_RESET,	/* the guest starts over; its vCPUs are gone */
	MACHINE_EVENT_SHUTDOWN,	/* it ended; .request says how */
	/*
	 * Before the first instruction, also after a reset: memory is loaded, and no vCPU runs yet.
	 */
	MACHINE_EVENT_START,
	MACHINE_EVENT_AWAIT,	/* it waits for its guest, which comes from another process */
	MACHINE_EVENT_READING,	/* a part of a snapshot was read, and there is more */
	MACHINE_EVENT_BALLOON,	/* the guest has another size; .bytes says which */
	MACHINE_EVENT_MIGRATION,	/* one has come further; .status says how far */
	MACHINE_EVENT_RTC,	/* the guest has set its clock, ahead of ours by .seconds */
	MACHINE_EVENT_PANICKED,	/* the guest's kernel says so; .status: what is done to it, */
	MACHINE_EVENT_CRASHLOADED,	/* or that it goes on as its crash kernel, likewise */
	MACHINE_EVENT_DUMP,	/* one has ended: .status, .why, .done and .bytes (in all) */
};

struct machine_event {
	enum machine_event_type type;
	/* For RESET and SHUTDOWN: what ended the guest's run, and who asked for it. */
	enum machine_request request;
	enum machine_cause cause;
	uint64_t bytes;	/* for BALLOON: of RAM that the guest has */
	int64_t seconds;	/* for RTC */
	uint64_t done;		/* for DUMP: of the bytes */
	/* By QEMU's names: MigrationStatus, DumpStatus, GuestPanicAction. */
	const char *status;
	const char *why;	/* for DUMP: a sentence if it failed; else NULL */
};

struct machine_listener {
	void (*event)(struct machine_listener *listener, const struct machine_event *event);
	struct machine_listener *next;	/* the machine's */
};

/* The board's part of this: see vcpu.h. */
struct runstate_ops {
	void (*stop)(void *opaque);	/* returns when all are parked; may be called again */
	void (*go)(void *opaque);
	void (*keep)(void *opaque, unsigned int index, bool keep);
	/* The vCPU, or NULL beyond the last. */
	struct armvmm_vcpu *(*vcpu)(void *opaque, unsigned int index);
	/* Its thread's number, or 0. */
	pid_t (*thread)(void *opaque, unsigned int index);
	void (*press_power)(void *opaque);
	/* The exit with which a vCPU stopped itself, or NULL. debug_seen() forgets them all. */
	const struct armvmm_exit *(*debug)(void *opaque, unsigned int index);
	void (*debug_seen)(void *opaque);
	bool (*pressed)(void *opaque);
	/* The counter of a machine that is held, and when it stood so (g_get_real_time()). */
	uint64_t (*counter)(void *opaque, int64_t *when);
	void (*throttle)(void *opaque, unsigned int percent);
};

/* Calls the listener for all events until machine_unlisten(), which it may call from there. */
void machine_listen(struct machine *m, struct machine_listener *listener);
void machine_unlisten(struct machine *m, struct machine_listener *listener);

/*
 * Holds the machine stopped. When this returns, no vCPU runs. Before the guest's start it makes the
 * guest start stopped. It stays held over a reset. Holding it twice does nothing.
 */
void machine_hold(struct machine *m, enum machine_holder holder);

/*
 * Lets go of the machine, which runs if nobody else holds it. Does nothing if @holder does not hold
 * it.
 */
void machine_release(struct machine *m, enum machine_holder holder);

/*
 * While the machine is held: makes vCPU @index stay parked (@keep) when the machine goes on, or go
 * on with the others again. After a reset no vCPU is kept.
 */
void machine_keep_vcpu(struct machine *m, unsigned int index, bool keep);

bool machine_is_held(const struct machine *m);
bool machine_is_held_by(const struct machine *m, enum machine_holder holder);

/*
 * Returns vCPU @index, whose registers may be read and written while the machine is held. NULL:
 * beyond the last, or before the guest's start. A reset makes new vCPUs.
 */
struct armvmm_vcpu *machine_vcpu(struct machine *m, unsigned int index);

/* The number of that vCPU's thread on the host; 0 if it has none now. */
pid_t machine_vcpu_thread(struct machine *m, unsigned int index);

/* Presses the power button for a moment of the guest's time. */
void machine_press_power(struct machine *m);

/* Is it pressed now? */
bool machine_power_pressed(struct machine *m);

/*
 * Calls @fn while no vCPU runs, for a moment. Nobody else is told. The machine may be held.
 */
void machine_while_stopped(struct machine *m, void (*fn)(void *opaque), void *opaque);

/* Keeps the vCPUs from running for @percent of the time, 0 to 99. */
void machine_throttle(struct machine *m, unsigned int percent);

/*
 * The value at which the virtual counter of a held machine stands, and since when
 * (g_get_real_time()).
 */
uint64_t machine_counter(struct machine *m, int64_t *when);

/* In MACHINE_EVENT_DEBUG: the exit (ARMVMM_EXIT_DEBUG) that vCPU @index stopped with, or NULL. */
const struct armvmm_exit *machine_debug_exit(struct machine *m, unsigned int index);

/* ---- For the board, its vCPUs and its devices ---- */

/* Calls the listeners for an event that this file does not make itself. */
void machine_tell(struct machine *m, const struct machine_event *event);

void machine_set_runstate_ops(struct machine *m, const struct runstate_ops *ops, void *opaque);

/* A vCPU has stopped itself, and called the others out of the guest. Any thread. */
void machine_debugged(struct machine *m);

/* Calls the listeners for MACHINE_EVENT_START. */
void machine_started(struct machine *m);

/*
 * Calls the listeners for MACHINE_EVENT_DEBUG, if machine_debugged() was called since the last
 * time. Once in each round of the main loop.
 */
void machine_poll_debugged(struct machine *m);

#endif /* ARMVMM_RUN_RUNSTATE_H */
