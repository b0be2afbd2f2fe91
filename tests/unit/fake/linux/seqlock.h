/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The count is odd during a change. A test that has another CPU (other_cpu.h) is told of changes,
 * and of waits for their end.
 */
#ifndef FAKE_LINUX_SEQLOCK_H
#define FAKE_LINUX_SEQLOCK_H

#include "../fake_kernel.h"

typedef struct {
	unsigned int sequence;
} seqcount_t;

#define seqcount_init(s)	((s)->sequence = 0)

static inline unsigned int read_seqcount_begin(const seqcount_t *s)
{
	unsigned int seq;

	while ((seq = smp_load_acquire(&s->sequence)) & 1)
		fake_point(FAKE_SEQ_WAIT);
	return seq;
}

static inline bool read_seqcount_retry(const seqcount_t *s, unsigned int seq)
{
	return smp_load_acquire(&s->sequence) != seq;
}

static inline void write_seqcount_begin(seqcount_t *s)
{
	assert(!(s->sequence & 1));
	s->sequence++;
	fake_point(FAKE_SEQ_CHANGE);
}

static inline void write_seqcount_end(seqcount_t *s)
{
	assert(s->sequence & 1);
	smp_store_release(&s->sequence, s->sequence + 1);
}

#endif
