/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What driver code takes from the kernel, for one thread on the build machine (for several, with
 * -DFAKE_THREADS: fake_threads.h). Locks check that they are not taken twice, which would be a
 * deadlock, and that they are held where the code says so. The headers beside this one include it.
 */
#ifndef FAKE_KERNEL_H
#define FAKE_KERNEL_H

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#define noinline	__attribute__((noinline))
#define swap(a, b)	do { __typeof__(a) swap_a = (a); (a) = (b); (b) = swap_a; } while (0)
#define likely(x)	(x)
#define unlikely(x)	(x)
#define __read_mostly
#undef __always_inline
#define __always_inline	inline __attribute__((always_inline))

#ifdef FAKE_THREADS
#include "fake_threads.h"
#else
#define fake_thread
#define READ_ONCE(x)	(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v)	(*(volatile __typeof__(x) *)&(x) = (v))
#endif
#define smp_load_acquire(p)	__atomic_load_n((p), __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define smp_mb__before_atomic()	__sync_synchronize()
#define smp_mb__after_atomic()	__sync_synchronize()
#define smp_mb()	(__sync_synchronize(), fake_point(FAKE_BARRIER))
#ifndef smp_wmb
#define smp_wmb()	(__sync_synchronize(), fake_point(FAKE_WRITE_BARRIER))
#endif
#define smp_rmb()	(__sync_synchronize(), fake_point(FAKE_READ_BARRIER))
#define xchg(p, v)	__atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
#define cmpxchg_relaxed(p, old, new)						\
({										\
	__typeof__(*(p)) old_ = (old);						\
	__atomic_compare_exchange_n((p), &old_, (new), false, __ATOMIC_RELAXED,	\
				    __ATOMIC_RELAXED);				\
	old_;									\
})
#define cpu_relax()	do { } while (0)
#define cond_resched()	do { } while (0)
#define preempt_disable()	do { } while (0)
#define preempt_enable()	do { } while (0)

#define BUILD_BUG_ON(c)	_Static_assert(!(c), #c)
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define IS_ALIGNED(x, a)	(((x) & ((__typeof__(x))(a) - 1)) == 0)
#define min(a, b)	((a) < (b) ? (a) : (b))
#define min_t(t, a, b)	((t)(a) < (t)(b) ? (t)(a) : (t)(b))
#define max(a, b)	((a) > (b) ? (a) : (b))
#define container_of(p, type, member)	((type *)((char *)(p) - offsetof(type, member)))

static inline unsigned int fls64(unsigned long long x)
{
	return x ? 64 - (unsigned int)__builtin_clzll(x) : 0;
}

#define BIT(n)		(1UL << (n))
#define BIT_ULL(n)	(1ULL << (n))
#define BITS_PER_LONG	(8 * sizeof(long))
#define BITS_TO_LONGS(n)	(((n) + BITS_PER_LONG - 1) / BITS_PER_LONG)
#define DECLARE_BITMAP(name, n)	unsigned long name[BITS_TO_LONGS(n)]
#define SZ_4K		0x1000
#define SZ_64K		0x10000
#define SZ_8K		0x2000
#define PAGE_SHIFT	12
#define PAGE_SIZE	(1UL << PAGE_SHIFT)
#define offset_in_page(x)	((unsigned long)(x) & (PAGE_SIZE - 1))
#define PAGE_ALIGN(x)	(((x) + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1))

#define hweight8(x)	((unsigned int)__builtin_popcount((u8)(x)))
#define hweight16(x)	((unsigned int)__builtin_popcount((u16)(x)))
#define hweight32(x)	((unsigned int)__builtin_popcount((u32)(x)))
#define fallthrough	__attribute__((fallthrough))
#define swab16(x)	__builtin_bswap16(x)
#define swab32(x)	__builtin_bswap32(x)
#define swab64(x)	__builtin_bswap64(x)
#define __ffs(x)	((unsigned int)__builtin_ctzl(x))
#define __ffs64(x)	((unsigned int)__builtin_ctzll(x))
#define cpu_to_le32(x)	((__le32)htole32(x))
#define le32_to_cpu(x)	le32toh((u32)(x))

#ifndef FAKE_THREADS
static inline void set_bit(unsigned int n, unsigned long *p)
{
	p[n / BITS_PER_LONG] |= BIT(n % BITS_PER_LONG);
}

static inline bool test_bit(unsigned int n, const unsigned long *p)
{
	return *p & BIT(n);
}

static inline bool test_and_clear_bit(unsigned int n, unsigned long *p)
{
	bool was = test_bit(n, p);

	*p &= ~BIT(n);
	return was;
}

