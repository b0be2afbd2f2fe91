/* SPDX-License-Identifier: GPL-2.0-only */
/* The memory balloon from its operator's view. Main thread only. */
#ifndef ARMVMM_RUN_BALLOON_H
#define ARMVMM_RUN_BALLOON_H

#include <stdint.h>

#define BALLOON_ID	"balloon0"	/* as QEMU's clients would name it */

struct balloon;

/* What the guest tells about its memory. Bytes, pages or events, as virtio 1.2 5.5.6.3 has it. */
struct balloon_stats {
	int64_t time;		/* seconds since 1970 when they came; 0: none have come */
	unsigned int nr;
	struct {
		const char *name;	/* QEMU's: "stat-free-memory" */
		uint64_t value;		/* UINT64_MAX: the guest did not tell it */
	} stat[16];
};

struct balloon_ops {
	/* Bytes of RAM that the guest has now: all, but for what is in the balloon. */
	uint64_t (*actual)(struct balloon *b);
	/*
	 * Asks the guest to have @bytes of RAM from now on, as far as it can. More than all is all.
	 * It goes on asking over resets.
	 */
	void (*ask)(struct balloon *b, uint64_t bytes);
	void (*stats)(struct balloon *b, struct balloon_stats *stats);
	/* Seconds from one set of statistics to the next; 0: the guest is not asked for any. */
	unsigned int (*interval)(struct balloon *b);
	void (*set_interval)(struct balloon *b, unsigned int seconds);
};

struct balloon {
	const struct balloon_ops *ops;
};

#endif /* ARMVMM_RUN_BALLOON_H */
