/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages on stderr. */
#ifndef ARMVMM_RUN_MESSAGE_H
#define ARMVMM_RUN_MESSAGE_H

#include <stdarg.h>

/*
 * Prints "armvmm-run: " and a line, in one write, with a carriage return where
 * the terminal is raw. Any thread.
 */
void message(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void message_va(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

#endif /* ARMVMM_RUN_MESSAGE_H */
