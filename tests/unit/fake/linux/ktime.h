/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAKE_LINUX_KTIME_H
#define FAKE_LINUX_KTIME_H
#include "../compat/compat.h"
#endif
