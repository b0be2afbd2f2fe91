/* SPDX-License-Identifier: GPL-2.0-only */
/* ARM's ticket lock, as the kernel lays it out; debug kernels have more behind it. */
#ifndef BOARD_LINUX_SPINLOCK_H
#define BOARD_LINUX_SPINLOCK_H

#include <linux/types.h>

#define TICKET_SHIFT	16

typedef struct {
	struct {
		union {
			u32 slock;
			struct {
				u16 owner, next;
			} tickets;
		};
	} raw_lock;
} raw_spinlock_t;

#endif