#endif

/*
 * Checks the index, where the kernel would make a wrong one harmless. A test may count the calls.
 */
extern unsigned int fake_nospec __attribute__((weak));
#define array_index_nospec(i, n)						\
({										\
	if (&fake_nospec)							\
		fake_nospec++;							\
	assert((i) < (n));							\
	(i);									\
})

/*
 * A test with another CPU (other_cpu.h) is told where the code is, and may stop it there or let the
 * other one go on. Where there is none, nobody ends a wait.
 */
enum fake_point {
	FAKE_RCU_STEP,		/* a pointer is read next that another CPU may change */
	FAKE_SEQ_WAIT,		/* a change has to end before this one goes on */
	FAKE_SEQ_CHANGE,	/* a change has begun */
	FAKE_RB_MOVE,		/* a node is not in the tree, which will be there again */
	FAKE_BARRIER,		/* what comes before has been done */
	FAKE_READ_BARRIER,	/* what is read next may have changed */
	FAKE_WRITE_BARRIER,	/* what comes before is seen first */
	FAKE_SRCU_SYNC,		/* readers have to end before this one goes on */
};

void fake_point(enum fake_point point) __attribute__((weak));
#define fake_point(p)	(fake_point ? fake_point(p) : assert((p) != FAKE_SEQ_WAIT))

/* --- locks --- */

#ifndef FAKE_THREADS
typedef struct {
	bool held;
} raw_spinlock_t, spinlock_t;

struct mutex {
	bool held;
};
#endif

/* A test may say that another CPU has the lock that is tried. */
bool fake_contended(void) __attribute__((weak));
#define fake_contended()	(fake_contended && fake_contended())
#define lockdep_assert_held(l)	assert((l)->held)
#define lockdep_assert_irqs_disabled()	do { } while (0)
#ifndef FAKE_THREADS
/* A test may count them. */
extern unsigned int fake_locks __attribute__((weak));
#define fake_lock(l)								\
	do {									\
		assert(!(l)->held);						\
		(l)->held = true;						\
		if (&fake_locks)						\
			fake_locks++;						\
	} while (0)
#define fake_unlock(l)		do { assert((l)->held); (l)->held = false; } while (0)

#endif
#define raw_spin_lock_init(l)	((l)->held = false)
#define raw_spin_lock(l)	fake_lock(l)
#define raw_spin_unlock(l)	fake_unlock(l)
#ifndef FAKE_THREADS
#define raw_spin_trylock(l)	(fake_contended() ? false : ({ fake_lock(l); true; }))
#endif
#define raw_spin_lock_irqsave(l, f)	do { (f) = 1; fake_lock(l); } while (0)
#define raw_spin_unlock_irqrestore(l, f)	do { assert((f) == 1); fake_unlock(l); } while (0)
#define spin_lock_init(l)	((l)->held = false)
#define spin_lock(l)		fake_lock(l)
#define spin_unlock(l)		fake_unlock(l)
#define DEFINE_MUTEX(name)	struct mutex name = { false }
#define mutex_init(l)		((l)->held = false)
#define mutex_lock(l)		fake_lock(l)
#define mutex_unlock(l)		fake_unlock(l)

/* --- lists --- */

#define INIT_LIST_HEAD(l)	do { WRITE_ONCE((l)->next, l); (l)->prev = (l); } while (0)
#define list_entry(p, type, member)	container_of(p, type, member)
#define list_first_entry(head, type, member)	list_entry((head)->next, type, member)
#define list_empty(l)		(READ_ONCE((l)->next) == (l))
#define list_for_each_entry(p, head, member)					\
	for ((p) = list_entry((head)->next, __typeof__(*(p)), member);		\
	     &(p)->member != (head);						\
	     (p) = list_entry((p)->member.next, __typeof__(*(p)), member))
#define list_for_each_entry_safe(p, n, head, member)				\
	for ((p) = list_entry((head)->next, __typeof__(*(p)), member),		\
	     (n) = list_entry((p)->member.next, __typeof__(*(p)), member);	\
	     &(p)->member != (head);						\
	     (p) = (n), (n) = list_entry((n)->member.next, __typeof__(*(n)), member))

#define LIST_HEAD(name)	struct list_head name = { &(name), &(name) }

static inline void list_add_tail(struct list_head *e, struct list_head *head)
{
	/* An entry of another list would tear that one. A new one may be all zero. */
	assert(!e->next || list_empty(e));
	e->prev = head->prev;
	e->next = head;
	WRITE_ONCE(head->prev->next, e);
	head->prev = e;
}

