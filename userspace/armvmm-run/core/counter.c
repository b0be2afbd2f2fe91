// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <signal.h>

#include "core/counter.h"

#define COUNTER_US	1000000u

#ifdef __arm__
static sigjmp_buf counter_out;

static void counter_refused(int signal)
{
	siglongjmp(counter_out, signal);
}

/* Programs may read CNTFRQ if the kernel lets them read a counter (DDI 0406C B8.1.1). */
uint32_t counter_hz(void)
{
	struct sigaction action = { .sa_handler = counter_refused }, before;
	volatile uint32_t hz = 0;
	uint32_t value;

	if (sigaction(SIGILL, &action, &before))
		return 0;
	if (!sigsetjmp(counter_out, 1)) {
		asm volatile("mrc p15, 0, %0, c14, c0, 0" : "=r"(value));
		hz = value;
	}
	sigaction(SIGILL, &before, NULL);
	return hz;
}
#else
uint32_t counter_hz(void)
{
	return 0;
}
#endif

uint64_t counter_after(uint64_t value, int64_t then, int64_t now, uint32_t hz)
{
	uint64_t us = now > then ? (uint64_t)now - (uint64_t)then : 0;

	/* In two parts: the product of all could be too large. */
	return value + us / COUNTER_US * hz + us % COUNTER_US * hz / COUNTER_US;
}
