/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages on stderr. */
#ifndef ARMVMM_RUN_MESSAGE_H
#define ARMVMM_RUN_MESSAGE_H

#include <stdarg.h>

/*
 * Prints "armvmm-run: " and a line, with a carriage return where the terminal is raw. Any thread.
 */
void message(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void message_va(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

/* How long the end waits for whoever reads stderr, in milliseconds. */
#define MESSAGE_LAST_MS	1000

/*
 * For while a guest runs: nobody waits for whoever reads stderr. A line that it does not take in
 * @ms milliseconds is lost, and no other one is waited for until the next call; the next line that
 * it takes is preceded by how many were lost. -1: waits for ever. The first call opens stderr's
 * terminal or pipe again, and is the main thread's.
 */
void message_patience(int ms);

#endif /* ARMVMM_RUN_MESSAGE_H */
