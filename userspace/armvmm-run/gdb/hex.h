/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers and bytes in hexadecimal, as GDB's remote protocol has them. Pure. */
#ifndef ARMVMM_RUN_GDB_HEX_H
#define ARMVMM_RUN_GDB_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is left to read of a packet. It need not end with a zero. */
struct hex {
	const char *at, *end;
};

/* Takes @c. False: something else is next. */
bool hex_take(struct hex *h, char c);

/* Takes the text @text. False: something else is next, and nothing is taken. */
bool hex_take_text(struct hex *h, const char *text);

/* Takes a number of one to sixteen digits. False: there is none, or it is greater than @max. */
bool hex_number(struct hex *h, uint64_t max, uint64_t *value);

/* Takes @len bytes, two digits each. False: there are fewer, and @buf is unspecified. */
bool hex_bytes(struct hex *h, void *buf, size_t len);

static inline bool hex_done(const struct hex *h)
{
	return h->at == h->end;
}

static inline size_t hex_left(const struct hex *h)
{
	return h->end - h->at;
}

/* The value of a digit, or -1. */
int hex_digit(char c);

#endif /* ARMVMM_RUN_GDB_HEX_H */
