/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAKE_LINUX_SEQLOCK_H
#define FAKE_LINUX_SEQLOCK_H
typedef struct {
	unsigned int sequence;
} seqcount_t;
#endif
