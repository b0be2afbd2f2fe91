/* SPDX-License-Identifier: GPL-2.0-only */
/* What the board does with a machine, and devices do not see. */
#ifndef ARMVMM_RUN_MACHINE_PRIVATE_H
#define ARMVMM_RUN_MACHINE_PRIVATE_H

#include <libarmvmm.h>
#include <pthread.h>

#include "core/budget.h"
#include "core/machine.h"
#include "core/posted.h"
#include "core/runstate.h"

#define MACHINE_MAX_IOEVENTFDS	64
#define MACHINE_MAX_ROMS	2

struct machine_ioeventfd {
	uint64_t gpa, value;
	unsigned int len;
	int fd;
};

struct machine_private {
	struct armvmm_vm *vm;	/* NULL: lines and events reach nobody */
	struct irqline *line[MAP_NR_SPIS];
	unsigned int nr_virtio;
	unsigned int nr_roms;	/* slots of the VM, above those of the memory */
	struct {
		uint64_t gpa, size;
		const uint8_t *host;
	} rom[MACHINE_MAX_ROMS];	/* what each slot shows the guest now */
	unsigned int nr_ioeventfds;
	struct machine_ioeventfd ioeventfd[MACHINE_MAX_IOEVENTFDS];

	/* For posted.c. */
	pthread_mutex_t posted_lock;	/* what is posted is carried out, by one thread at a time */
	struct posted *posted;		/* all registers that may be; constant while vCPUs run */
	unsigned int nr_posted;		/* those that are; atomic, written under the lock */
	unsigned int nr_timed;		/* those of them that need the timer */
	int posted_timer;		/* timerfd; -1: none yet */
	GSource *posted_source;

	/* For runstate.c. */
	unsigned int holders;	/* bit n: enum machine_holder */
	struct machine_listener *listeners;
	const struct runstate_ops *run_ops;
	void *run_opaque;
	bool debugged;		/* atomic: a vCPU has stopped itself */

	pthread_mutex_t lock;	/* what follows */
	enum machine_request request;
	enum machine_cause cause;	/* of the request */
	char why[256];
	struct budget budget;	/* of warnings and notes */
};

/* A zeroed machine without a VM. Returns 0 or -ENOMEM. */
int machine_init(struct machine *m);

/* Destroys the devices and frees memory. The VM, which is the caller's, is closed before. */
void machine_exit(struct machine *m);

/*
 * Connects the machine with a VM that was just opened, and asks it again for the events that an
 * earlier VM was asked for. NULL disconnects. Returns 0 or -errno.
 */
int machine_connect(struct machine *m, struct armvmm_vm *vm);

/* Resets devices and memory to power-on state, with lines low. No vCPU may run. */
void machine_reset(struct machine *m);

/* Returns what somebody asked for, or MACHINE_NONE. Any thread. */
enum machine_request machine_requested(struct machine *m);

/*
 * The same, with @cause telling who asked. Forgets it, unless it was a person's wish to leave. The
 * vCPUs must be stopped.
 */
enum machine_request machine_take_request(struct machine *m, enum machine_cause *cause);

/*
 * After a restore of devices and GIC: raises the lines that devices hold high. An edge was taken
 * before, so lines of edge-triggered interrupts are left alone. Returns 0 or -errno.
 */
int machine_raise_lines(struct machine *m);

/*
 * Makes this process see what the guest wrote with its caches off. The vCPUs are stopped. Returns 0
 * or -errno; a log of written pages has all of them then.
 */
int machine_sync_memory(struct machine *m);

/*
 * The log of written pages: of those that the guest writes, by the kernel, and of those that
 * devices write. Turning it on also does what machine_sync_memory() does.
 * Main thread, while the VM has its memory. Returns 0 or -errno; then there is no log.
 */
int machine_log_start(struct machine *m);
void machine_log_stop(struct machine *m);

/*
 * Adds the log of a region to @bitmap (bit n: page n), and empties it: pages that are written from
 * now on are in the next log. @room is a bitmap of the same size, for its use. Any thread. Returns
 * 0 or -errno.
 */
int machine_log_take(struct machine *m, unsigned int region, uint32_t *bitmap, uint32_t *room);

#endif /* ARMVMM_RUN_MACHINE_PRIVATE_H */
