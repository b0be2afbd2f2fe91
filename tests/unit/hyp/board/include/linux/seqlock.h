/* SPDX-License-Identifier: GPL-2.0-only */
/* A sequence count, as the kernel lays it out; debug kernels have more behind it. */
#ifndef BOARD_LINUX_SEQLOCK_H
#define BOARD_LINUX_SEQLOCK_H
typedef struct {
	unsigned int sequence;
} seqcount_t;
#endif
