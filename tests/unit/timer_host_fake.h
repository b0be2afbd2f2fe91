/* SPDX-License-Identifier: GPL-2.0-only */
/* What timer_host.c takes from the kernel beside interrupts: registers, which the test has. */
#ifndef TIMER_HOST_FAKE_H
#define TIMER_HOST_FAKE_H

#include "fake_kernel.h"

void fake_writel(u32 val, void *at);
u32 fake_readl(void *at);

#undef writel_relaxed
#undef readl_relaxed
#define writel_relaxed(val, at)	fake_writel((val), (at))
#define readl_relaxed(at)	fake_readl(at)
#define isb()			do { } while (0)
#define this_cpu_ptr(v)		(v)
#define pr_err(...)		do { } while (0)

#endif
