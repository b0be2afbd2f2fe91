// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <glib.h>
#include <string.h>

#include "snapshot/follow.h"

#define FOLLOW_CHUNK	(WIRE_PAGES * PAGES_SIZE)	/* no range of RAM begins within one */

/* Which pages of a chunk have to go: a bit for each. */
static uint32_t follow_bits(const struct pages_range *range, uint64_t at)
{
	uint64_t page = at / PAGES_SIZE;

	return range->dirty[page / 32] >> page % 32 & ((1u << WIRE_PAGES) - 1);
}

static int follow_chunk(struct follow *f, unsigned int i, uint64_t at)
{
	const struct pages_range *range = &f->log->layout.range[i];
	unsigned int nr = __builtin_popcount(follow_bits(range, at));
	uint64_t pages = 0, left = (range->size - at) / PAGES_SIZE;
	int ret;

	ret = pages_write_at(f->pages, f->writer, i, at, left < WIRE_PAGES ? left : WIRE_PAGES,
			     &pages);
	f->range = i;
	f->at = at + FOLLOW_CHUNK;
	__atomic_fetch_sub(&f->count->left, nr * PAGES_SIZE, __ATOMIC_RELAXED);
	__atomic_fetch_add(&f->count->sent, pages, __ATOMIC_RELAXED);
	__atomic_fetch_add(&f->count->zero, nr - pages, __ATOMIC_RELAXED);
	return ret < 0 ? ret : 0;
}

/* The next chunk, behind what was sent last, which somebody may want soon. Returns false: none. */
static bool follow_find(struct follow *f)
{
	const struct pages_layout *layout = &f->log->layout;

	for (unsigned int i = 0; i <= layout->nr; i++) {
		const struct pages_range *range = &layout->range[f->range];

		for (; f->at < range->size; f->at += FOLLOW_CHUNK)
			if (follow_bits(range, f->at))
				return true;
		f->range = (f->range + 1) % layout->nr;
		f->at = 0;
	}
	return false;
}

/* Somebody waits for this page. It may be on its way already. */
static int follow_request(struct follow *f)
{
	uint64_t gpa;

	if (f->answers->len != sizeof(gpa))
		return part_error(f->answers, -EBADMSG, f->why, "is none");
	memcpy(&gpa, f->answers->data, sizeof(gpa));
	__atomic_fetch_add(&f->count->requests, 1, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < f->log->layout.nr; i++) {
		const struct pages_range *range = &f->log->layout.range[i];
		uint64_t at = gpa - range->gpa;

		if (gpa < range->gpa || at >= range->size)
			continue;
		at -= at % FOLLOW_CHUNK;
		return follow_bits(range, at) ? follow_chunk(f, i, at) : 0;
	}
	return part_error(f->answers, -EBADMSG, f->why, "is of memory that is not there");
}

/* Hears one word. Returns 1 if nothing more is needed. */
static int follow_hear(struct follow *f)
{
	int ret = part_read_either(f->answers, WIRE_REQUEST, WIRE_WHOLE, f->why);

	if (!ret && f->answers->version != WIRE_VERSION)
		ret = part_error(f->answers, -EPROTONOSUPPORT, f->why, "has version %u",
				 f->answers->version);
	if (!ret && !strcmp(f->answers->name, WIRE_WHOLE))
		return 1;
	return ret ? ret : follow_request(f);
}

/*
 * All is on its way, however slow that may be. What the far end asked for before it got all may
 * come still, but it may not go on for ever. Returns as follow_hear() does.
 */
static int follow_hear_all(struct follow *f)
{
	unsigned int least = wire_unsent(f->wire), unsent;
	int64_t until = g_get_monotonic_time() + WIRE_STALL_MS * 1000ll;
	int ret = 0;

	while (!ret) {
		ret = follow_hear(f);
		unsent = wire_unsent(f->wire);
		if (unsent < least)
			until = g_get_monotonic_time() + WIRE_STALL_MS * 1000ll;
		least = unsent < least ? unsent : least;
		if (!ret && g_get_monotonic_time() >= until)
			ret = -ETIMEDOUT;
	}
	return ret;
}

/* What somebody waits for comes first. Returns as follow_hear() does. */
static int follow_all(struct follow *f)
{
	int ret = 0;

	while (!ret && follow_find(f)) {
		if (__atomic_load_n(f->wire->cancelled, __ATOMIC_ACQUIRE))
			return -ECANCELED;
		if (wire_is_readable(f->wire))
			ret = follow_hear(f);
		/* One of its own after each: so all goes, whoever asks for what, and how often. */
		if (!ret && follow_find(f))
			ret = follow_chunk(f, f->range, f->at);
	}
	if (!ret)
		ret = part_write(f->writer, WIRE_ALL, WIRE_VERSION, NULL, 0, NULL, 0);
	return ret ? ret : follow_hear_all(f);
}

/* Writing may fail because the far end needs no more: that is its last word then. */
static int follow_hear_last(struct follow *f, int ret)
{
	struct error none;
	int said;

	if (ret == -ECANCELED || ret == -ETIMEDOUT || f->why->text[0])
		return ret;
	f->wire->deadline = g_get_monotonic_time() + 1000000;
	do
		said = part_read_either(f->answers, WIRE_REQUEST, WIRE_WHOLE, &none);
	while (!said && strcmp(f->answers->name, WIRE_WHOLE));
	return said ? ret : 0;
}

int follow_send(struct follow *f)
{
	int ret;

	pages_writer_again(f->pages, true);
	ret = follow_all(f);
	return ret < 0 ? follow_hear_last(f, ret) : 0;
}
