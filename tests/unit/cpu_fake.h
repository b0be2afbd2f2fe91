/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPUs that record the maintenance that they are told to do, in order: barriers, coprocessor
 * writes, calls of HYP mode, calls of each other. For code whose faults only silicon would show.
 */
#ifndef CPU_FAKE_H
#define CPU_FAKE_H

/* The differences between kernels do not matter here. */
#define ARMVMM_COMPAT_H

#include "fake_kernel.h"

#define FAKE_CPUS	4

extern unsigned int fake_cpu;		/* that runs now */

/* Records one more operation of the CPU that runs now. */
void fake_op(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* --- barriers --- */

#define dsb(option)		fake_op("dsb " #option)
#define dmb(option)		fake_op("dmb " #option)

/* --- CPUs --- */

#define nr_cpu_ids		FAKE_CPUS
#define smp_processor_id()	fake_cpu
#define get_cpu()		fake_cpu
#define put_cpu()		do { } while (0)
#define for_each_online_cpu(cpu)	for ((cpu) = 0; (cpu) < FAKE_CPUS; (cpu)++)
#define noinline		__attribute__((noinline))

void smp_call_function_single(int cpu, void (*fn)(void *), void *arg, int wait);
void on_each_cpu(void (*fn)(void *), void *arg, int wait);

/* The object that a per-CPU pointer points to on @cpu: one for each pointer and CPU. */
void *fake_per_cpu(void *p, size_t size, unsigned int cpu);
#define DECLARE_PER_CPU(type, name)	extern type name
#define DEFINE_PER_CPU(type, name)	type name
#define per_cpu_ptr(p, cpu)	((__typeof__(p))fake_per_cpu((p), sizeof(*(p)), (cpu)))
#define this_cpu_ptr(p)		per_cpu_ptr(p, fake_cpu)

/* --- the rest of the kernel --- */

#define DEFINE_RAW_SPINLOCK(name)	raw_spinlock_t name
#define GFP_KERNEL		0
#define kcalloc(n, size, flags)	calloc((n), (size))
#define lower_32_bits(v)	((u32)(v))
#define upper_32_bits(v)	((u32)((u64)(v) >> 32))

static inline s64 atomic64_xchg(atomic64_t *v, s64 val)
{
	s64 was = v->counter;

	v->counter = val;
	return was;
}

#endif
