/* SPDX-License-Identifier: GPL-2.0-only */
/* What host/race.c uses of the kernel: four CPUs, of which the test says which one runs. */
#ifndef RACE_FAKE_H
#define RACE_FAKE_H

/* Its own are for one CPU. */
#define FAKE_LINUX_PERCPU_H

#include "fake_kernel.h"

#define FAKE_CPUS	4
extern unsigned int fake_cpu;

#define DEFINE_PER_CPU(type, name)	type name[FAKE_CPUS]
#define per_cpu_ptr(p, cpu)		(&(*(p))[cpu])
#define this_cpu_ptr(p)			per_cpu_ptr(p, fake_cpu)
#define raw_cpu_ptr(p)			this_cpu_ptr(p)
#define for_each_online_cpu(cpu)	for ((cpu) = 0; (cpu) < FAKE_CPUS; (cpu)++)
#define ____cacheline_aligned
#define DEFINE_RAW_SPINLOCK(name)	raw_spinlock_t name

void fake_irqs(bool on);
#define local_irq_save(flags)		do { (flags) = 0; fake_irqs(false); } while (0)
#define local_irq_restore(flags)	do { (void)(flags); fake_irqs(true); } while (0)

/* The CPU waits: the test says what the others do. */
void udelay(unsigned int us);

void fake_report(const char *fmt, ...);
#define pr_err(...)			fake_report(__VA_ARGS__)

#define SZ_16M				0x1000000ul
#define PAGE_OFFSET			(2 * SZ_16M)
#define _RET_IP_			((unsigned long)(u32)(uintptr_t)__builtin_return_address(0))

#define atomic64_xchg(v, new)		__atomic_exchange_n(&(v)->counter, (new), __ATOMIC_SEQ_CST)
#define atomic64_cmpxchg(v, old, new)	__sync_val_compare_and_swap(&(v)->counter, (old), (new))

/* What host/race_atomic.h stands before. */
#define BIT_WORD(n)			((n) / (8 * sizeof(long)))
#define arch_xchg(p, v)			__atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
#define arch_cmpxchg(p, old, new)	__sync_val_compare_and_swap((p), (old), (new))

#endif
