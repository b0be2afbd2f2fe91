/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A token bucket: how much of something a guest may have in a second, on average. It fills at the
 * rate, and holds as much as comes in RATE_BURST_NS. A request may take more than it holds: the
 * bucket then goes into debt, and the next request waits. So a large request is served whole.
 *
 * Nothing here looks at a clock or locks. The caller locks, and gives @now in nanoseconds, which
 * never goes back.
 */
#ifndef ARMVMM_RUN_RATE_H
#define ARMVMM_RUN_RATE_H

#include <stdint.h>

#include "core/error.h"

#define RATE_BURST_NS	100000000ull	/* 100 ms */
#define RATE_MAX	100000000000ull	/* units a second */

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

/* Takes @n, after rate_wait() or before the wait that it asked for. */
void rate_take(struct rate *rate, uint64_t n, uint64_t now);

/*
 * Parses "name=N", with K, M or G (powers of 1024) behind N, into *@per_second. Returns 0, -ENOENT
 * if @word is another word, or -EINVAL with a sentence in @err that begins with @label.
 */
int rate_parse(const char *word, const char *name, const char *label, uint64_t *per_second,
	       struct error *err);

/* The current time, for the functions above. */
uint64_t rate_now(void);

#endif /* ARMVMM_RUN_RATE_H */
