/* SPDX-License-Identifier: GPL-2.0-only */
/* A snapshot in memory, for tests. */
#ifndef TESTS_UNIT_SNAPSHOT_BUFFER_H
#define TESTS_UNIT_SNAPSHOT_BUFFER_H

#include <errno.h>
#include <stdint.h>
#include <string.h>

struct buffer {
	uint8_t data[64 << 10];
	size_t len, at;
	size_t room;		/* bytes that it takes: a disk that gets full */
};

static inline int buffer_write(void *opaque, const void *data, size_t len)
{
	struct buffer *b = opaque;

	if (len > b->room - b->len)
		return -ENOSPC;
	memcpy(b->data + b->len, data, len);
	b->len += len;
	return 0;
}

static inline int64_t buffer_read(void *opaque, void *data, size_t len)
{
	struct buffer *b = opaque;
	size_t n = len < b->len - b->at ? len : b->len - b->at;

	memcpy(data, b->data + b->at, n);
	b->at += n;
	return n;
}

#endif /* TESTS_UNIT_SNAPSHOT_BUFFER_H */
