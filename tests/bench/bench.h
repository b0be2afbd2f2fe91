/* SPDX-License-Identifier: GPL-2.0-only */
/* What the benchmark's client and its guest agree on. */
#ifndef BENCH_H
#define BENCH_H

#include "../guest/lib/board.h"

#define TOUCH_BASE	0x42000000	/* pages that only the first-touch test uses */

/* The client's device */
#define DEV_WORD	0x00		/* read: a counter; written: ignored */
#define DEV_SPI		0x10		/* written: BENCH_SPI goes high, then low */
#define DEV_EVENT	0x20		/* written: an ioeventfd where there is one */
#define DEV_MARK	0x30		/* written: a test begins or ends; a line for trace tools */
#define DEV_ZAP		0x40		/* written: the client gives a page back to its host */
#define DEV_LINE	0x50		/* written: BENCH_LINE goes high, until it is ended */

#define BENCH_SPI	42
#define BENCH_LINE	43

#define ARGS_OFFSET	8
#define ARGS_MAGIC	0x50424d41

#define ARGS_CLIENT	1		/* the device is there */
#define ARGS_EVENT	2		/* so is the ioeventfd */
#define ARGS_LINE	4		/* BENCH_LINE is an irqfd with a resampler */

#ifndef __ASSEMBLER__
struct bench_args {
	unsigned int magic;
	unsigned int count;		/* operations a test */
	unsigned int tests;		/* bit n: run test n */
	unsigned int cpus;
	unsigned int flags;
	unsigned int ram_mb;
	unsigned int pending;		/* SPIs that are pending and never taken */
	unsigned int rounds;		/* each test, one after the other */
};
#endif

#endif /* BENCH_H */
