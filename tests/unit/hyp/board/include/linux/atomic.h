/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BOARD_LINUX_ATOMIC_H
#define BOARD_LINUX_ATOMIC_H
#define cmpxchg_relaxed(p, old, new)	__sync_val_compare_and_swap((p), (old), (new))
#endif
