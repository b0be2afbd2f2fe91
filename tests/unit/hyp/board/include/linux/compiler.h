/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BOARD_LINUX_COMPILER_H
#define BOARD_LINUX_COMPILER_H
#define READ_ONCE(x)	(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v)	(*(volatile __typeof__(x) *)&(x) = (v))
#define smp_mb()	asm volatile("dmb ish" : : : "memory")
#define smp_rmb()	asm volatile("dmb ish" : : : "memory")
#define smp_wmb()	asm volatile("dmb ishst" : : : "memory")
#endif
