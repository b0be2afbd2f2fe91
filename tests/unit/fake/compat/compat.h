/* SPDX-License-Identifier: GPL-2.0-only */
/* The newest kernel's, on the build machine: a test defines what these functions do. */
#ifndef FAKE_COMPAT_H
#define FAKE_COMPAT_H

#include "fake_kernel.h"

#define COMPAT_GFP_MAPPED	GFP_KERNEL_ACCOUNT

typedef s64 ktime_t;
enum hrtimer_restart { HRTIMER_NORESTART, HRTIMER_RESTART };
enum hrtimer_mode { HRTIMER_MODE_REL_HARD };
#ifndef CLOCK_MONOTONIC
#define CLOCK_MONOTONIC	1
#endif

static inline ktime_t ns_to_ktime(u64 ns)
{
	return ns;
}

void hrtimer_setup(struct hrtimer *timer, enum hrtimer_restart (*fn)(struct hrtimer *),
		   int clock, enum hrtimer_mode mode);
void hrtimer_start(struct hrtimer *timer, ktime_t time, enum hrtimer_mode mode);
int hrtimer_cancel(struct hrtimer *timer);
u64 hrtimer_forward_now(struct hrtimer *timer, ktime_t interval);

unsigned long compat_thread_work(void);
void compat_guest_enter_irqoff(unsigned long *noted);
void compat_guest_exit_irqoff(void);
void compat_guest_exit_account(void);

#endif
