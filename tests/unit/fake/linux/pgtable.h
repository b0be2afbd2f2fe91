/* SPDX-License-Identifier: GPL-2.0-only */
/* An Arm kernel's page table entries, in the format that CONFIG_ARM_LPAE chooses. */
#ifndef FAKE_LINUX_PGTABLE_H
#define FAKE_LINUX_PGTABLE_H

#include "../fake_kernel.h"

#ifdef CONFIG_ARM_LPAE
typedef u64 pteval_t;
#define L_PTE_VALID		((pteval_t)1 << 0)
#define L_PTE_USER		((pteval_t)1 << 6)
#define L_PTE_YOUNG		((pteval_t)1 << 10)
#define L_PTE_DIRTY		((pteval_t)1 << 55)
#define L_PTE_NONE		((pteval_t)1 << 57)
#define L_PTE_RDONLY		((pteval_t)1 << 58)
#define L_PTE_MT_UNCACHED	((pteval_t)0 << 2)
#define L_PTE_MT_BUFFERABLE	((pteval_t)1 << 2)
#define L_PTE_MT_WRITETHROUGH	((pteval_t)2 << 2)
#define L_PTE_MT_WRITEBACK	((pteval_t)3 << 2)
#define L_PTE_MT_WRITEALLOC	((pteval_t)7 << 2)
#define L_PTE_MT_DEV_SHARED	((pteval_t)4 << 2)
#define L_PTE_MT_DEV_NONSHARED	((pteval_t)4 << 2)
#define L_PTE_MT_DEV_WC		((pteval_t)1 << 2)
#define L_PTE_MT_DEV_CACHED	((pteval_t)3 << 2)
#define L_PTE_MT_MASK		((pteval_t)7 << 2)
#else
typedef u32 pteval_t;
#define L_PTE_VALID		((pteval_t)1 << 0)
#define L_PTE_YOUNG		((pteval_t)1 << 1)
#define L_PTE_DIRTY		((pteval_t)1 << 6)
#define L_PTE_RDONLY		((pteval_t)1 << 7)
#define L_PTE_USER		((pteval_t)1 << 8)
#define L_PTE_NONE		((pteval_t)1 << 11)
#define L_PTE_MT_UNCACHED	((pteval_t)0x0 << 2)
#define L_PTE_MT_BUFFERABLE	((pteval_t)0x1 << 2)
#define L_PTE_MT_WRITETHROUGH	((pteval_t)0x2 << 2)
#define L_PTE_MT_WRITEBACK	((pteval_t)0x3 << 2)
#define L_PTE_MT_WRITEALLOC	((pteval_t)0x7 << 2)
#define L_PTE_MT_DEV_SHARED	((pteval_t)0x4 << 2)
#define L_PTE_MT_DEV_NONSHARED	((pteval_t)0xc << 2)
#define L_PTE_MT_DEV_WC		((pteval_t)0x9 << 2)
#define L_PTE_MT_DEV_CACHED	((pteval_t)0xb << 2)
#define L_PTE_MT_MASK		((pteval_t)0xf << 2)
#endif

#endif
