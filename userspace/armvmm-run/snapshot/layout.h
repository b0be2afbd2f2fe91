/* SPDX-License-Identifier: GPL-2.0-only */
/* What a snapshot of a machine has, for both who write it and who read it. */
#ifndef ARMVMM_RUN_LAYOUT_H
#define ARMVMM_RUN_LAYOUT_H

#include "core/machine.h"
#include "snapshot/pages.h"

/*
 * The parts, in their order: FACTS_PART, LAYOUT_CPUS, one for each device, LAYOUT_CONSOLE, those of
 * memory, PART_END.
 */
#define LAYOUT_CPUS		"cpus"
#define LAYOUT_CPUS_VERSION	1

/* What the guest has written to its console, and no client has read yet. */
#define LAYOUT_CONSOLE		"console"
#define LAYOUT_CONSOLE_VERSION	1
#define LAYOUT_CONSOLE_MAX	65536u

#define LAYOUT_END_VERSION	1	/* of a stream, and of files before they had .heads */
#define LAYOUT_END_FILE		2	/* of a file */

/* The contents of the part PART_END. */
struct layout_end {
	uint64_t parts;		/* of memory */
	uint64_t pages;		/* in them */
};

struct layout_end_file {
	struct layout_end count;
	uint32_t heads;		/* pages_writer_heads() */
	uint32_t zero;
};

/* All memory of the machine: the guest's, and that which devices keep nowhere else. */
static inline void layout_memory(struct machine *m, struct pages_layout *layout)
{
	layout->nr = 0;
	for (unsigned int i = 0; i < m->mem.nr_regions; i++)
		pages_add(layout, m->mem.region[i].gpa, m->mem.region[i].size,
			  m->mem.region[i].host);
	for (unsigned int i = 0; i < m->bus.nr; i++) {
		struct device *dev = m->bus.dev[i];
		void *host = dev->ops->memory ? dev->ops->memory(dev) : NULL;

		if (host)
			pages_add(layout, dev->base, dev->size, host);
	}
}

#endif /* ARMVMM_RUN_LAYOUT_H */
