/* SPDX-License-Identifier: GPL-2.0-only */
/* Joins a terminal to a console of a machine. */
#ifndef ARMVMM_CTL_CONSOLE_H
#define ARMVMM_CTL_CONSOLE_H

#include "connection.h"

/*
 * Copies between standard input and output and the console that query-chardev calls @id, until a
 * person presses Ctrl-] or the console ends. Returns false with @err set.
 */
bool console_join(struct connection *c, const char *id, GError **err);

#endif /* ARMVMM_CTL_CONSOLE_H */
