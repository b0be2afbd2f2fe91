/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAKE_LINUX_SCHED_H
#define FAKE_LINUX_SCHED_H
#include "../fake_kernel.h"

void yield(void);

#endif
