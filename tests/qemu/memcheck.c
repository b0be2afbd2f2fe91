// SPDX-License-Identifier: GPL-2.0-only
/*
 * memcheck MIB THREADS: a load on memory that notices if anything is lost. Each thread writes its
 * part again and again, and checks before each write that the previous pass's value is there.
 * Meanwhile it keeps a sum in floating-point registers, and checks that the clock does not go back.
 * It reports passes of the first thread ("@@ pass N") and all errors ("@@ wrong ...").
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static size_t part_words;

static uint32_t memcheck_word(const volatile uint32_t *at, uint32_t pass)
{
	return ((uint32_t)(uintptr_t)at >> 2) * 2654435761u + pass * 40503u;
}

static uint64_t memcheck_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static void memcheck_wrong(const char *what, unsigned int thread, uint32_t pass, uint64_t found,
			   uint64_t wanted)
{
	printf("@@ wrong %s: thread %u, pass %u: %llx, not %llx\n", what, thread, pass,
	       (unsigned long long)found, (unsigned long long)wanted);
	fflush(stdout);
}

static void *memcheck_thread(void *opaque)
{
	unsigned int thread = (uintptr_t)opaque;
	uint64_t clock = memcheck_clock(CLOCK_MONOTONIC), told = 0, now;
	volatile uint32_t *words;
	/* Sums of quarters are exact, so any change of the register is noticed. */
	double sum = 0, wanted;

	words = mmap(NULL, part_words * 4, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (words == MAP_FAILED) {
		printf("@@ wrong mmap\n");
		exit(1);
	}
	for (uint32_t pass = 1;; pass++) {
		for (size_t i = 0; i < part_words; i++) {
			uint32_t was = pass > 1 ? memcheck_word(words + i, pass - 1) : 0;

			if (words[i] != was)
				memcheck_wrong("memory", thread, pass, words[i], was);
			words[i] = memcheck_word(words + i, pass);
			sum += 0.25;
		}
		wanted = (double)pass * part_words / 4;
		if (sum != wanted)
			memcheck_wrong("sum", thread, pass, sum, wanted);
		now = memcheck_clock(CLOCK_MONOTONIC);
		if (now < clock)
			memcheck_wrong("clock", thread, pass, now, clock);
		clock = now;
		if (!thread && now - told > 200000000) {
			printf("@@ pass %u\n", pass);
			fflush(stdout);
			told = now;
		}
	}
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned int mib = argc > 1 ? atoi(argv[1]) : 16, threads = argc > 2 ? atoi(argv[2]) : 1;
	pthread_t id;

	part_words = ((size_t)mib << 20) / 4 / threads;
	for (uintptr_t i = 1; i < threads; i++)
		if (pthread_create(&id, NULL, memcheck_thread, (void *)i))
			return 1;
	memcheck_thread(0);
	return 0;
}
