// SPDX-License-Identifier: GPL-2.0-only
/* The numbers behind vmid.c. */
#include <linux/string.h>

#include "mem/vmid_pool.h"

static void vmid_pool_clear(struct vmid_pool *pool)
{
	memset(pool->used, 0, sizeof(pool->used));
	pool->used[0] = true;
	pool->used[pool->host] = true;
}

void vmid_pool_set_host(struct vmid_pool *pool, unsigned int n)
{
	pool->host = n;
	vmid_pool_clear(pool);
}

void vmid_pool_init(struct vmid_pool *pool)
{
	pool->generation = VMID_GENERATION;
	pool->next = 1;
	vmid_pool_set_host(pool, 0);
}

/*
 * A CPU that has not asked since the last new generation (its active id is 0) may be in its
 * guest still: what it kept then stays kept.
 */
static void vmid_pool_new_generation(struct vmid_pool *pool)
{
	unsigned int cpu;
	u64 id;

	pool->generation += VMID_GENERATION;
	vmid_pool_clear(pool);
	for (cpu = 0; cpu < pool->nr_cpus; cpu++) {
		id = pool->take_active(cpu);
		if (!id)
			id = pool->reserved[cpu];
		pool->used[id & VMID_MASK] = true;
		pool->reserved[cpu] = id;
	}
	pool->next = 1;
}

/* Where a CPU kept @id, all that did keep it as @new. */
static bool vmid_pool_renew(struct vmid_pool *pool, u64 id, u64 new)
{
	bool found = false;
	unsigned int cpu;

	for (cpu = 0; cpu < pool->nr_cpus; cpu++) {
		if (pool->reserved[cpu] == id) {
			pool->reserved[cpu] = new;
			found = true;
		}
	}
	return found;
}

static unsigned int vmid_pool_find_free(struct vmid_pool *pool)
{
	unsigned int i;

	for (i = pool->next; i < VMID_NR; i++)
		if (!pool->used[i])
			return i;
	return 0;
}

u64 vmid_pool_get(struct vmid_pool *pool, u64 id, bool *flush)
{
	unsigned int n;
	u64 new;

	*flush = false;
	if (id && (id & ~VMID_MASK) == pool->generation)
		return id;

	if (id) {
		new = pool->generation | (id & VMID_MASK);
		if (vmid_pool_renew(pool, id, new))
			return new;
		/* The old number, where it is still free: cheaper to reason about in a trace. */
		n = id & VMID_MASK;
		if (!pool->used[n])
			goto found;
	}

	n = vmid_pool_find_free(pool);
	if (!n) {
		vmid_pool_new_generation(pool);
		*flush = true;
		/* There are fewer CPUs than numbers (vmid.c checks): one is free. */
		n = vmid_pool_find_free(pool);
	}
	pool->next = n + 1;
found:
	pool->used[n] = true;
	return pool->generation | n;
}
