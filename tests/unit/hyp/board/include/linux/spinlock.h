/* SPDX-License-Identifier: GPL-2.0-only */
/* The board has one CPU. */
#ifndef BOARD_LINUX_SPINLOCK_H
#define BOARD_LINUX_SPINLOCK_H
typedef struct {
	_Bool held;
} raw_spinlock_t;
#define hyp_spin_trylock(l)	((l)->held ? 0 : ((l)->held = 1))
#define hyp_spin_unlock(l)	((void)((l)->held = 0))
#endif
