/* SPDX-License-Identifier: GPL-2.0-only */
/* Arithmetic of counter ticks and deadlines. Pure. */
#ifndef ARMVMM_TIMER_MATH_H
#define ARMVMM_TIMER_MATH_H

#include <linux/math64.h>
#include <linux/types.h>

#include "arch/archregs.h"

#define TIMER_NSEC_PER_SEC	1000000000u
/* Some 73 years: the longest sleep, and far from overflowing ktime_t when added. */
#define TIMER_MAX_SECONDS	0x8a000000u

/*
 * Nanoseconds that @cycles ticks at @freq Hz last, rounded up, so that a sleep
 * never ends before its deadline; at most TIMER_MAX_SECONDS.
 */
static inline u64 timer_cycles_to_ns(u64 cycles, u32 freq)
{
	u32 rest;
	u64 seconds = div_u64_rem(cycles, freq, &rest);

	if (seconds >= TIMER_MAX_SECONDS)
		return (u64)TIMER_MAX_SECONDS * TIMER_NSEC_PER_SEC;
	/* rest < freq < 2^32: the product fits, and the quotient is below a second. */
	return seconds * TIMER_NSEC_PER_SEC +
	       div_u64((u64)rest * TIMER_NSEC_PER_SEC + freq - 1, freq);
}

/* Ticks until a counter at @now reaches @cval; 0: it has (DDI 0406C B8.1.5). */
static inline u64 timer_ticks_left(u64 now, u64 cval)
{
	return now >= cval ? 0 : cval - now;
}

#define TIMER_MAX_LEAD_US	50

/*
 * How early to set the next wake-up, in ticks: three parts of what it was, one of
 * how @late the last one came, and a little to spare. Bounded, for the difference
 * is polled away.
 */
static inline u64 timer_next_lead(u64 lead, u64 late, u32 freq)
{
	u64 max = freq / (1000000 / TIMER_MAX_LEAD_US);

	if (late > max)
		late = max;
	lead = (lead * 3 + late + late / 4) / 4;
	return lead < max ? lead : max;
}

/* True where the timer can ever raise its line. */
static inline bool timer_can_fire(u32 ctl)
{
	return (ctl & (CNT_CTL_ENABLE | CNT_CTL_IMASK)) == CNT_CTL_ENABLE;
}

/* True where it says that the line is high: as of when it was read. */
static inline bool timer_is_high(u32 ctl)
{
	return timer_can_fire(ctl) && (ctl & CNT_CTL_ISTATUS);
}

/* CTL as it reads: ISTATUS is UNKNOWN with ENABLE clear, and zero here. */
static inline u32 timer_ctl_read(u32 ctl, u64 now, u64 cval)
{
	ctl &= CNT_CTL_ENABLE | CNT_CTL_IMASK;
	if ((ctl & CNT_CTL_ENABLE) && !timer_ticks_left(now, cval))
		ctl |= CNT_CTL_ISTATUS;
	return ctl;
}

/* TVAL is a signed view of CVAL, 32 bits wide (B8.1.5). */
static inline u64 timer_tval_to_cval(u64 now, u32 tval)
{
	return now + (s64)(s32)tval;
}

static inline u32 timer_cval_to_tval(u64 now, u64 cval)
{
	return (u32)(cval - now);
}

#endif
