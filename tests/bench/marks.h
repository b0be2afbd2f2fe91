/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The options of the DBG hints by which the benchmark's guest tells the emulator's plugin
 * (tests/coherency/profile.c) what it does. The processor ignores them (DDI 0406C A8.8.42).
 */
#ifndef BENCH_MARKS_H
#define BENCH_MARKS_H

#define MARK_ARM	8	/* measuring begins soon */
#define MARK_BEGIN	9	/* a test begins, whose id is in R0 */
#define MARK_SLEEPS	0x100	/* in R0: each operation waits, and ends by MARK_OPERATION */
#define MARK_END	10	/* it ended */
#define MARK_OPERATION	11	/* an operation that waits has ended */

#endif /* BENCH_MARKS_H */
