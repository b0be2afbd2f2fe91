/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Atomic operations, which are assembly, for the build that looks for data races (race.c): the
 * compiler sees no access in them. Such an operation is met as a WRITE_ONCE() is, and not watched.
 * Kbuild includes this file in each source that is watched.
 */
#ifndef ARMVMM_RACE_ATOMIC_H
#define ARMVMM_RACE_ATOMIC_H

#include <linux/atomic.h>
#include <linux/bitops.h>

void __tsan_volatile_write4(void *p);
void __tsan_volatile_write8(void *p);

/* One call each, so that the place that race.c prints is the operation's own. */
#define race_atomic(p)								\
	(sizeof(*(p)) == 8 ? __tsan_volatile_write8((void *)(p)) :		\
			     __tsan_volatile_write4((void *)(p)))

#undef cmpxchg
#define cmpxchg(ptr, ...)							\
({										\
	typeof(ptr) race_ptr = (ptr);						\
										\
	race_atomic(race_ptr);							\
	arch_cmpxchg(race_ptr, __VA_ARGS__);					\
})

#undef xchg
#define xchg(ptr, ...)								\
({										\
	typeof(ptr) race_ptr = (ptr);						\
										\
	race_atomic(race_ptr);							\
	arch_xchg(race_ptr, __VA_ARGS__);					\
})

#define race_bitop(op, nr, bits)						\
({										\
	unsigned int race_nr = (nr);						\
	volatile unsigned long *race_bits = (bits);				\
										\
	race_atomic(race_bits + BIT_WORD(race_nr));				\
	op(race_nr, race_bits);							\
})

#undef set_bit
#define set_bit(nr, bits)		race_bitop(_set_bit, nr, bits)
#undef clear_bit
#define clear_bit(nr, bits)		race_bitop(_clear_bit, nr, bits)
#undef test_and_set_bit
#define test_and_set_bit(nr, bits)	race_bitop(_test_and_set_bit, nr, bits)
#undef test_and_clear_bit
#define test_and_clear_bit(nr, bits)	race_bitop(_test_and_clear_bit, nr, bits)

#endif
