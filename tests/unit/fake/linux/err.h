/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAKE_LINUX_ERR_H
#define FAKE_LINUX_ERR_H

#include <linux/types.h>

#define ERR_PTR(e)	((void *)(intptr_t)(e))
#define PTR_ERR(p)	((long)(intptr_t)(p))
#define IS_ERR(p)	((uintptr_t)(p) >= (uintptr_t)-4095)

#endif
