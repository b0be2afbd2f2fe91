/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAKE_LINUX_HRTIMER_H
#define FAKE_LINUX_HRTIMER_H
#include "../fake_kernel.h"
#endif
