/* SPDX-License-Identifier: GPL-2.0-only */
/* What driver/hyp takes from the kernel, for a program that has none. */
#ifndef BOARD_LINUX_TYPES_H
#define BOARD_LINUX_TYPES_H

#include <stdbool.h>
#include <stddef.h>

#include_next <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;

#define __iomem
#define PAGE_SIZE		4096u
#define noinline		__attribute__((noinline))
#define __section(name)		__attribute__((section(name)))
#undef __always_inline
#define __always_inline		inline __attribute__((always_inline))
#define static_assert(c)	_Static_assert(c, #c)
#define BIT(n)			(1ul << (n))
#define GENMASK(h, l)		((~0ul << (l)) & (~0ul >> (31 - (h))))

#endif
