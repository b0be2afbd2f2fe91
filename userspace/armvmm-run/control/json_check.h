/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The words of a JSON text: strings, numbers, names and punctuation, to RFC 8259's letter. The
 * library that parses it takes more for a number than JSON has (010 as octal, 0x10), and lets one
 * that is too large wrap around: a size that a client has mistyped would become another size.
 */
#ifndef ARMVMM_RUN_JSON_CHECK_H
#define ARMVMM_RUN_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Are all of the @len bytes at @text, which a zero follows, words of JSON? Integers must fit
 * int64_t, other numbers a double; a string has no zero byte and no half of a surrogate pair. The
 * words' order, and whether the bytes are UTF-8, is for others to check.
 */
bool json_check(const char *text, size_t len);

#endif /* ARMVMM_RUN_JSON_CHECK_H */
