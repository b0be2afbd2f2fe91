/* SPDX-License-Identifier: GPL-2.0-only */
/* Translates the guest's virtual addresses by its own tables (DDI 0406C B3.5, B3.6). Pure. */
#ifndef ARMVMM_RUN_GDB_WALK_H
#define ARMVMM_RUN_GDB_WALK_H

#include <stdbool.h>
#include <stdint.h>

struct walk {
	uint32_t sctlr, ttbcr;
	uint64_t ttbr0, ttbr1;
	/* Reads @len bytes of guest memory. False: there is no memory. */
	bool (*read)(void *opaque, uint64_t gpa, void *buf, unsigned int len);
	void *opaque;
};

/*
 * The guest-physical address of @va, whatever its permissions; with the MMU off it is @va. The
 * translation holds up to the next multiple of 4096. False: @va is not mapped, or a table is not in
 * memory.
 */
bool walk_address(const struct walk *walk, uint32_t va, uint64_t *gpa);

#endif /* ARMVMM_RUN_GDB_WALK_H */
