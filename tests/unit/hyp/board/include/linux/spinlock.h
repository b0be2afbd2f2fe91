/* SPDX-License-Identifier: GPL-2.0-only */
/* The board has one CPU. A lock is as large as in the module, and free where it is zero. */
#ifndef BOARD_LINUX_SPINLOCK_H
#define BOARD_LINUX_SPINLOCK_H
typedef struct {
	unsigned int slock;
} raw_spinlock_t;
#define hyp_spin_trylock(l)	((l)->slock ? 0 : ((l)->slock = 1))
#define hyp_spin_unlock(l)	((void)((l)->slock = 0))
#endif
