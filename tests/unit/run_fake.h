/* SPDX-License-Identifier: GPL-2.0-only */
/* The CPU that the run loop is on, on the build machine: which it is, and whether IRQs are on. */
#ifndef RUN_FAKE_H
#define RUN_FAKE_H

#include "fake_kernel.h"

extern int fake_cpu;			/* that runs now */
extern bool fake_cpu_active;		/* it is not about to go offline */
extern bool fake_irqs_off, fake_preempt_off;

#define smp_processor_id()	(assert(fake_preempt_off), fake_cpu)
#define cpu_active(cpu)		(assert((cpu) == fake_cpu), fake_cpu_active)
#define local_irq_disable()	do { assert(!fake_irqs_off); fake_irqs_off = true; } while (0)
#define local_irq_enable()	do { assert(fake_irqs_off); fake_irqs_off = false; } while (0)
#undef preempt_disable
#undef preempt_enable
#define preempt_disable()	do { assert(!fake_preempt_off); fake_preempt_off = true; } while (0)
#define preempt_enable()	do { assert(fake_preempt_off); fake_preempt_off = false; } while (0)

#undef lockdep_assert_irqs_disabled
#define lockdep_assert_irqs_disabled()	assert(fake_irqs_off)

/* One for both CPUs. */
#define this_cpu_ptr(p)		(p)

#define smp_store_mb(x, v)	do { WRITE_ONCE(x, v); smp_mb(); } while (0)

/* Has the page a struct page? */
bool fake_pfn_valid(unsigned long pfn);
#define pfn_valid(pfn)		fake_pfn_valid(pfn)
/* Is its memory kept from the kernel? */
bool fake_reserved(unsigned long pfn);
struct page;
#define pfn_to_page(pfn)	((struct page *)(pfn))
#define PageReserved(page)	fake_reserved((unsigned long)(page))
#define is_zero_pfn(pfn)	(!(pfn))

/* A thread that sleeps: the test does what ends it. */
extern bool fake_signal;
void fake_sleep(void);
#define TASK_INTERRUPTIBLE	1
#define signal_pending(task)	((void)(task), fake_signal)
#define rcuwait_wait_event(w, cond, state)				\
	do {								\
		(void)(w);						\
		if (!(cond))						\
			fake_sleep();					\
		assert(cond);						\
	} while (0)

#define SIG_SETMASK		2
#define sigprocmask(how, set, old)	((void)(set))
#define sigemptyset(set)	((void)(*(set) = 0))

#endif