static inline void list_add(struct list_head *e, struct list_head *head)
{
	list_add_tail(e, head->next);
}

static inline void list_del_init(struct list_head *e)
{
	assert(!list_empty(e));
	WRITE_ONCE(e->prev->next, e->next);
	e->next->prev = e->prev;
	INIT_LIST_HEAD(e);
}

/* The kernel's leaves a poison in @e, too. */
static inline void list_del(struct list_head *e)
{
	list_del_init(e);
	e->next = e->prev = NULL;
}

static inline void list_move(struct list_head *e, struct list_head *head)
{
	list_del_init(e);
	list_add_tail(e, head->next);
}

/* --- devices and user memory --- */

#define readl_relaxed(a)	(*(volatile u32 *)(a))
#define writel_relaxed(v, a)	(*(volatile u32 *)(a) = (v))

/* Addresses of the first page stand for a client's wild pointers. */
static inline bool fake_user_bad(const void *p)
{
	return (uintptr_t)p < PAGE_SIZE;
}

static inline unsigned long copy_from_user(void *to, const void *from, size_t n)
{
	if (fake_user_bad(from))
		return n;
	memcpy(to, from, n);
	return 0;
}

static inline unsigned long copy_to_user(void *to, const void *from, size_t n)
{
	if (fake_user_bad(to))
		return n;
	memcpy(to, from, n);
	return 0;
}

#define get_user(v, p)	(copy_from_user(&(v), (p), sizeof(*(p))) ? -EFAULT : 0)
#define put_user(v, p)	({ __typeof__(*(p)) v_ = (v);				\
			   copy_to_user((p), &v_, sizeof(v_)) ? -EFAULT : 0; })

#define u64_to_user_ptr(x)	((void *)(uintptr_t)(x))

/* --- memory --- */

#define GFP_KERNEL_ACCOUNT	0
#define kzalloc(size, flags)	calloc(1, (size))
#define kfree(p)		free(p)
#define virt_to_page(p)		((struct page *)(p))

static inline unsigned long get_zeroed_page(int flags)
{
	void *page = aligned_alloc(PAGE_SIZE, PAGE_SIZE);

	return (unsigned long)(page ? memset(page, 0, PAGE_SIZE) : NULL);
}

static inline void free_page(unsigned long page)
{
	free((void *)page);
}

/* --- tasks, timers and other parts of structures --- */

typedef unsigned long fake_sigset_t;
#define sigset_t	fake_sigset_t

struct task_struct {
	bool kicked;
	sigset_t real_blocked;
};

extern fake_thread struct task_struct *fake_current;
extern fake_thread bool fake_in_irq;
#define current		fake_current
#define in_task()	(!fake_in_irq)

struct hrtimer {
	int dummy;
};

struct rcuwait {
	int dummy;
};

struct srcu_struct {
	int dummy;
};

#define srcu_read_lock(s)	((void)(s), 0)
#define srcu_read_unlock(s, i)	do { (void)(s); (void)(i); } while (0)
#define synchronize_srcu_expedited(s)	do { (void)(s); fake_point(FAKE_SRCU_SYNC); } while (0)

struct mmu_notifier {
	int dummy;
};

typedef struct {
	uid_t val;
} kuid_t;

typedef struct {
	int refs;
} refcount_t;

typedef struct {
	int counter;
} atomic_t;

#define ATOMIC_INIT(value)	{ value }

static inline void atomic_dec(atomic_t *v)
{
	__atomic_fetch_sub(&v->counter, 1, __ATOMIC_RELAXED);
}

/* Returns what there was. */
static inline int atomic_cmpxchg(atomic_t *v, int old, int new)
{
	__atomic_compare_exchange_n(&v->counter, &old, new, false, __ATOMIC_SEQ_CST,
				    __ATOMIC_SEQ_CST);
	return old;
}

static inline bool atomic_inc_unless_negative(atomic_t *v)
{
	int old = __atomic_load_n(&v->counter, __ATOMIC_RELAXED);

	while (old >= 0 &&
	       !__atomic_compare_exchange_n(&v->counter, &old, old + 1, false, __ATOMIC_SEQ_CST,
					    __ATOMIC_SEQ_CST))
		;
	return old >= 0;
}

typedef struct {
	s64 counter;
} atomic64_t;

static inline s64 atomic64_read(const atomic64_t *v)
{
	return v->counter;
}

static inline void atomic64_set(atomic64_t *v, s64 val)
{
	v->counter = val;
}

static inline void atomic64_add(s64 by, atomic64_t *v)
{
	v->counter += by;
}

struct mm_struct;

#endif
