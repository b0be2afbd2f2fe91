// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "gdb/hex.h"

int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool hex_take(struct hex *h, char c)
{
	if (h->at == h->end || *h->at != c)
		return false;
	h->at++;
	return true;
}

bool hex_take_text(struct hex *h, const char *text)
{
	size_t len = strlen(text);

	if (hex_left(h) < len || memcmp(h->at, text, len))
		return false;
	h->at += len;
	return true;
}

bool hex_number(struct hex *h, uint64_t max, uint64_t *value)
{
	const char *from = h->at;
	uint64_t n = 0;

	while (h->at < h->end && hex_digit(*h->at) >= 0) {
		if (n >> 60)
			return false;
		n = n << 4 | hex_digit(*h->at++);
	}
	*value = n;
	return h->at > from && n <= max;
}

bool hex_bytes(struct hex *h, void *buf, size_t len)
{
	uint8_t *to = buf;

	if (hex_left(h) / 2 < len)
		return false;
	for (size_t i = 0; i < len; i++, h->at += 2) {
		int high = hex_digit(h->at[0]), low = hex_digit(h->at[1]);

		if (high < 0 || low < 0)
			return false;
		to[i] = high << 4 | low;
	}
	return true;
}
