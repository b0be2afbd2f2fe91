/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory for stage-2 tables that watches writes: replaces driver/mem/stage2_mem.h. Every write of a
 * descriptor goes through a model of a TLB that keeps everything it ever saw until it is flushed
 * (test_stage2_table.c).
 */
#ifndef STAGE2_FAKE_H
#define STAGE2_FAKE_H

#define ARMVMM_STAGE2_MEM_H
#define ARMVMM_COMPAT_H

#include "fake_kernel.h"

#include "mem/stage2_index.h"

#define might_sleep()		do { } while (0)
#define need_resched()		fake_need_resched()
#define spin_needbreak(l)	0
#define cond_resched_lock(l)	fake_cond_resched_lock()
#define __phys_to_pfn(p)	((unsigned long)((p) >> 12))

bool fake_need_resched(void);
void fake_cond_resched_lock(void);

void stage2_write(u64 *p, u64 desc);
void stage2_write_barrier(void);
u64 *stage2_table(u64 desc);
u64 stage2_table_pa(const u64 *table);
void stage2_count(u64 *table, long n);
bool stage2_is_empty(u64 *table);
u64 *stage2_table_alloc(void);
void stage2_table_free(u64 *table);

#endif
