/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAKE_LINUX_PERCPU_H
#define FAKE_LINUX_PERCPU_H
#include "../fake_kernel.h"
/* There is one CPU, or one for each thread; unless the test has its own. */
#ifndef DEFINE_PER_CPU
#define DECLARE_PER_CPU(type, name)	extern fake_thread type name
#define DEFINE_PER_CPU(type, name)	fake_thread type name
#define this_cpu_read(v)		(v)
#define __this_cpu_read(v)		(v)
#define this_cpu_write(v, to)		((void)((v) = (to)))
#endif
#endif
