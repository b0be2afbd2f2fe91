/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAKE_LINUX_PRINTK_H
#define FAKE_LINUX_PRINTK_H
#include "../fake_kernel.h"

#define pr_debug_ratelimited(...)	do { if (0) printf(__VA_ARGS__); } while (0)

#endif
