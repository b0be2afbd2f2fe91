/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A token bucket: how much of something a guest may have in a second, on average. It fills at the
 * rate, and holds what comes in RATE_BURST_NS. What is taken may be more than it holds: the bucket
 * owes it then, and the next one waits, so that a large request is served whole.
 *
 * Nothing here looks at a clock or locks: @now is the caller's, in nanoseconds, and does not go
 * back; so is the lock.
 */
#ifndef ARMVMM_RUN_RATE_H
#define ARMVMM_RUN_RATE_H

#include <stdint.h>

#include "core/error.h"

#define RATE_BURST_NS	100000000ull	/* 100 ms */
#define RATE_MAX	100000000000ull	/* a second */

/**
 * struct rate
 * @per_second: 0: no limit
 * @empty: when all will be paid for, ns; how far that is back, up to RATE_BURST_NS, is in it
 */
struct rate {
	uint64_t per_second;
	uint64_t empty;
};

/* A full bucket, for @per_second (0 to RATE_MAX). */
static inline void rate_init(struct rate *rate, uint64_t per_second)
{
	*rate = (struct rate){ .per_second = per_second };
}

/* Nanoseconds until something may be taken; 0: now. */
uint64_t rate_wait(const struct rate *rate, uint64_t now);

/* Takes @n, after rate_wait() or ahead of the wait that it told. */
void rate_take(struct rate *rate, uint64_t n, uint64_t now);

/*
 * "name=N" with K, M or G (powers of 1024) behind N: into *@per_second. Returns 0, -ENOENT where
 * @word is another word, or -EINVAL with @err set, which @label begins.
 */
int rate_parse(const char *word, const char *name, const char *label, uint64_t *per_second,
	       struct error *err);

/* Now, for the above. */
uint64_t rate_now(void);

#endif /* ARMVMM_RUN_RATE_H */
