/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The driver is written for the newest kernel; this header bends the older ones to it. A source
 * includes it after the kernel's own headers. What a kernel has is asked of its headers
 * (compat/probes), for interfaces change in stable point releases too.
 *
 * What an older kernel lacks has the newest one's name. compat_ is for what has one name in no
 * kernel: an interface that changed its shape, or a choice between kernels.
 */
#ifndef ARMVMM_COMPAT_H
#define ARMVMM_COMPAT_H

#include <linux/context_tracking.h>
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/highmem.h>
#include <linux/hrtimer.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched/user.h>
#include <linux/syscore_ops.h>
#include <linux/vtime.h>

#include <uapi/linux/kvm.h>

#include "compat-config.h"
#include "compat/compat_mmu_notifier.h"

/* The field that the client may change at any time has another name to the kernel: 6.7. */
#ifdef HINT_UNSAFE_IN_KVM
#define immediate_exit	HINT_UNSAFE_IN_KVM(immediate_exit)
#endif

/* A user's locked pages are counted where something of the kernel's that locks is built in. */
static inline unsigned long compat_user_locked_add(struct user_struct *user, long pages)
{
#ifdef CONFIG_NET
	return (unsigned long)atomic_long_add_return(pages, &user->locked_vm);
#else
	return 0;
#endif
}

#ifndef HAVE_KMAP_LOCAL_PAGE
/* Nests like the real one, but turns preemption off. */
#define kmap_local_page(page)	kmap_atomic(page)
#define kunmap_local(addr)	kunmap_atomic(addr)
#endif

#ifndef HAVE_VM_FAULT_COMPLETED
/* A fault that dropped the mmap lock always says VM_FAULT_RETRY. */
#define VM_FAULT_COMPLETED	((vm_fault_t)0)
#endif

#ifndef HAVE_VM_FLAGS_SET
static inline void vm_flags_set(struct vm_area_struct *vma, unsigned long flags)
{
	vma->vm_flags |= flags;
}
#endif

/* What a notifier's clear_flush_young, clear_young and test_young return. */
#ifdef HAVE_MMU_NOTIFIER_YOUNG_BOOL
typedef bool compat_young_t;
#else
typedef int compat_young_t;
#endif

#ifndef HAVE_HRTIMER_SETUP
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*fn)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = fn;
}
#endif

/*
 * Suspend and resume of the last CPU, IRQs off. DEFINE_COMPAT_SYSCORE(name, suspend, resume)
 * gives functions of type int (*)(void *) and void (*)(void *) to be registered with
 * compat_syscore_register(&name).
 */
#ifdef HAVE_REGISTER_SYSCORE
#define DEFINE_COMPAT_SYSCORE(name, suspend_fn, resume_fn)			\
	static const struct syscore_ops name##_ops = {				\
		.suspend = (suspend_fn),					\
		.resume = (resume_fn),						\
	};									\
	static struct syscore name = { .ops = &name##_ops }
#define compat_syscore_register(core)	register_syscore(core)
#define compat_syscore_unregister(core)	unregister_syscore(core)
#else
#define DEFINE_COMPAT_SYSCORE(name, suspend_fn, resume_fn)			\
	static int name##_suspend(void) { return (suspend_fn)(NULL); }		\
	static void name##_resume(void) { (resume_fn)(NULL); }			\
	static struct syscore_ops name = {					\
		.suspend = name##_suspend,					\
		.resume = name##_resume,					\
	}
#define compat_syscore_register(core)	register_syscore_ops(core)
#define compat_syscore_unregister(core)	unregister_syscore_ops(core)
#endif

#ifndef HAVE_EVENTFD_SIGNAL_ONE
#define eventfd_signal(ctx)	eventfd_signal(ctx, 1)
#endif

#ifdef CONFIG_EVENTFD
#define COMPAT_HAS_EVENTFD	1
#else
/* No fd is one. The kernel's own stand-ins lack these two. */
#define COMPAT_HAS_EVENTFD	0
static inline struct file *eventfd_fget(int fd)
{
	return ERR_PTR(-ENOSYS);
}

static inline struct eventfd_ctx *eventfd_ctx_fileget(struct file *file)
{
	return ERR_PTR(-ENOSYS);
}
#endif

/*
 * Not zero where this thread has a signal pending or should give the CPU to another: what
 * signal_pending() and need_resched() say, by one look.
 */
static __always_inline unsigned long compat_thread_work(void)
{
	unsigned long work = _TIF_SIGPENDING | _TIF_NEED_RESCHED;

#ifdef _TIF_NOTIFY_SIGNAL
	work |= _TIF_NOTIFY_SIGNAL;
#endif
	work &= READ_ONCE(current_thread_info()->flags);
#ifdef TIF_NEED_RESCHED_LAZY
	/* Kernels differ in whether that counts. */
	work |= need_resched();
#endif
	return work;
}

/*
 * Accounting around the time in the guest. IRQs off. @noted: when RCU was told last.
 *
 * A CPU in the guest holds no reference that RCU protects, just as one in user space, and RCU is
 * told so. Once in a jiffy is enough: RCU looks at a CPU at a tick, each tick makes the guest exit,
 * and the entry that follows tells RCU.
 */
static __always_inline void compat_guest_enter_irqoff(unsigned long *noted)
{
#ifdef HAVE_CONTEXT_TRACKING_GUEST_ENTER
	vtime_account_guest_enter();
	if (context_tracking_guest_enter() || *noted == jiffies)
		return;
	*noted = jiffies;
#ifdef HAVE_RCU_VIRT_NOTE_NO_CPU
	rcu_virt_note_context_switch();
#else
	rcu_virt_note_context_switch(smp_processor_id());
#endif
#else
	guest_enter_irqoff();
#endif
}

/*
 * Two halves: the first right after the exit; the second once pending interrupts were taken, so
 * that the tick that ended the guest's time is still accounted to the guest.
 */
static __always_inline void compat_guest_exit_irqoff(void)
{
	context_tracking_guest_exit();
}

static __always_inline void compat_guest_exit_account(void)
{
	vtime_account_guest_exit();
}

/*
 * For pages that user space maps. Up to 5.10 the mark of a page that is charged to a memory cgroup
 * sits where the number of its mappings is counted: such a page cannot be both.
 */
#ifdef PG_kmemcg
#define COMPAT_GFP_MAPPED	GFP_KERNEL
#else
#define COMPAT_GFP_MAPPED	GFP_KERNEL_ACCOUNT
#endif

#endif
