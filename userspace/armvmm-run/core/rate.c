// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <time.h>

#include "core/parse.h"
#include "core/rate.h"

#define RATE_SECOND	1000000000ull
#define RATE_LONGEST	(86400 * RATE_SECOND)

/* How long the bucket fills for @n, rounded up. */
static uint64_t rate_cost(const struct rate *rate, uint64_t n)
{
	uint64_t seconds = n / rate->per_second, rest = n % rate->per_second;

	if (seconds >= RATE_LONGEST / RATE_SECOND)
		return RATE_LONGEST;
	/* RATE_MAX times RATE_SECOND does not fit: microseconds are exact enough up there. */
	if (rest > UINT64_MAX / RATE_SECOND / 2)
		return seconds * RATE_SECOND + rest / (rate->per_second / 1000000 + 1) * 1000;
	return seconds * RATE_SECOND +
	       (rest * RATE_SECOND + rate->per_second - 1) / rate->per_second;
}

uint64_t rate_wait(const struct rate *rate, uint64_t now)
{
	return rate->per_second && rate->empty > now ? rate->empty - now : 0;
}

void rate_take(struct rate *rate, uint64_t n, uint64_t now)
{
	if (!rate->per_second)
		return;
	if (now >= RATE_BURST_NS && rate->empty < now - RATE_BURST_NS)
		rate->empty = now - RATE_BURST_NS;
	rate->empty += rate_cost(rate, n);
	if (rate->empty > now + RATE_LONGEST)
		rate->empty = now + RATE_LONGEST;
}

int rate_parse(const char *word, const char *name, const char *label, uint64_t *per_second,
	       struct error *err)
{
	const char *value = parse_value(word, name), *end;
	unsigned int shift = 0;

	if (!value)
		return -ENOENT;
	end = value + strlen(value);
	if (end > value && strchr("KkMmGg", end[-1])) {
		end--;
		shift = strchr("Kk", *end) ? 10 : strchr("Mm", *end) ? 20 : 30;
	}
	if (parse_number(value, end, RATE_MAX >> shift, per_second) || !*per_second)
		return error_set(err, -EINVAL,
				 "%s: %s: must be 1 to %llu a second (K, M or G may follow)", label,
				 word, (unsigned long long)RATE_MAX);
	*per_second <<= shift;
	return 0;
}

uint64_t rate_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * RATE_SECOND + now.tv_nsec;
}
