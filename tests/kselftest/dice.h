/* SPDX-License-Identifier: GPL-2.0-only */
/* A sequence of random numbers, splitmix64: one seed gives one sequence. */
#ifndef TEST_DICE_H
#define TEST_DICE_H

#include <stdbool.h>
#include <stdint.h>

struct dice {
	uint64_t state;
};

static inline uint64_t roll(struct dice *d)
{
	uint64_t z = d->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static inline uint32_t below(struct dice *d, uint32_t n)
{
	return (uint32_t)(roll(d) >> 32) % n;
}

static inline bool one_in(struct dice *d, uint32_t n)
{
	return !below(d, n);
}

#endif /* TEST_DICE_H */
