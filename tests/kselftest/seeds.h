/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs that do random things for FUZZ_SECONDS (4), each from a seed: new ones, or those given.
 */
#ifndef TEST_SEEDS_H
#define TEST_SEEDS_H

#include <stdlib.h>

#include "dice.h"
#include "vm.h"

static unsigned int seconds = 4;
static uint64_t given[64];
static unsigned int nr_given;

static void seeds_read(int argc, char **argv)
{
	const char *s = getenv("FUZZ_SECONDS");

	if (s && atoi(s) > 0)
		seconds = (unsigned int)atoi(s);
	for (int i = 1; i < argc && nr_given < 64; i++)
		given[nr_given++] = strtoull(argv[i], NULL, 0);
}

/* The seed of round @n. */
static uint64_t seeds_next(struct dice *d, unsigned int n)
{
	return nr_given ? given[n % nr_given] : roll(d);
}

/* Seeds that once failed: @round has to be true for each. */
static void seeds_keep(const uint64_t *kept, unsigned int n, bool (*round)(uint64_t seed))
{
	node_share();
	for (unsigned int i = 0; i < n; i++)
		CHECK(round(kept[i]), "seed 0x%llx", (unsigned long long)kept[i]);
	node_unshare();
}

/* Runs @cases, of which the first is the kept seeds'; with given seeds, the second alone. */
static int seeds_run(char **argv, const struct ktap_case *cases, unsigned int n)
{
	return nr_given ? ktap_main(1, argv, cases + 1, 1) : ktap_main(1, argv, cases, n);
}

#endif
