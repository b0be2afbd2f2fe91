/* SPDX-License-Identifier: GPL-2.0-only */
/* A client's memory and what it may pin, on the build machine, for driver/mem/stage2_pin.c. */
#ifndef PIN_FAKE_H
#define PIN_FAKE_H

#include "fake_kernel.h"

/* --- the client's memory: one mapping --- */

struct page {
	int pins;
	bool dirty;
};

extern struct page fake_pages[];
#define FAKE_PFN	0x60000ul

#define page_to_pfn(p)	(FAKE_PFN + (unsigned long)((p) - fake_pages))
#define pfn_to_page(n)	(&fake_pages[(n) - FAKE_PFN])
#define get_page(p)	((void)(p)->pins++)
#define put_page(p)	((void)(p)->pins--)
#define set_page_dirty_lock(p)	((void)((p)->dirty = true))

#define VM_READ		1ul
#define VM_WRITE	2ul
#define VM_SHARED	8ul
#define VM_PFNMAP	0x400ul
#define VM_IO		0x4000ul

struct vm_operations_struct {
	int (*page_mkwrite)(void);
	int (*pfn_mkwrite)(void);
};

struct vm_area_struct {
	unsigned long vm_start, vm_end, vm_flags, vm_page_prot;
	const struct vm_operations_struct *vm_ops;
};

struct mm_struct {
	atomic64_t pinned_vm;
};

#define pgprot_val(x)	(x)
#define mmap_read_lock_killable(mm)	((void)(mm), 0)
#define mmap_read_unlock(mm)	((void)(mm))
struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long va);

#define FOLL_WRITE	1u
#define FOLL_LONGTERM	2u
int pin_user_pages_fast(unsigned long va, int n, unsigned int flags, struct page **page);
void unpin_user_pages_dirty_lock(struct page **pages, unsigned long n, bool dirty);

/* --- who may pin how much --- */

struct user_struct {
	long locked;
};

struct cred {
	struct user_struct *user;
};

extern unsigned long fake_limit;	/* bytes */
extern const struct cred fake_cred;
extern unsigned int fake_told;		/* how often the log names the limit */

#define RLIMIT_MEMLOCK	8
#define RLIM_INFINITY	(~0ul)
#define ULONG_MAX	(~0ul)
#define ERESTARTSYS	512
#define rlimit(n)	fake_limit
#define CAP_IPC_LOCK	14
#define capable(cap)	false
#define get_current_cred()	(&fake_cred)
#define put_cred(c)	((void)(c))
#define MSEC_PER_SEC	1000
#define printk_timed_ratelimit(told, ms)	((void)(told), true)
#define pr_info(...)	((void)fake_told++)
long compat_user_locked_add(struct user_struct *user, long n);

/* --- and the rest --- */

#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define PAGE_MASK		(~(PAGE_SIZE - 1))
#define might_sleep()		do { } while (0)
#define fatal_signal_pending(task)	false
#define kvcalloc(n, size, flags)	calloc((n), (size))
#define kvfree(p)		free(p)
#define cmpxchg(p, old, new)						\
	({								\
		__typeof__(*(p)) was_ = *(p);				\
		if (was_ == (old))					\
			*(p) = (new);					\
		was_;							\
	})
#define atomic_read(v)		READ_ONCE((v)->counter)
#define atomic_read_acquire(v)	READ_ONCE((v)->counter)
#define atomic_inc(v)		((void)(v)->counter++)
#define atomic_dec(v)		((void)(v)->counter--)
#define atomic64_inc_return(v)	(++(v)->counter)
#define atomic64_sub(n, v)	((void)((v)->counter -= (s64)(n)))

/* Only a charge that was refused is given back so. */
void fake_refused(void);
#define atomic64_dec(v)		((void)(v)->counter--, fake_refused())

#endif
