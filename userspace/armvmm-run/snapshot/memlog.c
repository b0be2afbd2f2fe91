// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/machine_private.h"
#include "snapshot/layout.h"
#include "snapshot/memlog.h"

/* As machine_log_take() wants it. */
size_t memlog_words(const struct pages_range *range)
{
	return (range->size / PAGES_SIZE + 63) / 64 * 2;
}

static void memlog_mark(const struct pages_range *range)
{
	for (uint64_t page = 0; page < range->size / PAGES_SIZE; page++)
		range->dirty[page / 32] |= 1u << page % 32;
}

static int memlog_open_range(struct memlog *log, unsigned int i)
{
	struct pages_range *range = &log->layout.range[i];
	struct memlog_range *r = &log->range[i];
	const struct machine *m = log->m;

	*r = (struct memlog_range){ .region = -1 };
	for (unsigned int n = 0; n < m->mem.nr_regions; n++)
		if (m->mem.region[n].host == range->host)
			r->region = n;
	for (unsigned int n = 0; n < m->bus.nr; n++)
		if (m->bus.dev[n]->base == range->gpa && m->bus.dev[n]->size)
			r->dev = m->bus.dev[n];
	if (r->region < 0)
		r->writes = __atomic_load_n(&r->dev->memory_writes, __ATOMIC_ACQUIRE);
	range->dirty = calloc(memlog_words(range), sizeof(*range->dirty));
	if (!range->dirty)
		return -ENOMEM;
	memlog_mark(range);
	return 0;
}

int memlog_open(struct memlog *log, struct machine *m)
{
	size_t words = 0;
	int ret = 0;

	*log = (struct memlog){ .m = m };
	layout_memory(m, &log->layout);
	for (unsigned int i = 0; !ret && i < log->layout.nr; i++) {
		size_t n = memlog_words(&log->layout.range[i]);

		ret = memlog_open_range(log, i);
		words = n > words ? n : words;
	}
	log->room = ret ? NULL : calloc(words, sizeof(*log->room));
	if (log->room)
		return 0;
	memlog_close(log);
	return -ENOMEM;
}

void memlog_close(struct memlog *log)
{
	memlog_stop(log);
	for (unsigned int i = 0; i < log->layout.nr; i++) {
		free(log->layout.range[i].dirty);
		log->layout.range[i].dirty = NULL;
	}
	free(log->room);
	log->room = NULL;
}

int memlog_start(struct memlog *log)
{
	int ret = machine_log_start(log->m);

	log->started = !ret;
	return ret;
}

void memlog_stop(struct memlog *log)
{
	if (log->started)
		machine_log_stop(log->m);
	log->started = false;
}

int memlog_take(struct memlog *log)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < log->layout.nr; i++) {
		struct pages_range *range = &log->layout.range[i];
		struct memlog_range *r = &log->range[i];
		unsigned int writes;

		if (r->region >= 0) {
			ret = machine_log_take(log->m, r->region, range->dirty, log->room);
			continue;
		}
		writes = __atomic_load_n(&r->dev->memory_writes, __ATOMIC_ACQUIRE);
		if (writes != r->writes)
			memlog_mark(range);
		r->writes = writes;
	}
	return ret;
}

void memlog_mark_all(struct memlog *log)
{
	for (unsigned int i = 0; i < log->layout.nr; i++)
		memlog_mark(&log->layout.range[i]);
}

void memlog_clear(struct memlog *log)
{
	for (unsigned int i = 0; i < log->layout.nr; i++)
		memset(log->layout.range[i].dirty, 0,
		       memlog_words(&log->layout.range[i]) * sizeof(uint32_t));
}

uint64_t memlog_count(const struct memlog *log)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < log->layout.nr; i++)
		for (size_t w = 0; w < memlog_words(&log->layout.range[i]); w++)
			n += __builtin_popcount(log->layout.range[i].dirty[w]);
	return n;
}
