/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The points at which the guest stops: BKPT instructions in its RAM, and the CPU's breakpoints and
 * watchpoints, the same on all vCPUs. A BKPT stays at its physical address, even if the guest's
 * tables change later.
 */
#ifndef ARMVMM_RUN_GDB_POINTS_H
#define ARMVMM_RUN_GDB_POINTS_H

#include <libarmvmm.h>
#include <stdbool.h>
#include <stdint.h>

#include "gdb/target.h"

#define POINTS_MAX_SOFT	256
#define POINTS_MAX_HARD	16	/* the architecture has no more registers */

/* The numbers are those of the packets Z. */
enum point_type {
	POINT_SOFT = 0,
	POINT_HARD = 1,
	POINT_WRITE = 2,
	POINT_READ = 3,
	POINT_ACCESS = 4,
};

struct point_soft {
	uint32_t va;
	uint64_t gpa;
	uint8_t size;		/* of the BKPT: 2 or 4 bytes */
	uint8_t saved[4];	/* what was there before */
};

struct point_hard {
	enum point_type type;
	uint32_t va;
	uint32_t len;		/* GDB's: a breakpoint's kind, or bytes that are watched */
};

struct points {
	unsigned int nr_soft, nr_break, nr_watch;
	struct point_soft soft[POINTS_MAX_SOFT];
	struct point_hard breakpoint[POINTS_MAX_HARD];
	struct point_hard watchpoint[POINTS_MAX_HARD];
};

/*
 * Puts a BKPT at @va, which is @gpa. @kind is GDB's: 2 and 3 in Thumb state, 4 in Arm state. To
 * repeat it does nothing. -EINVAL: the kind or the alignment; -EFAULT: no RAM; -ENOSPC: too many.
 */
int points_add_soft(struct points *points, const struct target *target, uint32_t va, uint64_t gpa,
		    uint32_t kind);

/*
 * Adds one of the CPU's points. @len is the kind of a breakpoint, or the number of watched bytes.
 * To repeat it does nothing. -EINVAL: it fits no register; -ENOSPC: @max are in use.
 */
int points_add_hard(struct points *points, enum point_type type, uint32_t va, uint32_t len,
		    unsigned int max);

/* -ENOENT: there is none. Instructions that the guest has overwritten since stay as they are. */
int points_del_soft(struct points *points, const struct target *target, uint32_t va);
int points_del_hard(struct points *points, enum point_type type, uint32_t va, uint32_t len);

void points_clear(struct points *points, const struct target *target);

/*
 * After memory was loaded anew, puts the BKPTs back where it holds the same instructions as before.
 * Elsewhere other code or data may follow, and the BKPT stays out.
 */
void points_replace(struct points *points, const struct target *target);

/* Access RAM of @len bytes at @gpa as a debugger sees it: the instructions below the BKPTs. */
void points_read_ram(const struct points *points, const struct target *target, uint64_t gpa,
		     void *buf, uint32_t len);
void points_write_ram(struct points *points, const struct target *target, uint64_t gpa,
		      const void *buf, uint32_t len);

/* Is one of our BKPTs at @gpa? */
bool points_has_soft(const struct points *points, uint64_t gpa);

/*
 * A vCPU met a BKPT at @va, which is @gpa now. Is it one of ours, in a page that the guest has
 * copied (fork)? If so, it belongs to @va from now on like the first, and is removed with it.
 */
bool points_has_copy(struct points *points, const struct target *target, uint32_t va,
		     uint64_t gpa);

/* The watchpoint that an access at @va hit, or NULL. */
const struct point_hard *points_watched(const struct points *points, uint32_t va, bool is_write);

/* Fills in the debug registers. Returns false if all are off. */
bool points_regs(const struct points *points, struct armvmm_debug_regs *regs);

#endif /* ARMVMM_RUN_GDB_POINTS_H */
