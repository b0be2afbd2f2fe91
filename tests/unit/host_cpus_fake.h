/* SPDX-License-Identifier: GPL-2.0-only */
/* The host's CPUs, of which the test says which one runs. Before the kernel's headers. */
#ifndef HOST_CPUS_FAKE_H
#define HOST_CPUS_FAKE_H

/* Its own are for one CPU. */
#define FAKE_LINUX_PERCPU_H

#include "fake_kernel.h"

#define FAKE_HOST_CPUS	6
extern unsigned int fake_host_cpu;

/* Together, so that a test may copy them all. */
#define FAKE_PER_CPU			__attribute__((section("fake_percpu")))
#define DECLARE_PER_CPU(type, name)	extern type name[FAKE_HOST_CPUS]
#define DEFINE_PER_CPU(type, name)	FAKE_PER_CPU type name[FAKE_HOST_CPUS]
#define __this_cpu_read(v)		((v)[fake_host_cpu])
#define __this_cpu_write(v, to)		((void)((v)[fake_host_cpu] = (to)))
#define smp_processor_id()		fake_host_cpu

int smp_call_function_single(int cpu, void (*fn)(void *arg), void *arg, int wait);

#endif
