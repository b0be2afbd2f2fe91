/* SPDX-License-Identifier: GPL-2.0-only */
/* Words and numbers of the command line. */
#ifndef ARMVMM_RUN_PARSE_H
#define ARMVMM_RUN_PARSE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Digits from @text up to @end, at least one: no sign, blank or radix prefix
 * slips through. Returns 0, -EINVAL, or -ERANGE for more than @max.
 */
int parse_number(const char *text, const char *end, uint64_t max, uint64_t *value);

/* All of @text. */
int parse_number_all(const char *text, uint64_t max, uint64_t *value);

/* What follows "@name=" in @word, or NULL if it is another word. */
const char *parse_value(const char *word, const char *name);

/* "yes" and "on", "no" and "off". Returns 0 or -EINVAL. */
int parse_bool(const char *text, bool *value);

#endif /* ARMVMM_RUN_PARSE_H */
