/* SPDX-License-Identifier: GPL-2.0-only */
/* What ends a thread's wait, and what it does meanwhile, are the test's. */
#ifndef WAIT_FAKE_H
#define WAIT_FAKE_H

#include "fake/fake_kernel.h"

bool fake_signal_pending(void);
bool fake_need_resched(void);
void fake_cpu_relax(void);
#define signal_pending(task)	fake_signal_pending()
#define need_resched()		fake_need_resched()
#undef cpu_relax
#define cpu_relax()		fake_cpu_relax()

#endif
