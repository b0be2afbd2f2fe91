/* SPDX-License-Identifier: GPL-2.0-only */
/* The interface between the benchmark's client and its guest. */
#ifndef BENCH_H
#define BENCH_H

#include "../guest/lib/board.h"

#define TOUCH_BASE	0x42000000	/* pages that only the first-touch test uses */

/* The client's device */
#define DEV_WORD	0x00		/* read: a counter; written: ignored */
#define DEV_SPI		0x10		/* written: raises BENCH_SPI, then lowers it */
#define DEV_EVENT	0x20		/* written: signals an ioeventfd, if there is one */
#define DEV_MARK	0x30		/* written: a test begins or ends; prints a mark */
#define DEV_ZAP		0x40		/* written: the client gives a page back to the host */
#define DEV_LINE	0x50		/* written: raises BENCH_LINE until the guest's EOI */
#define DEV_PULSE	0x60		/* written: raises BENCH_SPI alone, which is an edge */
#define DEV_IRQFD	0x70		/* written: the same by an irqfd, if there is one */

#define BENCH_SPI	42
#define BENCH_LINE	43

#define ARGS_OFFSET	8
#define ARGS_MAGIC	0x50424d41

#define ARGS_CLIENT	1		/* there is the client's device */
#define ARGS_EVENT	2		/* there is the ioeventfd */
#define ARGS_LINE	4		/* BENCH_LINE is an irqfd with a resampler */
#define ARGS_GROUPS	8		/* every other one that is pending is of group 1 */
#define ARGS_IRQFD	16		/* BENCH_SPI has an irqfd */

#ifndef __ASSEMBLER__
struct bench_args {
	unsigned int magic;
	unsigned int count;		/* operations in each test */
	unsigned int tests;		/* bit n: run test n */
	unsigned int cpus;
	unsigned int flags;
	unsigned int ram_mb;
	unsigned int pending;		/* SPIs that are pending and never taken */
	unsigned int rounds;		/* how often each test runs */
};
#endif

#endif /* BENCH_H */
