/* SPDX-License-Identifier: GPL-2.0-only */
/* A queue of bytes in an array. The caller locks. */
#ifndef ARMVMM_RUN_RING_H
#define ARMVMM_RUN_RING_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct ring {
	uint8_t *data;
	size_t size, head, count;
};

static inline size_t ring_put(struct ring *ring, const uint8_t *buf, size_t len)
{
	size_t room = ring->size - ring->count, at, piece;

	if (len > room)
		len = room;
	if (!len)
		return 0;
	at = ring->head + ring->count;
	if (at >= ring->size)
		at -= ring->size;
	piece = ring->size - at < len ? ring->size - at : len;
	memcpy(ring->data + at, buf, piece);
	memcpy(ring->data, buf + piece, len - piece);
	ring->count += len;
	return len;
}

/* The number of bytes at the head that lie in one piece. */
static inline size_t ring_piece(const struct ring *ring)
{
	size_t piece = ring->size - ring->head;

	return ring->count < piece ? ring->count : piece;
}

/* Drops @n bytes at the head: no more than there are. */
static inline void ring_drop(struct ring *ring, size_t n)
{
	ring->head += n;
	if (ring->head >= ring->size)
		ring->head -= ring->size;
	ring->count -= n;
}

/* Moves bytes at the head into @buf. Returns how many. */
static inline size_t ring_take(struct ring *ring, uint8_t *buf, size_t len)
{
	size_t n = 0;

	for (; n < len && ring->count; n++) {
		buf[n] = ring->data[ring->head];
		ring_drop(ring, 1);
	}
	return n;
}

/* Puts all of @buf; the oldest bytes give way. */
static inline void ring_keep(struct ring *ring, const uint8_t *buf, size_t len)
{
	size_t skip = len > ring->size ? len - ring->size : 0;
	size_t room = ring->size - ring->count;

	if (len - skip > room)
		ring_drop(ring, len - skip - room);
	ring_put(ring, buf + skip, len - skip);
}

#endif /* ARMVMM_RUN_RING_H */
