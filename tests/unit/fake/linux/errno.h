/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAKE_LINUX_ERRNO_H
#define FAKE_LINUX_ERRNO_H
#include_next <linux/errno.h>
#endif
