/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of fake_kernel.h for several threads, under ThreadSanitizer. READ_ONCE() and
 * WRITE_ONCE() are marked accesses, as for KCSAN: they may race. Barriers order the hardware, but
 * not for ThreadSanitizer; locks, acquire and release do.
 */
#ifndef FAKE_THREADS_H
#define FAKE_THREADS_H

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>

#define fake_thread	__thread

#define READ_ONCE(x)	__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v)							\
do {										\
	__typeof__(x) v_ = (v);							\
	__atomic_store_n(&(x), v_, __ATOMIC_RELAXED);				\
} while (0)
#define smp_store_mb(x, v)	do { WRITE_ONCE(x, v); __sync_synchronize(); } while (0)
#define smp_wmb()	__sync_synchronize()

#define cmpxchg(p, old, new)							\
({										\
	__typeof__(*(p)) old_ = (old);						\
	__atomic_compare_exchange_n((p), &old_, (new), false, __ATOMIC_SEQ_CST,	\
				    __ATOMIC_SEQ_CST);				\
	old_;									\
})

static inline void set_bit(unsigned int n, unsigned long *p)
{
	__atomic_fetch_or(p, 1ul << n, __ATOMIC_RELAXED);
}

static inline bool test_bit(unsigned int n, const unsigned long *p)
{
	return READ_ONCE(*p) & 1ul << n;
}

static inline bool test_and_clear_bit(unsigned int n, unsigned long *p)
{
	return __atomic_fetch_and(p, ~(1ul << n), __ATOMIC_SEQ_CST) & 1ul << n;
}

/* Zeroed memory is a lock that is not held. */
struct fake_lock {
	pthread_mutex_t mutex;
	bool held;
};

typedef struct fake_lock raw_spinlock_t, spinlock_t;

struct mutex {
	pthread_mutex_t mutex;
	bool held;
};

#define fake_lock(l)	do { pthread_mutex_lock(&(l)->mutex); (l)->held = true; } while (0)
#define fake_unlock(l)	do { (l)->held = false; pthread_mutex_unlock(&(l)->mutex); } while (0)
#define raw_spin_trylock(l)							\
	(pthread_mutex_trylock(&(l)->mutex) ? false : ((l)->held = true))

#define rcu_read_lock()		do { } while (0)
#define rcu_read_unlock()	do { } while (0)
#define rcuwait_wake_up(w)	((void)(w))
/* The host's interrupt: it ends the guest's time (test_vgic_race.c). */
#define kick_process(t)		WRITE_ONCE((t)->kicked, true)

#endif
