/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes of the guest to a device's registers that the kernel posts, with no exit, and that the
 * device carries out a little later; and mirrors, which answer the guest's reads.
 *
 * A device posts a register while the guest writes it often, and no longer: as long as it does, a
 * timer carries out what was posted, at most POSTED_MS later. All that is posted is carried out
 * before any other access of the guest's that leaves the kernel, and before the machine is stopped,
 * saved, reset or ended. So a device sees the accesses of a vCPU in their order.
 *
 * Lock order: a device's outer lock, if it has one, then the lock in here, then the one that its
 * functions below take.
 */
#ifndef ARMVMM_RUN_POSTED_H
#define ARMVMM_RUN_POSTED_H

#include <stdbool.h>
#include <stdint.h>

struct armvmm_posted_write;	/* libarmvmm.h */
struct machine;

#define POSTED_MS	8

/* A register whose writes may be posted: a part of its device. */
struct posted {
	uint64_t gpa;
	uint32_t size;
	/*
	 * Only its own device, and the guest by an access with an exit, can tell whether its writes
	 * are carried out: no timer is needed, and it does not get tired.
	 */
	bool untimed;

	/* Any thread, with the lock in here held. */

	/* Does the device want them posted now? */
	bool (*wanted)(struct posted *posted);
	/* Carries out @nr writes. All lie in the register's bytes. */
	void (*write)(struct posted *posted, const struct armvmm_posted_write *writes,
		      unsigned int nr);
	/* None came for a while, or the kernel cannot post: the device wants it no longer. */
	void (*tired)(struct posted *posted);
	/* The timer has had carried out what there was. Optional. */
	void (*tick)(struct posted *posted);

	/* posted.c's. */
	bool on;		/* the kernel posts them, or begins or ends to; atomic */
	bool ending;		/* the kernel has ended, the rest is not carried out yet */
	unsigned int quiet;	/* how many times the timer found none */
	struct posted *next;
};

/*
 * May a machine's devices use what follows? False with an older module. The VM exists. Main thread.
 */
bool posted_supported(struct machine *m);

/* Makes the machine know a register. Main thread, before the first vCPU runs. 0 or -errno. */
int posted_init(struct machine *m, struct posted *posted);
void posted_exit(struct machine *m, struct posted *posted);

/*
 * Begins and ends to post registers' writes, as their devices want by now. To be called after each
 * change of that. After the end all that was posted is carried out. Any thread, without the
 * locks that those functions take.
 */
void posted_update(struct machine *m);

/* Does the kernel post the register's writes, or did it, or will it, in a moment? Any thread. */
bool posted_is_on(const struct posted *posted);

/* Carries out what is posted. Any thread, without the locks that those functions take. */
void posted_drain(struct machine *m);

/* The VM of before is gone, and what it posted with it. Main thread, no vCPU. */
void posted_disconnected(struct machine *m);

/*
 * The guest reads @value in the @size (1, 2, 4) bytes at @gpa without an exit, from the return on;
 * or no longer. Returns 0 or -errno: then reads come to the device. Main thread or a vCPU's, one at
 * a time for each register.
 */
int mirror_set(struct machine *m, uint64_t gpa, unsigned int size, uint32_t value);
void mirror_del(struct machine *m, uint64_t gpa, unsigned int size);

#endif /* ARMVMM_RUN_POSTED_H */
