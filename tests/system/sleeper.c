// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs in the guest. "sleeper exact N": sleeps one second N times and prints how long each took, in
 * nanoseconds. "sleeper order MS": threads with deadlines MS apart must wake in that order, and
 * none early; ends with 1 if not. A busy host may wake a thread after the next one's deadline: such
 * a try shows nothing, and there are ten tries.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SLEEPERS	5
#define TRIES		10

static int woken[SLEEPERS], nr_woken;
static int early, late;
static long long start_ns, step_ns;

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void sleep_until(long long ns)
{
	struct timespec t = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL))
		exit(1);
}

static long long sleep_ns(long long ns)
{
	struct timespec t = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };
	long long from = now_ns();

	if (clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL))
		exit(1);
	return now_ns() - from;
}

static void *sleeper(void *arg)
{
	int me = (long)arg;
	long long end = start_ns + (me + 1) * step_ns;

	sleep_until(end);
	if (now_ns() < end)
		__atomic_store_n(&early, 1, __ATOMIC_SEQ_CST);
	woken[__atomic_fetch_add(&nr_woken, 1, __ATOMIC_SEQ_CST)] = me;
	/* Also if it woke in time, and recorded that late. */
	if (now_ns() - end >= step_ns)
		__atomic_store_n(&late, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/* Did all wake in the order of their times? */
static bool in_order(void)
{
	pthread_t thread[SLEEPERS];

	nr_woken = late = 0;
	/* Leave time for all threads to start before the first deadline. */
	start_ns = now_ns() + SLEEPERS * step_ns;
	/* The longest sleeper starts first, so that only the timers decide the order of waking. */
	for (long i = SLEEPERS - 1; i >= 0; i--)
		if (pthread_create(&thread[i], NULL, sleeper, (void *)i))
			exit(1);
	for (int i = 0; i < SLEEPERS; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i < SLEEPERS; i++) {
		if (woken[i] != i) {
			printf("sleeper %d woke as number %d%s\n", woken[i], i,
			       late ? ", one of them too late" : "");
			return false;
		}
	}
	return true;
}

/* A try in which a thread was too late shows nothing about the order. */
static bool ordered(void)
{
	for (int i = 0; i < TRIES; i++) {
		if (in_order())
			return true;
		if (!late)
			return false;
	}
	return false;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "exact")) {
		for (int i = atoi(argv[2]); i > 0; i--)
			printf("slept %lld\n", sleep_ns(1000000000LL));
		return 0;
	}
	step_ns = argc == 3 && !strcmp(argv[1], "order") ? atoi(argv[2]) * 1000000LL : 0;
	if (step_ns <= 0) {
		fprintf(stderr, "usage: sleeper exact N, or sleeper order MS\n");
		return 2;
	}
	if (!ordered())
		return 1;
	if (early)
		printf("a sleeper woke early\n");
	return early || sleep_ns(1000000000LL) < 1000000000LL;
}
