/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's types on the build machine. */
#ifndef FAKE_LINUX_TYPES_H
#define FAKE_LINUX_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include_next <linux/types.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
typedef u64 phys_addr_t;
typedef u64 resource_size_t;

struct list_head {
	struct list_head *next, *prev;
};

#define __user
#define __percpu
#define __iomem
#define __rcu
#define __force

#endif
