/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAKE_LINUX_SCHED_SIGNAL_H
#define FAKE_LINUX_SCHED_SIGNAL_H
#include "../../fake_kernel.h"
#ifndef signal_pending
#define signal_pending(task)	false
#endif
#ifndef need_resched
#define need_resched()		false
#endif
#endif
