/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that the code under test and its fakes know, kept aside while the test looks at it in ways
 * that change it, and put back afterwards.
 */
#ifndef TESTS_UNIT_VGIC_WORLD_H
#define TESTS_UNIT_VGIC_WORLD_H

#include <malloc.h>

struct world_part {
	void *at;
	size_t size;
};

static struct world {
	struct world_part part[64];
	unsigned int nr;
	char *kept;
	size_t room;
} world;

static void world_add(void *at, size_t size)
{
	assert(world.nr < ARRAY_SIZE(world.part));
	world.part[world.nr++] = (struct world_part){ at, size };
}

/* Memory of an allocator's. */
static void world_add_heap(void *at)
{
	world_add(at, malloc_usable_size(at));
}

static void world_keep(void)
{
	size_t size = 0;
	unsigned int i;
	char *to;

	for (i = 0; i < world.nr; i++)
		size += world.part[i].size;
	if (size > world.room) {
		world.kept = realloc(world.kept, size);
		assert(world.kept);
		world.room = size;
	}
	for (to = world.kept, i = 0; i < world.nr; to += world.part[i++].size)
		memcpy(to, world.part[i].at, world.part[i].size);
}

static void world_put_back(void)
{
	const char *from = world.kept;
	unsigned int i;

	for (i = 0; i < world.nr; from += world.part[i++].size)
		memcpy(world.part[i].at, from, world.part[i].size);
}

#endif
